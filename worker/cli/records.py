"""`get`: records as they stand now."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from handlers.connections import Connection
from handlers.errors import ConfigurationError
from handlers.events import Json
from handlers.rules.order import word
from handlers.rules.printing import KeptSpan, printed, printed_downtime
from handlers.rules.registers import ref_key
from handlers.settings import load
from handlers.store.engine import Database
from handlers.store.read_deliveries import source_record
from handlers.store.read_downtime import kept_downtime
from handlers.store.read_records import FILTERS, Chosen, kept_records
from worker.cli import connections_shown, given, looking, output
from worker.cli.roles import Home
from worker.settings import WorkerSettings

CONNECTIONS = "connections"
KINDS: Mapping[str, str] = {"work-orders": "work_order", "assets": "asset", "downtime": "downtime"}
"""By what the command calls it: the kind of record."""
LATER = ("purchase-orders", "inventory-items", "vendors", "meters", "pm-plans")
"""In the contract, and not in this version."""
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "work_order": (
        "connection",
        "key",
        "status",
        "type",
        "priority",
        "asset_ref",
        "due_at",
        "due_date",
        "completed_at",
        "title",
    ),
    "asset": ("connection", "key", "status", "site_ref", "parent_ref", "name"),
    "downtime": (
        "connection",
        "key",
        "asset_ref",
        "started_at",
        "ended_at",
        "planned",
        "failure",
        "work_order_ref",
        "reason",
    ),
}
"""What a line for people shows of a record; its key alone shows all."""


def get(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=", ".join((*KINDS, CONNECTIONS)))],
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="One record; all otherwise.")] = None,
    *,
    connection: looking.Of = None,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted ones in the list too.")] = False,
    status: Annotated[str | None, typer.Option(help="Of this status.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Of this type.")] = None,
    priority: Annotated[str | None, typer.Option(help="Of this priority.")] = None,
    asset: Annotated[str | None, typer.Option(metavar="KEY", help="Of this asset.")] = None,
    site: Annotated[str | None, typer.Option(metavar="KEY", help="Of this site.")] = None,
    parent: Annotated[str | None, typer.Option(metavar="KEY", help="Below this asset.")] = None,
    limit: looking.Limit = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="The newest source record behind it instead, a line each.")
    ] = False,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print records as they stand now.

    One record prints all its fields; a list prints a line each. A deleted one prints by its key, with `is_deleted`.

    Example: `maintenworks get work-orders --status in_progress --asset PUMP-7`

    Example: `maintenworks get work-orders WO-9 --connection acme --json`
    """
    given_filters = {
        "status": status,
        "type": type_,
        "priority": priority,
        "asset": asset,
        "site": site,
        "parent": parent,
    }
    filters = {name: value for name, value in given_filters.items() if value is not None}
    _check(kind, filters)
    if kind == CONNECTIONS:
        _connections(home, key or connection, raw=raw, as_json=as_json)
        return
    chosen = Chosen(connection, key, deleted, filters)
    with looking.opened(home) as (_, database):
        found = itertools.islice(_records(database, KINDS[kind], chosen), limit)
        if raw:
            count = _raw(database, KINDS[kind], chosen, limit)
        elif as_json:
            count = looking.json_lines(found)
        elif key is None:
            columns = COLUMNS[KINDS[kind]]
            count = looking.rows(columns, (_line(record, columns) for record in found))
        else:
            count = looking.each(found, _whole)
    if count == 0:
        looking.nothing(f"no such record among {kind}" if key is None else f"no {KINDS[kind]} {key!r}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Looking")(get)


def _check(kind: str, filters: Mapping[str, str]) -> None:
    """Refuses a kind that there is not, and a filter that it does not have."""
    if kind in LATER:
        raise ConfigurationError([f"{kind} come with a later version; there are {', '.join((*KINDS, CONNECTIONS))}"])
    if kind not in {*KINDS, CONNECTIONS}:
        raise ConfigurationError([f"KIND: one of {', '.join((*KINDS, CONNECTIONS))}; not {kind!r}"])
    known = FILTERS[KINDS[kind]] if kind in KINDS else {}
    unknown = [f"--{name}" for name in filters if name not in known]
    if unknown:
        choice = ", ".join(f"--{name}" for name in known) or "none but --connection"
        raise ConfigurationError([f"{', '.join(unknown)}: no filter of {kind}, which have {choice}"])


def _records(database: Database, kind: str, chosen: Chosen) -> Iterator[dict[str, Json]]:
    if kind == "downtime":
        return map(printed_downtime, kept_downtime(database, chosen))
    return map(printed, kept_records(database, kind, chosen))


def _raw(database: Database, kind: str, chosen: Chosen, limit: int | None) -> int:
    """Writes the newest source record behind each record; returns how many there were."""
    count = 0
    for connection, key, stamp in itertools.islice(_newest(database, kind, chosen), limit):
        data = source_record(database, connection, stamp) if stamp else None
        if data is None:
            output.note(f"{connection} {key}: nothing came about it, it was only named")
        else:
            looking.exact(data, end=b"\n")
            count += 1
    return count


def _newest(database: Database, kind: str, chosen: Chosen) -> Iterator[tuple[str, str, str]]:
    """Connection and key of each record, and the stamp of the newest fact behind it; empty where there is none."""
    if kind == "downtime":
        for spans in kept_downtime(database, chosen):
            yield spans[0].connection, spans[0].key, _stamp(database, spans[0])
    else:
        for kept in kept_records(database, kind, chosen):
            yield kept.connection, kept.key, kept.record.last_stamp


def _stamp(database: Database, span: KeptSpan) -> str:
    """The stamp of the newest fact behind a span: its own, its edge's, or its order's."""
    if span.origin == "status":
        return span.part
    if span.origin == "interval":
        return span.record.last_stamp
    order = next(kept_records(database, "work_order", Chosen(span.connection, span.key)), None)
    return "" if order is None else order.record.last_stamp


def _line(record: Mapping[str, Json], columns: Iterable[str]) -> tuple[object, ...]:
    return tuple(_shown(name, record[name]) for name in columns)


def _shown(name: str, value: Json) -> object:
    """A field for people: a reference as its key, a status or a priority as its word."""
    if name.endswith("_ref"):
        return ref_key(value)
    return word(value) if isinstance(value, dict) and "value" in value else value


def _whole(record: Mapping[str, Json]) -> None:
    """Prints all fields of a record that have a value."""
    shown = ((name, _shown(name, value)) for name, value in record.items() if value not in (None, [], {}))
    output.table(("field", "value"), shown)


def _connections(home: Path | None, connection_id: str | None, *, raw: bool, as_json: bool) -> None:
    """Prints connections as the registry has them: they are configuration, and no database is asked."""
    if raw:
        raise ConfigurationError(["--raw: connections are configuration, no source record stands behind them"])
    known = given.registry(load(WorkerSettings, home=home)).all()
    found = [each for each in known.values() if connection_id in {None, each.id}]
    if not found:
        looking.nothing("no connections" if connection_id is None else f"no connection {connection_id!r}")
    if as_json:
        looking.json_lines(map(_connection, found))
    else:
        connections_shown.in_list(found)


def _connection(connection: Connection) -> dict[str, Any]:
    return {
        "kind": "connection",
        "connection": connection.id,
        "key": connection.id,
        **connections_shown.described(connection),
    }
