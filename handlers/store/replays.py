"""Replays: a selection of dead letters, frozen when it was made, sent on its way a few at a time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from handlers.events import WHOLE_BODY, Json
from handlers.store import letter_acts
from handlers.store.dead_letters import OPEN, REPLAYED
from handlers.store.retries import RowId
from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters, events, replay_items, replays, retries

RUNNING, STOPPED, DONE = "running", "stopped", "done"
PENDING, SENT, SKIPPED = "pending", "sent", "skipped"
PIECE = 1_000
"""Items written by one statement."""


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A replay as it stands; its members are its columns."""

    replay_id: str
    created_at: datetime
    updated_at: datetime
    who: str
    reason: str
    plan: dict[str, Json]
    rate: int
    state: str
    total: int
    sent: int
    skipped: int

    @property
    def done(self) -> int:
        """How many items have had their turn."""
        return self.sent + self.skipped


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of the letters that a replay has sent so far.

    Attributes:
        on_their_way: not worked on yet, or tried again after a failure for now.
        open: have failed again.
        applied: neither: they are applied, or were found to be duplicates.
    """

    on_their_way: int
    open: int
    applied: int


def start(tx: Transaction, replay: Replay, keys: Sequence[RowId]) -> None:
    """Freezes a replay's selection."""
    tx.insert(replays, [msgspec.structs.asdict(replay)])
    for begin in range(0, len(keys), PIECE):
        tx.insert(
            replay_items,
            [
                {
                    "replay_id": replay.replay_id,
                    "position": begin + number,
                    "delivery_id": delivery_id,
                    "event_index": index,
                    "state": PENDING,
                }
                for number, (delivery_id, index) in enumerate(keys[begin : begin + PIECE])
            ],
        )


def find(tx: Transaction, replay_id: str) -> Replay | None:
    """A replay; None where there is none of that id."""
    return _found(tx, replay_id, lock=False)


def listed(tx: Transaction) -> list[Replay]:
    """Every replay, the oldest first: their ids sort by time."""
    names = Replay.__struct_fields__
    found = tx.connection.execute(sa.select(*(replays.c[name] for name in names)).order_by(replays.c.replay_id))
    return [Replay(**dict(zip(names, row, strict=True))) for row in found]


def send(tx: Transaction, replay_id: str, limit: int, now: datetime) -> Replay:
    """Sends the next few letters of a running replay; whoever else sends for it waits meanwhile.

    Returns:
        The replay as it stands then: done once nothing is left.

    Raises:
        LookupError: there is none of that id.
    """
    replay = _locked(tx, replay_id)
    if replay.state != RUNNING:
        return replay
    wanted = (
        sa.select(replay_items.c.position, replay_items.c.delivery_id, replay_items.c.event_index)
        .where(replay_items.c.replay_id == replay_id, replay_items.c.position >= replay.done)
        .order_by(replay_items.c.position)
        .limit(limit)
    )
    items = list(tx.connection.execute(wanted))
    sent = set(letter_acts.send_again(tx, [(row.delivery_id, row.event_index) for row in items], now, replay_id))
    marks = [
        {
            "replay_id": replay_id,
            "position": row.position,
            "state": SENT if (row.delivery_id, row.event_index) in sent else SKIPPED,
        }
        for row in items
    ]
    tx.update(replay_items, marks, ("replay_id", "position"))
    skipped = len(items) - len(sent)
    done = replay.done + len(items)
    return _changed(
        tx,
        msgspec.structs.replace(
            replay,
            sent=replay.sent + len(sent),
            skipped=replay.skipped + skipped,
            state=DONE if done >= replay.total else RUNNING,
            updated_at=now,
        ),
    )


def turn(tx: Transaction, replay_id: str, state: str, now: datetime) -> tuple[Replay, bool]:
    """Stops a running replay, or lets a stopped one run again; one that is done stays so.

    Returns:
        The replay as it stands then, and whether this changed it.

    Raises:
        LookupError: there is none of that id.
    """
    replay = _locked(tx, replay_id)
    if replay.state in {DONE, state}:
        return replay, False
    return _changed(tx, msgspec.structs.replace(replay, state=state, updated_at=now)), True


def standing(tx: Transaction, replay_id: str) -> Standing:
    """What has become of the letters that a replay has sent and no later one has sent again."""
    on_its_way = (
        sa.exists()
        .where(retries.c.delivery_id == dead_letters.c.delivery_id)
        .where(retries.c.event_index.in_([dead_letters.c.event_index, WHOLE_BODY]))
    )
    statement = (
        sa.select(dead_letters.c.state, on_its_way, sa.func.count())
        .join_from(
            replay_items,
            dead_letters,
            sa.and_(
                replay_items.c.delivery_id == dead_letters.c.delivery_id,
                replay_items.c.event_index == dead_letters.c.event_index,
                replay_items.c.replay_id == dead_letters.c.replay_id,
            ),
        )
        .where(replay_items.c.replay_id == replay_id, replay_items.c.state == SENT)
        .group_by(dead_letters.c.state, on_its_way)
    )
    counted = {"on_their_way": 0, "open": 0, "applied": 0}
    for state, waits, count in tx.connection.execute(statement):
        if state == OPEN:
            counted["open"] += count
        elif state == REPLAYED:
            counted["on_their_way" if waits else "applied"] += count
    return Standing(**counted)


def under_way(tx: Transaction, deliveries: Iterable[str]) -> set[RowId]:
    """The letters of some deliveries that an operator's replay has sent, and that nothing was recorded from yet."""
    recorded = sa.exists().where(
        events.c.delivery_id == dead_letters.c.delivery_id,
        dead_letters.c.event_index.in_([events.c.event_index, WHOLE_BODY]),
    )
    wanted = [{"delivery_id": each} for each in sorted(set(deliveries))]
    if not wanted:
        return set()
    source = tx.rows(dead_letters, ("delivery_id",))
    statement = (
        sa.select(dead_letters.c.delivery_id, dead_letters.c.event_index)
        .join_from(dead_letters, source, dead_letters.c.delivery_id == source.c.delivery_id)
        .where(dead_letters.c.state == REPLAYED, dead_letters.c.replay_id.is_not(None), ~recorded)
    )
    return {(row.delivery_id, row.event_index) for row in tx.run(statement, wanted)}


def due_rows(tx: Transaction, now: datetime, limit: int) -> int:
    """How many rows of `retries` are due and not done yet, counted up to a limit."""
    due = sa.select(retries.c.delivery_id).where(retries.c.due_at <= now).limit(limit).subquery()
    return int(tx.connection.execute(sa.select(sa.func.count()).select_from(due)).scalar_one())


def _found(tx: Transaction, replay_id: str, *, lock: bool) -> Replay | None:
    names = Replay.__struct_fields__
    rows = tx.select(replays, [{"replay_id": replay_id}], names, lock=lock)
    values: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows]
    return Replay(**values[0]) if values else None


def _locked(tx: Transaction, replay_id: str) -> Replay:
    replay = _found(tx, replay_id, lock=True)
    if replay is None:
        raise LookupError(replay_id)
    return replay


def _changed(tx: Transaction, replay: Replay) -> Replay:
    names = ("replay_id", "updated_at", "state", "sent", "skipped")
    tx.update(replays, [{name: getattr(replay, name) for name in names}], ("replay_id",))
    return replay
