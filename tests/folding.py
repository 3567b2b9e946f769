"""Applying events to a real database in tests, and looking at what they came to."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from handlers import effects
from handlers.events import Action, Delivery, Event, Json, Outcome
from handlers.rules.downtime import Span
from handlers.rules.fetching import counts_again
from handlers.rules.figures import Figures, figures
from handlers.store import events, fetches, schema
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests.databases import prepare

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATE = (
    schema.work_orders,
    schema.assets,
    schema.asset_history,
    schema.downtime,
    schema.asset_status_edges,
    schema.asset_parent_edges,
    schema.purchase_orders,
    schema.inventory_items,
    schema.vendors,
    schema.meters,
    schema.meter_readings,
    schema.pm_plans,
    schema.fetches,
    schema.connection_health,
)
"""What is a function of the set of facts, and of nothing else."""


def sqlite(folder: Path) -> Database:
    """A new SQLite database with the schema."""
    url = f"sqlite:///{folder / 'test.db'}"
    prepare(url)
    return Database(url, pool_size=2)


def event(
    type_: str,
    key: str,
    fields: dict[str, Json] | None = None,
    *,
    at: int = 0,
    id_: str | None = None,
    version: int | None = None,
    full_fields: tuple[str, ...] | None = None,
    custom: dict[str, Json] | None = None,
    warnings: tuple[dict[str, str], ...] = (),
    thin: bool = False,
) -> Event:
    """An event of connection `c`, `at` minutes after noon; its digest is made of all that it says."""
    kind, _, verb = type_.partition(".")
    said = (type_, key, at, id_, version, full_fields, custom or {}, fields or {}, warnings, thin)
    digest = sha256(msgspec.json.encode(said)).hexdigest()
    actions = {"voided": Action.DELETED, "reset": Action.RECORDED}
    return Event(
        connection_id="c",
        index=0,
        event_id=digest if id_ is None else id_,
        digest=digest,
        type=type_,
        action=actions.get(verb) or Action(verb),
        kind=kind,
        key=key,
        occurred_at=NOON + timedelta(minutes=at),
        version=version,
        fields=fields or {},
        custom_fields=custom or {},
        full=full_fields is not None,
        full_fields=full_fields or (),
        warnings=warnings,
        thin=thin,
    )


def delivery(delivery_id: str, body: bytes) -> Delivery:
    """A delivery of connection `c`, received at noon."""
    return Delivery(delivery_id, "c", NOON, body)


def apply(database: Database, batches: Iterable[Sequence[Event]], received_at: datetime = NOON) -> list[Outcome]:
    """Records and applies batches, one transaction each; what is known already is left out, as a worker does."""
    outcomes = []
    for batch in batches:
        with database.write() as connection:
            tx = Transaction(connection)
            new = events.record(tx, [events.Arrival(each, "d", received_at, "test") for each in batch], NOON)
            fresh = {events.identity(each): each for each in batch if events.identity(each) in new}
            outcomes += effects.apply(tx, list(fresh.values()))
            told = [each for each in batch if events.identity(each) in fresh or counts_again(each)]
            fetches.note(tx, [(each, received_at) for each in told])
    return outcomes


def state(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that is a function of the facts."""
    with database.read() as connection:
        return {
            table.name: [
                dict(row._mapping) for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in STATE
        }


def empty(database: Database) -> None:
    """Deletes every row of every table."""
    with database.write() as connection:
        for table in schema.metadata.sorted_tables:
            connection.execute(sa.delete(table))


def asset_figures(database: Database, since: datetime, until: datetime) -> dict[str, Figures]:
    """The figures of each asset that has down time, straight from the rows."""
    spans: dict[str, list[Span]] = {}
    for row in state(database)["downtime"]:
        if row["asset_key"] is not None and not row["is_void"]:
            span = Span(row["started_at"], row["ended_at"], row["planned"], row["failure"], ref=row["key"])
            spans.setdefault(row["asset_key"], []).append(span)
    return {asset: figures(held, since, until, until) for asset, held in spans.items()}
