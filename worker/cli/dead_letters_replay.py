"""`dead-letters replay`: what could not be applied, sent on its way again."""

import time
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from handlers.store import read_letters, replays
from handlers.store.engine import Database
from handlers.store.replays import Replay, Standing
from handlers.store.rowset import Transaction
from worker import replay as replaying
from worker.acts import Operator
from worker.cli import dead_letters_given as asked
from worker.cli import dead_letters_shown, given, looking, output
from worker.cli.roles import Home

LOOK_AGAIN_SECONDS = 0.5
"""Between questions whether the workers are done."""

Resume = Annotated[str | None, typer.Option("--resume", metavar="ID", help="Go on with a replay that was stopped.")]
Rate = Annotated[
    str | None, typer.Option("--rate", metavar="N/s", help=f"Letters a second; {replaying.DEFAULT_RATE}/s otherwise.")
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait until the workers have read all of them, and say what they came to.")
]


def replay(
    *,
    connection: looking.Of = None,
    type_: asked.Type = None,
    error: asked.Error = None,
    fingerprint: asked.Fingerprint = None,
    since: asked.Since = None,
    until: asked.Until = None,
    ids: asked.Ids = None,
    state: asked.State = None,
    rate: Rate = None,
    resume: Resume = None,
    wait: Wait = False,
    reason: asked.Reason = None,
    who: asked.By = None,
    dry_run: asked.DryRun = False,
    yes: asked.Yes = False,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Send dead letters on their way again, after printing what that comes to.

    Letters are sent at the rate given, live traffic first; what is applied already stays as it is, what fails again is
    open again. Ctrl-C stops it; `--resume` goes on.

    Example: `maintenworks dead-letters replay --error missing_field --reason "map mended" --rate 50/s`
    """
    pace = None if rate is None else asked.rate(rate)
    wanted = asked.wanted(
        connection=connection,
        type_=type_,
        error=error,
        fingerprint=fingerprint,
        since=since,
        until=until,
        ids=ids,
        state=state,
    )
    with looking.opened(home) as (settings, database):
        if resume is not None:
            operator = asked.operator(who, reason or "resumed")
            try:
                running = replaying.resume(database, resume, operator, _now())
            except LookupError:
                looking.nothing(f"{resume}: no such replay")
            running = msgspec.structs.replace(running, rate=pace or running.rate)
            _run(database, running, operator, as_json=as_json, wait=wait)
            return
        known = given.registry(settings).all()
        planned = replaying.plan(read_letters.listed(database, wanted), known, _now())
        if planned.matched == 0:
            looking.nothing("no such dead letter")
        if not dry_run:
            operator = asked.operator(who, reason)
        dead_letters_shown.plan(planned, as_json=as_json)
        if dry_run:
            return
        if not planned.keys:
            looking.nothing("none of them can be replayed")
        pace = pace or replaying.DEFAULT_RATE
        asked.agreed(f"Replay {len(planned.keys)} letters at {pace}/s?", yes=yes)
        running = replaying.start(database, planned, asked.filters(wanted), operator, rate=pace, now=_now())
        _run(database, running, operator, as_json=as_json, wait=wait)
    if planned.matched > len(planned.keys):
        raise typer.Exit(output.PARTLY)


def _run(database: Database, replay: Replay, operator: Operator, *, as_json: bool, wait: bool) -> None:
    """Sends a replay's letters with a bar, and says in the end what became of it."""
    try:
        with output.progress("replaying", replay.total) as advance:
            advance(replay.done)
            replay = replaying.run(database, replay, clock=_now, advance=advance)
        standing = _awaited(database, replay) if wait else _standing(database, replay)
    except KeyboardInterrupt:
        replay = replaying.stop(database, replay.replay_id, operator, _now())
        if replay.state != replays.DONE:
            output.note(f"stopped; go on with: maintenworks dead-letters replay --resume {replay.replay_id}")
        standing = _standing(database, replay)
    dead_letters_shown.replay(replay, standing, as_json=as_json)
    if replay.state != replays.DONE or replay.skipped or (wait and (standing.open or standing.on_their_way)):
        raise typer.Exit(output.PARTLY)


def _standing(database: Database, replay: Replay) -> Standing:
    with database.read() as connection:
        return replays.standing(Transaction(connection), replay.replay_id)


def _awaited(database: Database, replay: Replay) -> Standing:
    """What became of a replay's letters, once no worker has any of them left."""
    with output.progress("the workers read them", replay.sent) as advance:
        seen = 0
        while (standing := _standing(database, replay)).on_their_way and replay.state == replays.DONE:
            settled = standing.applied + standing.open
            advance(settled - seen)
            seen = settled
            time.sleep(LOOK_AGAIN_SECONDS)
    return standing


def _now() -> datetime:
    return datetime.now(UTC)
