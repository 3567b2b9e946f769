"""Replays: dead letters sent on their way again, by a plan that is frozen first, at a pace.

A few letters are sent in a transaction. Sending writes rows that the scheduler rings for, and nothing else: what a
letter comes to is a worker's affair, and no signature is verified again.
"""

import math
import time
from collections.abc import Callable
from datetime import datetime

from handlers.events import Json
from handlers.store import replays
from handlers.store.audit import append
from handlers.store.engine import Database
from handlers.store.replays import Replay
from handlers.store.rowset import Transaction
from worker.acts import Operator, new_id
from worker.replay_plan import Plan

DEFAULT_RATE = 100
"""Letters a second: as much as one worker does beside its live work."""
STEPS_A_SECOND = 5
"""Transactions in which a second's letters are sent, so that a bar moves and a stop is heard."""
GREATEST_STEP = 500
BACKLOG = 1_000
"""Rows due and not done: above it the workers have more to do than they can, and live traffic goes first."""
BACKLOG_WAIT_SECONDS = 0.5
BACKLOG_PATIENCE_SECONDS = 5.0
"""How long a step waits for the workers to catch up; then it goes anyway, so that a replay always ends."""


def start(
    database: Database, planned: Plan, filters: dict[str, Json], operator: Operator, *, rate: int, now: datetime
) -> Replay:
    """Freezes a plan; nothing is sent yet.

    Args:
        database: where it is kept.
        planned: what is to be sent.
        filters: what was asked for, for the record.
        operator: who asked, and why.
        rate: letters a second.
        now: the clock.
    """
    told: dict[str, Json] = {"filters": filters, "matched": planned.matched, "eligible": len(planned.keys)}
    told["by"] = [dict(line._asdict()) for line in planned.lines]
    replay = Replay(
        replay_id=new_id(now),
        created_at=now,
        updated_at=now,
        who=operator.who,
        reason=operator.reason,
        plan=told,
        rate=rate,
        state=replays.RUNNING,
        total=len(planned.keys),
        sent=0,
        skipped=0,
    )
    with database.write() as connection:
        tx = Transaction(connection)
        replays.start(tx, replay, planned.keys)
        planned_as: dict[str, Json] = {"replay": replay.replay_id, **told}
        append(tx, operator.did("dead_letters.replay", planned_as, {"state": replay.state}), now)
    return replay


def run(
    database: Database,
    replay: Replay,
    *,
    clock: Callable[[], datetime],
    wait: Callable[[float], object] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    advance: Callable[[int], object] = bool,
) -> Replay:
    """Sends a replay's letters at its rate until nothing is left, or somebody stops it.

    Args:
        database: where it is kept.
        replay: as it stands; its rate may be another than it was started with.
        clock: now, as an aware UTC time.
        wait: sleeps so many seconds.
        monotonic: seconds, for the pace.
        advance: is told how many have had their turn since the last time.

    Raises:
        TransientError: the database is away; the replay can be resumed.
    """
    rate, began, done_before = replay.rate, monotonic(), replay.done
    step = max(1, min(GREATEST_STEP, math.ceil(rate / STEPS_A_SECOND)))
    while replay.state == replays.RUNNING:
        _let_live_traffic_go_first(database, clock, wait)
        was = replay.done
        with database.write() as connection:
            tx = Transaction(connection)
            replay = replays.send(tx, replay.replay_id, step, clock())
            if replay.state == replays.DONE:
                _note_end(tx, "replay_done", replay, Operator(replay.who, replay.reason), clock())
        advance(replay.done - was)
        if replay.state == replays.RUNNING:
            wait(max(0.0, began + (replay.done - done_before) / rate - monotonic()))
    return replay


def stop(database: Database, replay_id: str, operator: Operator, now: datetime) -> Replay:
    """Stops a replay: what was sent stays sent, the rest waits to be resumed.

    Raises:
        LookupError: there is none of that id.
    """
    return _turn(database, replay_id, replays.STOPPED, operator, now)


def resume(database: Database, replay_id: str, operator: Operator, now: datetime) -> Replay:
    """Has a replay that was stopped, or whose process died, run again.

    Raises:
        LookupError: there is none of that id.
    """
    return _turn(database, replay_id, replays.RUNNING, operator, now)


def _let_live_traffic_go_first(
    database: Database, clock: Callable[[], datetime], wait: Callable[[float], object]
) -> None:
    for _ in range(int(BACKLOG_PATIENCE_SECONDS / BACKLOG_WAIT_SECONDS)):
        with database.read() as connection:
            if replays.due_rows(Transaction(connection), clock(), BACKLOG) < BACKLOG:
                return
        wait(BACKLOG_WAIT_SECONDS)


def _turn(database: Database, replay_id: str, state: str, operator: Operator, now: datetime) -> Replay:
    with database.write() as connection:
        tx = Transaction(connection)
        replay, changed = replays.turn(tx, replay_id, state, now)
        if changed:
            _note_end(tx, "replay_stopped" if state == replays.STOPPED else "replay_resumed", replay, operator, now)
    return replay


def _note_end(tx: Transaction, verb: str, replay: Replay, operator: Operator, now: datetime) -> None:
    told: dict[str, Json] = {"replay": replay.replay_id, "total": replay.total}
    outcome: dict[str, Json] = {"state": replay.state, "sent": replay.sent, "skipped": replay.skipped}
    append(tx, operator.did(f"dead_letters.{verb}", told, outcome), now)
