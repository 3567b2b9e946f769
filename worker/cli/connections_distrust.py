"""`connections revoke --distrust-since`: what a connection sent since then, taken out of the set."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from msgspec.structs import replace

from handlers.connections import Registry
from handlers.errors import ConfigurationError, MaintenworksError
from handlers.rules.times import kept_instant
from handlers.store import distrust
from handlers.store.distrust import Distrust, Reach
from handlers.store.engine import Database
from handlers.store.reading import open_database
from handlers.store.rowset import Transaction
from worker import rebuild as rebuilding
from worker.acts import Operator
from worker.cli import dead_letters_given, given, looking, output
from worker.cli import rebuild as rebuild_command
from worker.rebuilt import Rebuilt
from worker.settings import WorkerSettings

OPTION = "--distrust-since"

Since = Annotated[
    str | None,
    typer.Option(OPTION, metavar="T", help="Also undo what it sent from a date or a time on, and keep that out."),
]


def planned(
    settings: WorkerSettings, connection_id: str, since: str, operator: Operator, *, as_json: bool, dry_run: bool
) -> Distrust:
    """Says what would be taken out of the set; until when is that the connection's sender counts as somebody else.

    Raises:
        ConfigurationError: the time is none, or is still to come.
        ServiceUnreachableError: the database does not answer.
    """
    now = datetime.now(UTC)
    start = looking.moment(since, OPTION)
    if start > now:
        raise ConfigurationError([f"{OPTION}: {since} is still to come"])
    registry = given.registry(settings)
    own = registry.get(connection_id)
    if own is not None and own.endpoint is not None:
        output.note(
            f"its part of what came in at {own.endpoint}, which others share, leaves the set as well; theirs stays,"
            f" unless {own.endpoint} itself is distrusted"
        )
    elif own is None:
        output.note(
            f"an address that is shared; it is distrusted for all: {_named(_concerned(registry, connection_id))}"
        )
    asked = Distrust(
        connection_id=connection_id,
        since=start,
        until=now + distrust.CLOCKS_APART,
        at=now,
        who=operator.who,
        reason=operator.reason,
    )
    database = open_database(settings.database)
    try:
        with database.read() as session:
            found = distrust.reach(Transaction(session), asked)
    finally:
        database.close()
    if as_json:
        output.json_line({"plan": "distrust", "dry_run": dry_run, **_asked(asked), **_reach(found)})
    else:
        output.line(f"of {connection_id}, received since {kept_instant(start)}, would leave the set: {_said(found)}")
        output.line("the state is then computed anew without them; their bytes stay in the archive")
    return asked


def agreed(asked: Distrust, *, yes: bool) -> None:
    """Asks on a terminal before anything is done.

    Raises:
        typer.Exit: the answer is no.
    """
    dead_letters_given.agreed(f"Revoke {asked.connection_id}, and distrust what it sent?", yes=yes)


def carried_out(settings: WorkerSettings, asked: Distrust, *, as_json: bool) -> bool:
    """Takes the deliveries out of the set and computes the connection's state anew; says what that came to.

    Returns:
        False where it could not be done, which was said on standard error; the command can be run again. Nothing has
        changed then, or of an address that is shared the state of some connections.
    """
    now = datetime.now(UTC)
    asked = replace(asked, until=now + distrust.CLOCKS_APART, at=now)
    try:
        database = open_database(settings.database)
        try:
            _carry_out(database, settings, asked, as_json=as_json)
        finally:
            database.close()
    except MaintenworksError as error:
        output.refuse(error)
        output.note(f"{asked.connection_id} is revoked, but what it sent is still in the set; run the command again")
        return False
    return True


def _carry_out(database: Database, settings: WorkerSettings, asked: Distrust, *, as_json: bool) -> None:
    registry = given.registry(settings)
    reached: Reach | None = None
    rebuilt: dict[str, Rebuilt] = {}
    for each in _concerned(registry, asked.connection_id):
        read = rebuild_command.archive(registry, settings, each)
        how = rebuild_command.recipe(settings, read)
        with rebuild_command.bar(each) as lined_up:
            if reached is None:
                reached, rebuilt[each] = rebuilding.without(database, read, asked, lined_up, how)
            else:
                rebuilt[each] = rebuilding.run(database, read, Operator(asked.who, asked.reason), lined_up, how)
    if reached is None:
        reached = rebuilding.taken_out(database, asked)
    if as_json:
        told = {each: made.told for each, made in rebuilt.items()}
        own = told.get(asked.connection_id, told)
        output.json_line({"done": "distrusted", **_asked(asked), **_reach(reached), "rebuilt": own})
        return
    output.line(f"distrusted {asked.connection_id}: {_said(reached)}")
    for each, made in rebuilt.items():
        output.line(f"{each}: {rebuild_command.summary(made)}")
    output.line(f"what it sends from {kept_instant(asked.until)} on counts again, once it is added again")


def _concerned(registry: Registry, name: str) -> list[str]:
    """Whose state is computed anew: the connection's own; of an address that is shared, that of all who share it."""
    known = registry.all()
    return [name] if name in known else sorted(each.id for each in known.values() if each.endpoint == name)


def _named(ids: Sequence[str]) -> str:
    return ", ".join(ids) or "nobody shares it any more"


def _asked(asked: Distrust) -> dict[str, Any]:
    return {
        "connection": asked.connection_id,
        "since": kept_instant(asked.since),
        "until": kept_instant(asked.until),
    }


def _reach(found: Reach) -> dict[str, Any]:
    return {
        "deliveries": found.deliveries,
        "distrusted_before": found.marked,
        "shared": found.shared,
        "events": found.events,
        "dead_letters": found.letters,
        "waiting": found.waiting,
    }


def _said(found: Reach) -> str:
    before = f" ({found.marked} had left it before)" if found.marked else ""
    waiting = f", {found.waiting} on their way" if found.waiting else ""
    parts = f" and its part of {found.shared} that others share" if found.shared else ""
    held = f"{found.events} events, {found.letters} dead letters{waiting}"
    return f"{found.deliveries} deliveries{before}{parts} with {held}"
