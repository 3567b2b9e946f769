"""`events`: the archive, what came byte for byte, and what became of it."""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

import typer

from handlers.errors import ConfigurationError, MaintenworksError
from handlers.events import Outcome
from handlers.store.engine import Database
from handlers.store.letter import made
from handlers.store.read_deliveries import Failure, Story, delivery, stories
from handlers.store.read_events import KeptEvent, Wanted, listed_events
from worker import acts, canary
from worker.cli import acting, events_distrusted, given, looking, output
from worker.cli import dead_letters_given as asked
from worker.cli.roles import Home
from worker.queue import broker_url
from worker.queued import queued
from worker.settings import WorkerSettings
from worker.shapes import events as shapes

COLUMNS = ("received", "type", "subject", "outcome", "connection", "event", "delivery")
STEP_COLUMNS = ("at", "step", "events", "error", "by", "reason")
FAILURE_COLUMNS = ("event", "state", "code", "path", "message", "attempts", "next")
SUBJECT_HELP = "About this record: KIND/KEY such as work_order/WO-9, or a key of any kind."

Id = Annotated[str, typer.Argument(metavar="ID", help="An event's id, or a delivery's.")]

commands = typer.Typer(help="What came, byte for byte, and what became of it.", no_args_is_help=True)


@commands.command("list")
def list_(
    *,
    connection: looking.Of = None,
    type_: Annotated[str | None, typer.Option("--type", help="Of this type, such as work_order.completed.")] = None,
    outcome: Annotated[str | None, typer.Option(metavar="|".join(Outcome), help="That ended so.")] = None,
    subject: Annotated[str | None, typer.Option(help=SUBJECT_HELP)] = None,
    since: Annotated[str | None, typer.Option(metavar="T", help="That came from a date or a time on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="T", help="That came before.")] = None,
    distrusted: Annotated[
        bool,
        typer.Option("--distrusted", help="Deliveries that were taken out of the set: their events count no more."),
    ] = False,
    canaries: Annotated[
        bool,
        typer.Option(
            "--canaries", help="Our own too, one a minute; --type, --connection and --subject find them anyway."
        ),
    ] = False,
    limit: looking.Limit = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print events, those that came last first.

    Example: `maintenworks events list --connection acme --type work_order.completed --since 2026-03-01 --limit 20`

    Example: `maintenworks events list --distrusted --connection acme`
    """
    if outcome is not None and outcome not in set(Outcome):
        raise ConfigurationError([f"--outcome: one of {', '.join(Outcome)}; not {outcome!r}"])
    start, end = looking.bounds(since, until, ("--since", "--until"))
    kind, key = shapes.subject(subject)
    wanted = Wanted(connection, type_, outcome, kind, key, start, end, canaries=canaries)
    if distrusted:
        if any((type_, outcome, subject)):
            raise ConfigurationError(["--distrusted: lists deliveries, by --connection, --since and --until alone"])
        events_distrusted.show(connection, start, end, limit=limit, home=home, as_json=as_json)
        return
    with looking.opened(home) as (settings, database):
        found = itertools.islice(listed_events(database, wanted), limit)
        count = looking.json_lines(map(shapes.recorded, found)) if as_json else looking.rows(COLUMNS, map(_line, found))
        if wanted.leaves_canaries_out:
            _tell_of_canaries(settings)
    if count == 0:
        looking.nothing("no such event")


@commands.command()
def show(id_: Id, connection: looking.Of = None, home: Home = None, as_json: looking.Json = False) -> None:
    """Print what became of an event or a delivery, step by step: accepted, processed, tried again, buried, replayed.

    What is still in the broker is shown as `queued`.

    Example: `maintenworks events show evt-7 --connection acme`
    """
    with looking.opened(home) as (settings, database):
        found = stories(database, id_, connection)
        count = looking.json_lines(map(shapes.told, found)) if as_json else looking.each(found, _tell)
        if count == 0:
            count = _show_queued(settings, id_, connection, as_json=as_json)
    if count == 0:
        _unknown(id_)


@commands.command()
def raw(id_: Id, connection: looking.Of = None, home: Home = None) -> None:
    """Write the body of a delivery, or of the one that brought an event, exactly as it came.

    On a terminal, which would obey some bytes, they are spelt out.

    Example: `maintenworks events raw evt-7 --connection acme > evt-7.json`
    """
    with looking.opened(home) as (_, database):
        data = _body(database, id_, connection)
    if data is None:
        _unknown(id_)
    looking.exact(data)


@commands.command()
def replay(
    id_: Id,
    *,
    connection: looking.Of = None,
    reason: acting.Reason = None,
    who: acting.By = None,
    dry_run: asked.DryRun = False,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Have an event, or all of a delivery, worked on once more.

    That is harmless: what is applied already is a duplicate and changes nothing. What could not be applied is tried
    again; what an operator gave up or corrected stays out.

    Example: `maintenworks events replay evt-7 --connection acme --reason "map mended"`
    """
    with looking.opened(home) as (_, database):
        rows = [row for story in stories(database, id_, connection) for row in shapes.again(story, id_)]
        if not rows:
            _unknown(id_)
        if not dry_run:
            sent = acts.again(database, rows, id_, acting.operator(who, reason), datetime.now(UTC))
    told = {"id": id_, "matched": len(rows), "sent": 0 if dry_run else sent}
    if as_json:
        output.json_line(told)
    elif dry_run:
        output.line(f"{len(rows)} would be worked on again")
    else:
        output.line(f"{sent} of {len(rows)} on their way again")


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(commands, name="events", rich_help_panel="Looking")


def _body(database: Database, id_: str, connection: str | None) -> bytes | None:
    told = list(stories(database, id_, connection))
    ids = [story.delivery_id for story in told]
    if len(ids) > 1:
        raise ConfigurationError([f"{id_}: several deliveries brought such an event; name one: {', '.join(ids)}"])
    found = delivery(database, ids[0]) if ids else None
    if found is None and told and told[0].purged_at is not None:
        looking.nothing(f"{ids[0]}: {acts.purged_words(told[0].purged_at)}")
    return None if found is None else found.body


def _show_queued(settings: WorkerSettings, id_: str, connection: str | None, *, as_json: bool) -> int:
    """Prints what is still in the broker; where that does not answer, nothing is known of it."""
    try:
        found = [shapes.waiting(each) for each in queued(broker_url(settings), id_, connection)]
    except MaintenworksError as error:
        output.note(f"maintenworks: whether it is still queued is not known: {error}")
        return 0
    if as_json:
        return looking.json_lines(found)
    for one in found:
        output.table(("field", "value"), list(one.items()))
    return len(found)


def _tell_of_canaries(settings: WorkerSettings) -> None:
    """Says that they are left out, where there are any; a bad file of connections is no reason to say nothing else."""
    with contextlib.suppress(ConfigurationError):
        if canary.is_expected(given.registry(settings)):
            output.note("canaries are left out; --canaries shows them")


def _unknown(id_: str) -> NoReturn:
    looking.nothing(f"{id_}: it has not been processed yet, or never came")


def _line(event: KeptEvent) -> tuple[object, ...]:
    subject = f"{event.subject_kind} {event.subject_key}"
    return (
        event.received_at,
        event.type,
        subject,
        event.outcome,
        event.connection_id,
        event.event_id,
        event.delivery_id,
    )


def _tell(story: Story) -> None:
    """Prints a story for people."""
    fields: dict[str, Any] = {**shapes.told(story)}
    listed = [fields.pop(name) for name in ("events", "dead_letters", "retries")]
    happened, touched = fields.pop("steps"), fields.pop("touched")
    fields["touched"] = ", ".join(f"{each['kind']} {each['key']}" for each in touched) or None
    fields["replays"] = ", ".join(each["replay"] for each in fields["replays"]) or None
    output.table(("field", "value"), [(name, value) for name, value in fields.items() if value not in (None, {})])
    output.table(STEP_COLUMNS, [tuple(each.values()) for each in happened])
    if story.distrusted_at is not None:
        output.line("distrusted: an operator has taken it out of the set; it tells nothing of any state")
    elif not any(listed):
        output.line("nothing new was in it: every event of it had come before, or it held none")
    if story.events:
        output.table(COLUMNS, map(_line, story.events))
    if story.dead_letters or story.retries:
        output.table(FAILURE_COLUMNS, _failure_lines(story.dead_letters, story.retries))


def _failure_lines(letters: Sequence[Failure], retries: Sequence[Failure]) -> Iterator[tuple[object, ...]]:
    for each in letters:
        attempts = made(each["attempts"])
        yield (each["event_index"], each["state"], each["code"], each["path"], each["message"], attempts, None)
    for each in retries:
        last = each["attempts"][-1] if each["attempts"] else {}
        code, message = last.get("code"), last.get("message")
        yield (each["event_index"], "retrying", code, None, message, each["attempt"], each["due_at"])
