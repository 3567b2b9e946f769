"""`get`: records as they stand now."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from handlers.connections.zones import zones_of
from handlers.errors import ConfigurationError
from handlers.events import Json
from handlers.rules.order import word
from handlers.rules.printing import KeptSpan
from handlers.rules.registers import ref_key
from handlers.rules.times import is_date, kept_instant
from handlers.store.engine import Database
from handlers.store.read_deliveries import source_record
from handlers.store.read_downtime import kept_downtime
from handlers.store.read_meters import kept_readings
from handlers.store.read_records import DUE_BEFORE, FILTERS, Chosen, kept_records
from worker.cli import connections_health, given, looking, output, work
from worker.cli.roles import Home
from worker.shapes.kinds import COLUMNS, KINDS
from worker.shapes.records import found_records

CONNECTIONS = "connections"


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
    vendor: Annotated[str | None, typer.Option(metavar="KEY", help="Of this vendor.")] = None,
    meter: Annotated[str | None, typer.Option(metavar="KEY", help="Of this meter.")] = None,
    approval: Annotated[str | None, typer.Option(help="Of this approval_status.")] = None,
    receipt: Annotated[str | None, typer.Option(help="Of this receipt_status, as the lines tell it too.")] = None,
    billing: Annotated[str | None, typer.Option(help="Of this billing_status, likewise.")] = None,
    below_reorder: Annotated[
        bool, typer.Option("--below-reorder", help="Less in some place than its reorder point.")
    ] = False,
    due_before: Annotated[str | None, typer.Option(metavar="T", help="Due before this date or time.")] = None,
    figures: Annotated[
        bool, typer.Option("--figures", help="Of work-orders: what their work comes to, instead of them.")
    ] = False,
    by: Annotated[
        str, typer.Option(metavar="|".join(work.NAMED), help="With --figures: what a line is about.")
    ] = "all",
    since: Annotated[
        str | None, typer.Option("--from", metavar="T", help="With --figures: finished from then on.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="T", help="With --figures: finished before.")] = None,
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

    Example: `maintenworks get inventory-items --below-reorder`

    Example: `maintenworks get work-orders --figures --by crew --from 2026-03-01 --to 2026-04-01`
    """
    given_filters = {
        "status": status,
        "type": type_,
        "priority": priority,
        "asset": asset,
        "site": site,
        "parent": parent,
        "vendor": vendor,
        "meter": meter,
        "approval": approval,
        "receipt": receipt,
        "billing": billing,
        "below-reorder": "yes" if below_reorder else None,
        DUE_BEFORE: None if due_before is None else _kept_moment(due_before),
    }
    filters = {name: value for name, value in given_filters.items() if value is not None}
    _check(kind, filters)
    if kind == CONNECTIONS:
        connections_health.listed(home, key or connection, raw=raw, as_json=as_json)
        return
    chosen = Chosen(connection, key, deleted, filters)
    if not figures and (since, until, by) != (None, None, work.ALL):
        raise ConfigurationError(["--from, --to, --by: go with --figures"])
    if figures:
        _figures(home, kind, work.Asked(chosen, since, until, by), as_json=as_json)
        return
    with looking.opened(home) as (settings, database):
        judged = as_json or key is not None
        zones, now = zones_of(given.registry(settings).all()), datetime.now(UTC)
        records = found_records(database, KINDS[kind], chosen, zones, now, judged=judged)
        found = itertools.islice(records, limit)
        if raw:
            count = _raw(database, KINDS[kind], chosen, limit)
        elif as_json:
            count = looking.json_lines(found)
        elif key is None:
            columns = COLUMNS[KINDS[kind]]
            count = looking.rows(columns, (_line(record, columns) for record in found))
        else:
            count = looking.each(found, whole)
    if count == 0:
        looking.nothing(f"no such record among {kind}" if key is None else f"no {KINDS[kind]} {key!r}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Looking")(get)


def _check(kind: str, filters: Mapping[str, str]) -> None:
    """Refuses a kind that there is not, and a filter that it does not have."""
    if kind not in {*KINDS, CONNECTIONS}:
        raise ConfigurationError([f"KIND: one of {', '.join((*KINDS, CONNECTIONS))}; not {kind!r}"])
    known = FILTERS[KINDS[kind]] if kind in KINDS else {}
    unknown = [f"--{name}" for name in filters if name not in known]
    if unknown:
        choice = ", ".join(f"--{name}" for name in known) or "none but --connection"
        raise ConfigurationError([f"{', '.join(unknown)}: no filter of {kind}, which have {choice}"])


def _figures(home: Path | None, kind: str, asked: work.Asked, *, as_json: bool) -> None:
    if KINDS.get(kind) != "work_order":
        raise ConfigurationError([f"--figures: of work-orders; not of {kind}"])
    with looking.opened(home) as (settings, database):
        if work.figures(settings, database, asked, as_json=as_json) == 0:
            looking.nothing("no such orders")


def _kept_moment(text: str) -> str:
    """A date as it is, an instant as it is kept."""
    found = looking.moment(text, "--due-before")
    return text if is_date(text) else kept_instant(found)


def _raw(database: Database, kind: str, chosen: Chosen, limit: int | None) -> int:
    """Writes the newest source record behind each record; returns how many there were."""
    count = 0
    for connection, key, stamp in itertools.islice(_newest(database, kind, chosen), limit):
        data = source_record(database, connection, stamp) if stamp else None
        if data is None:
            gone = "the bytes of its newest record are purged; its fields are kept"
            output.note(f"{connection} {key}: {gone if stamp else 'nothing came about it, it was only named'}")
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
        found = kept_readings(database, chosen) if kind == "meter_reading" else kept_records(database, kind, chosen)
        for kept in found:
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
    """A field for people: a reference as its key, money and quantities as numbers, a list of these in one cell."""
    if isinstance(value, list):
        return ", ".join(str(_shown(name.removesuffix("s"), each)) for each in value)
    if not isinstance(value, dict):
        return value
    if name.endswith("_ref"):
        return ref_key(value)
    if "amount" in value:
        return " ".join(str(value[each]) for each in ("amount", "currency") if value.get(each) is not None)
    if "unit" in value and "value" in value:
        told = value["value"] if value["value"] is not None else value.get("value_text")
        return " ".join(str(each) for each in (told, value["unit"]) if each is not None)
    return word(value) if "value" in value else " ".join(f"{each}={_shown(each, of)}" for each, of in value.items())


def whole(record: Mapping[str, Json]) -> None:
    """Prints all fields of a record that have a value."""
    shown = ((name, _shown(name, value)) for name, value in record.items() if value not in (None, [], {}))
    output.table(("field", "value"), shown)
