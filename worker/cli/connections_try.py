"""`connections try`: what a payload would become, without storing anything."""

import difflib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from handlers.connections import Connection, Endpoint, Registry
from handlers.connections.zones import Zones, zones_of
from handlers.events import WHOLE_BODY, Delivery, Json
from handlers.rules.times import kept_instant
from handlers.settings import load
from handlers.store.engine import Database
from handlers.store.read_records import Chosen
from handlers.store.scratch import Scratch
from worker import trying
from worker.cli import given, output, records
from worker.cli.roles import Home
from worker.settings import WorkerSettings
from worker.shapes.kinds import KINDS
from worker.shapes.records import found_records
from worker.trying import Tried, TriedEvent, TriedLetter

_EVENTS = ("event", "type", "subject", "occurred", "outcome", "told")
_LETTERS = ("event", "error", "path", "found", "expected")
_UNMAPPED = ("event", "unmapped", "value")
_WARNINGS = ("event", "warning", "path", "detail")
_WHOLE = "all of it"
_ENVELOPE = frozenset({"kind", "connection", "key", "is_deleted", "derived_from"})


def try_(
    connection_id: Annotated[str, typer.Argument(metavar="CONNECTION", help="Whose payload it is.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="The payload, byte for byte; - for standard input.")],
    *,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="As it came; repeat.")
    ] = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When it came, with offset; now otherwise.")] = None,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what a payload would become: its events, records, warnings, unmapped fields and dead letters.

    Nothing is stored, no signature is asked for, and what was stored before does not count: the records are those of
    this payload alone. Headers matter to a source that finds the event's name in one.

    Exits 1 where nothing of it could be read, 3 where some of it could not.

    Example: `maintenworks connections try acme body.json -H 'X-Webhook-Event: WORK_ORDER_CHANGE'`

    Example: `maintenworks connections try acme - --json < body.json | jq '.dead_letters'`
    """
    settings = load(WorkerSettings, home=home)
    registry = given.registry(settings)
    of = _known(registry, connection_id, settings)
    posted_to = given.posted_to(registry, of)
    arrived = datetime.now(UTC) if at is None else given.moment(at, "--at").astimezone(UTC)
    body = given.body(file)
    if len(body) > settings.max_body_bytes:
        output.note(f"a receiver refuses it, by {len(body)} bytes where {settings.max_body_bytes} are allowed")
    hidden = posted_to.scheme.secret_headers
    headers = {name: value for name, value in given.headers(header or ()).items() if name not in hidden}
    with Scratch() as scratch:
        delivery = Delivery(trying.NAME, posted_to.id, arrived, body, headers)
        tried = trying.try_out(scratch, registry, of, delivery, max_body_bytes=settings.max_body_bytes)
        found = list(_records(scratch.database, zones_of(registry.all()), arrived))
    if as_json:
        output.json_line(_as_json(of, tried, found))
    else:
        _print(tried, found)
    if not tried.events and not tried.letters:
        output.note(_nothing(of))
    if tried.letters:
        raise typer.Exit(output.PARTLY if tried.events else output.FAILURE)


def _known(registry: Registry, name: str, settings: WorkerSettings) -> Connection | Endpoint:
    """The connection or endpoint of that name.

    Raises:
        typer.Exit: there is none; what to do was said on standard error.
    """
    found = registry.endpoint(name) or registry.get(name)
    if found is None:
        names = [*registry.all(), *registry.endpoints()]
        near = difflib.get_close_matches(name, names, n=1)
        known = f"there are {', '.join(names)}" if names else "there is none yet"
        output.note(f"maintenworks: no connection {name!r} in {settings.connections_path}")
        output.note(f"did you mean {near[0]}?" if near else known)
        output.note("`maintenworks connections add --help` tells how to add one, `maintenworks routes` lists sources")
        raise typer.Exit(output.NOTHING)
    return found


def _records(database: Database, zones: Zones, now: datetime) -> Iterator[dict[str, Json]]:
    for kind in KINDS.values():
        yield from found_records(database, kind, Chosen(deleted=True), zones, now, judged=True)


def _nothing(of: Connection | Endpoint) -> str:
    if isinstance(of, Connection) and not of.has_address:
        return f"nothing in it is of {of.id}: no event names {of.external_id!r} where {of.endpoint} looks"
    return "it holds no events"


def _as_json(of: Connection | Endpoint, tried: Tried, found: list[dict[str, Json]]) -> dict[str, Any]:
    return {
        "connection": of.id,
        "maps": [each._asdict() for each in tried.maps],
        "events": [_event(each) for each in tried.events],
        "records": found,
        "dead_letters": [each._asdict() for each in tried.letters],
    }


def _event(tried: TriedEvent) -> dict[str, Any]:
    event = tried.event
    return {
        "event_id": event.event_id,
        "event_index": event.index,
        "connection": event.connection_id,
        "type": event.type,
        "subject_kind": event.kind,
        "subject_key": event.key,
        "occurred_at": kept_instant(event.occurred_at),
        "version": event.version,
        "told": _completeness(tried),
        "outcome": tried.outcome,
        "warnings": list(event.warnings),
        "unmapped": tried.unmapped,
    }


def _completeness(tried: TriedEvent) -> str:
    """How much of its subject it states: `thin` asks for a fetch of the rest."""
    if tried.event.full:
        return "full"
    return "thin" if tried.event.thin else "partial"


def _print(tried: Tried, found: list[dict[str, Json]]) -> None:
    for each in tried.maps:
        output.line(f"{each.connection} reads as {each.source}, map {each.fingerprint}, from: {each.map_from}")
    output.table(_EVENTS, map(_event_line, tried.events))
    for record in found:
        output.line("")
        if record.keys() - _ENVELOPE and any(record[name] for name in record.keys() - _ENVELOPE):
            output.line(f"{record['kind']} {record['key']}")
            records.whole({name: value for name, value in record.items() if name not in {"kind", "key", "warnings"}})
        else:
            output.line(f"{record['kind']} {record['key']}, which is only named")
    _section(_WARNINGS, [_warning_line(each, one) for each in tried.events for one in each.event.warnings])
    left = [(each.event.index, *pair) for each in tried.events for pair in each.unmapped.items()]
    _section(_UNMAPPED, left)
    _section(_LETTERS, map(_letter_line, tried.letters))


def _section(columns: tuple[str, ...], rows: Any) -> None:
    lines = list(rows)
    if lines:
        output.line("")
        output.table(columns, lines)


def _event_line(tried: TriedEvent) -> tuple[object, ...]:
    event = tried.event
    subject = f"{event.kind} {event.key}"
    return (event.index, event.type, subject, event.occurred_at, tried.outcome, _completeness(tried))


def _warning_line(tried: TriedEvent, warning: dict[str, str]) -> tuple[object, ...]:
    return (tried.event.index, warning["code"], warning["path"], warning["detail"])


def _letter_line(letter: TriedLetter) -> tuple[object, ...]:
    place = _WHOLE if letter.event == WHOLE_BODY else letter.event
    return (place, letter.code, letter.path, letter.found, letter.expected or letter.message)
