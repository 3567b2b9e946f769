"""`dead-letters replay`: what could not be applied, sent on its way again."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from handlers.store import replays
from handlers.store.engine import Database
from handlers.store.read_candidates import candidates
from handlers.store.read_letters import Wanted
from handlers.store.replays import Replay, Standing
from handlers.store.rowset import Transaction
from worker import replay as replaying
from worker.acts import Operator
from worker.cli import acting, dead_letters_shown, given, looking, output
from worker.cli import dead_letters_given as asked
from worker.cli.roles import Home
from worker.replay_plan import plan
from worker.shapes.letters import replay_described

LOOK_AGAIN_SECONDS = 0.5
"""Between questions whether the workers are done."""

Resume = Annotated[str | None, typer.Option("--resume", metavar="ID", help="Go on with a replay that was stopped.")]
Stop = Annotated[str | None, typer.Option("--stop", metavar="ID", help="Stop one that runs, in whichever terminal.")]
Listing = Annotated[bool, typer.Option("--list", help="Print the replays there were, the newest last.")]
Rate = Annotated[
    str | None, typer.Option("--rate", metavar="N/s", help=f"Letters a second; {replaying.DEFAULT_RATE}/s otherwise.")
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait until the workers have read all of them, and say what they came to.")
]


@asked.filtered()
def replay(
    *,
    wanted: Wanted,
    rate: Rate = None,
    resume: Resume = None,
    stop: Stop = None,
    listing: Listing = False,
    wait: Wait = False,
    reason: acting.Reason = None,
    who: acting.By = None,
    dry_run: asked.DryRun = False,
    yes: asked.Yes = False,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Send dead letters on their way again, after printing what that comes to.

    Letters are sent at the rate given, live traffic first; what is applied already stays as it is, what fails again is
    open again. Ctrl-C stops it, and so does `--stop` from anywhere else; `--resume` goes on.

    Exit codes: 0 all were sent, 3 some were not, 4 there were none to send.

    Example: `maintenworks dead-letters replay --error missing_field --reason "map mended" --rate 50/s`

    Example: `maintenworks dead-letters replay --list`
    """
    if (stop is not None) + (resume is not None) + listing > 1:
        raise typer.BadParameter("give one of --stop, --resume and --list")
    pace = None if rate is None else asked.rate(rate)
    with looking.opened(home) as (settings, database):
        if listing:
            _list(database, as_json=as_json)
        elif stop is not None:
            _stop(database, stop, acting.operator(who, reason, "stopped"), as_json=as_json)
        elif resume is not None:
            operator = acting.operator(who, reason, "resumed")
            running = _turned(replaying.resume, database, resume, operator)
            running = msgspec.structs.replace(running, rate=pace or running.rate)
            _run(database, running, operator, as_json=as_json, wait=wait)
        else:
            known = given.registry(settings)
            planned = plan(candidates(database, wanted), known.all(), _now(), known.endpoints())
            if planned.matched == 0:
                looking.nothing("no such dead letter")
            if not dry_run:
                operator = acting.operator(who, reason)
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


def _list(database: Database, *, as_json: bool) -> None:
    with database.read() as connection:
        found = replays.listed(Transaction(connection))
    if as_json:
        looking.json_lines(map(replay_described, found))
    else:
        looking.rows(dead_letters_shown.REPLAY_COLUMNS, map(dead_letters_shown.replay_line, found), right=("sent",))
    if not found:
        looking.nothing("there has been no replay")


def _stop(database: Database, replay_id: str, operator: Operator, *, as_json: bool) -> None:
    """Whoever runs it sees that before its next letters."""
    stopped = _turned(replaying.stop, database, replay_id, operator)
    dead_letters_shown.replay(stopped, _standing(database, stopped), as_json=as_json)
    _say_how_to_go_on(stopped)


def _turned(
    turn: Callable[[Database, str, Operator, datetime], Replay], database: Database, replay_id: str, operator: Operator
) -> Replay:
    try:
        return turn(database, replay_id, operator, _now())
    except LookupError:
        looking.nothing(f"{replay_id}: no such replay; see --list")


def _say_how_to_go_on(replay: Replay) -> None:
    if replay.state == replays.STOPPED:
        output.note(f"stopped; go on with: maintenworks dead-letters replay --resume {replay.replay_id}")


def _run(database: Database, replay: Replay, operator: Operator, *, as_json: bool, wait: bool) -> None:
    """Sends a replay's letters with a bar, and says in the end what became of it."""
    try:
        with output.progress("replaying", replay.total) as advance:
            advance(replay.done)
            replay = replaying.run(database, replay, clock=_now, advance=advance)
        standing = _awaited(database, replay) if wait else _standing(database, replay)
    except KeyboardInterrupt:
        replay = replaying.stop(database, replay.replay_id, operator, _now())
        standing = _standing(database, replay)
    dead_letters_shown.replay(replay, standing, as_json=as_json)
    _say_how_to_go_on(replay)
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
