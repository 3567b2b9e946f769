"""`rebuild`: state computed anew from the archive, or compared with it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Annotated

import typer

from handlers import sources
from handlers.connections import Registry
from handlers.rules.times import kept_instant
from handlers.store import standing
from handlers.store.engine import Database
from handlers.store.purged import checkpoint_of
from handlers.store.rowset import Transaction
from worker import rebuild as rebuilding
from worker import rebuild_check as checking
from worker.acts import Operator
from worker.cli import acting, given, looking, output
from worker.cli.roles import Home
from worker.rebuild_check import Checked, Finding
from worker.rebuild_hands import Recipe
from worker.rebuilt import Rebuilt
from worker.rereading import Archive, LinedUp, addresses
from worker.settings import WorkerSettings
from worker.units import Reader

WORTH_SAYING_SECONDS = 1.0
"""What writers have to wait for, and hardly anybody notices."""
UNSAID = "asked for by hand"
"""Reason of a rebuild for which none is given: it changes what is wrong, and nothing else."""

Check = Annotated[bool, typer.Option("--check", help="Compare only; exit code 1 on a difference.")]


def rebuild(
    *,
    check: Check = False,
    connection: looking.Of = None,
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Compute state anew from the archive, by the maps of now; only rows that differ are written.

    Dead letters that can be read now are applied; what can no longer be read becomes one. What an operator gave up or
    corrected stays out, and what is on its way stays there. Workers go on meanwhile, and readers see the old state;
    only for the switch at the end, a connection at a time, do writers wait, as in an outage of the database: a second
    or two, or longer where much has changed. Stopped or killed, it leaves the connection it was at as it stood: run it
    again. It takes temporary room about twice as large as the state: on PostgreSQL there, else in a folder that
    SQLITE_TMPDIR names.

    Of deliveries whose bytes are purged (ARCHIVE_RETENTION) it begins with the checkpoint, and says so: they stay as
    they were read then, whatever the maps of now would make of them.

    With --check nothing is written and nobody waits. Rows that an older map explains are counted apart, and are no
    difference.

    Example: `maintenworks rebuild --check`

    Example: `maintenworks rebuild --connection acme --reason "status map mended"`
    """
    with looking.opened(home) as (settings, database):
        registry = given.registry(settings)
        if connection is None:
            wanted, unread = _all(database, registry)
        else:
            wanted, unread = [given.connection(registry, connection, settings).id], []
        archives = [archive(registry, settings, each) for each in wanted]
        if check:
            done = [_check(database, each, recipe(settings, each), as_json=as_json) for each in archives]
        else:
            operator = acting.operator(who, reason, UNSAID)
            done = [_rebuild(database, each, operator, recipe(settings, each), as_json=as_json) for each in archives]
    if not all(done):
        raise typer.Exit(output.FAILURE)
    if unread:
        raise typer.Exit(output.PARTLY)


def archive(registry: Registry, settings: WorkerSettings, connection_id: str) -> Archive:
    """How the archive of a registered connection is read now."""
    known = registry.get(connection_id)
    assert known is not None, "the caller has looked"
    reader = Reader(registry, sources.load(), max_body_bytes=settings.max_body_bytes)
    return Archive(known, reader, datetime.now(UTC))


def recipe(settings: WorkerSettings, read: Archive) -> Recipe:
    """How other processes read the same archive."""
    return Recipe(
        database_url=settings.database,
        connections=settings.connections_path,
        home=settings.home,
        connection_id=read.connection.id,
        max_body_bytes=settings.max_body_bytes,
        now=read.now,
        fingerprint=read.fingerprint,
    )


@contextmanager
def bar(connection_id: str) -> Iterator[LinedUp]:
    """Progress bars, one after another, each of which learns on its way how much there is."""
    stages = chain(("reading", "folding"), repeat("reading"))
    with ExitStack() as stack:

        def lined_up(total: int) -> Callable[[int], object]:
            stack.close()
            return stack.enter_context(output.progress(f"{next(stages)} {connection_id}", total))

        yield lined_up


def summary(rebuilt: Rebuilt) -> str:
    """What a rebuild came to, for people."""
    rows = [f"{number} {problem}" for problem, number in sorted(rebuilt.rows.items())]
    events = [f"{number} {problem}" for problem, number in sorted(rebuilt.events.items())]
    letters = [f"{number} {fate}" for fate, number in sorted(rebuilt.failures.items()) if number]
    parts = (("rows", rows), ("events", events), ("dead letters", letters))
    said = "; ".join(f"{name}: {', '.join(counts)}" for name, counts in parts if counts)
    return f"{rebuilt.deliveries} deliveries read; {said or 'nothing differed'}"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Operating")(rebuild)


def _rebuild(database: Database, read: Archive, operator: Operator, how: Recipe, *, as_json: bool) -> bool:
    begun = _begun(database, read, as_json=as_json)
    with bar(read.connection.id) as lined_up:
        rebuilt = rebuilding.run(database, read, operator, lined_up, how)
    if as_json:
        held = {"held_s": round(rebuilt.held_s, 3)}
        output.json_line({"connection": read.connection.id, **rebuilt.told, **begun, **held})
    else:
        output.line(f"{read.connection.id}: {summary(rebuilt)}")
        if rebuilt.held_s >= WORTH_SAYING_SECONDS:
            output.note(f"{read.connection.id}: writers waited {rebuilt.held_s:.1f} s")
    return True


def _begun(database: Database, read: Archive, *, as_json: bool) -> dict[str, object]:
    """Where it begins; says so if that is not with the first delivery."""
    with database.read() as session:
        kept = checkpoint_of(Transaction(session), addresses(read.connection))
    if kept is None:
        return {"checkpoint": None}
    newest = kept_instant(kept.newest)
    if not as_json:
        output.note(
            f"{read.connection.id}: starts from the checkpoint of {newest}: {kept.deliveries} deliveries up to then,"
            " whose bytes are purged, are kept as they were read"
        )
    return {"checkpoint": {"deliveries": kept.deliveries, "newest": newest}}


def _check(database: Database, read: Archive, how: Recipe, *, as_json: bool) -> bool:
    """Says whether nothing differs."""
    tell = _finding_json if as_json else _finding
    begun = _begun(database, read, as_json=as_json)
    with bar(read.connection.id) as lined_up:
        checked = checking.check(database, read, tell, lined_up, how)
    if as_json:
        output.json_line({**checked._asdict(), **begun})
    else:
        output.line(_checked(checked))
    return checked.differences == 0


def _finding_json(finding: Finding) -> None:
    output.json_line(finding.told)


def _finding(finding: Finding) -> None:
    fields = f": {', '.join(finding.fields)}" if finding.fields else ""
    output.line(f"{finding.connection}: {finding.kind} {finding.key} {finding.problem}{fields}")


def _checked(checked: Checked) -> str:
    said = f"{checked.connection}: {checked.deliveries} deliveries read; {checked.differences} differences"
    if checked.older_map_events:
        said += f"; {checked.older_map_events} events of an older map, by which {checked.older_map} rows differ"
    if checked.readable:
        said += f"; {checked.readable} events of dead letters can be read now"
    return said


def _all(database: Database, registry: Registry) -> tuple[list[str], list[str]]:
    """The connections whose archive can be read; and those that have events, and that nobody registers any more."""
    known = registry.all()
    addresses = standing.addresses(database)
    wanted = sorted(each.id for each in known.values() if {each.id, each.endpoint} & addresses)
    unread = sorted(standing.connections(database) - known.keys())
    for each in unread:
        output.note(f"{each}: left as it stands: no such connection is registered, so that its events cannot be read")
    return wanted, unread
