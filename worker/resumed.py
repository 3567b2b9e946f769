"""What a paused connection's deliveries wait for: once it is resumed they are due at once, not at their next look."""

from collections.abc import Callable, Collection
from datetime import datetime

from handlers.store.engine import Database
from handlers.store.retries import bring_forward, kept_between
from handlers.store.rowset import Transaction
from worker.scheduler import BEAT, RING_LIMIT, ROUNDS, Tick
from worker.units import PAUSE

MOST = RING_LIMIT * ROUNDS
"""Rows of one beat: as many as are rung for in one."""
BEATS = 4
"""How often a resumed connection is looked at: for up to 2 seconds a worker may still believe that it is paused."""
LATELY = BEATS * BEAT
"""How far back it is looked for what was kept: of a pause between two beats nothing else tells. Not farther, for of a
long one there may be a million rows."""


def resumed_rows(database: Database, paused: Callable[[], Collection[str]], clock: Callable[[], datetime]) -> Tick:
    """The tick that notices which connections have been resumed since its last run, and which have been in between.

    One that it does not notice, because nobody led when it happened, is looked at again within `PAUSE`.

    Args:
        database: where the rows are.
        paused: the ids of those that are paused now.
        clock: now, as an aware UTC time.
    """
    seen: set[str] = set()
    resumed: dict[str, int] = {}

    def work() -> int:
        lately = _kept_lately(database, clock())
        now_paused = set(paused())
        resumed.update(dict.fromkeys((seen | lately) - now_paused, BEATS))
        seen.clear()
        seen.update(now_paused)
        total = 0
        for connection_id in sorted(resumed):
            moved = 0 if connection_id in seen else _bring(database, connection_id, clock())
            total += moved
            resumed[connection_id] -= moved < MOST
            if connection_id in seen or not resumed[connection_id]:
                del resumed[connection_id]
        return total

    return Tick("resumed_rows", BEAT, work)


def _kept_lately(database: Database, now: datetime) -> set[str]:
    with database.read() as connection:
        return kept_between(Transaction(connection), now + PAUSE - LATELY, now + PAUSE + LATELY)


def _bring(database: Database, connection_id: str, now: datetime) -> int:
    """As many as are rung for in one beat; the others have their turn in the next."""
    with database.write() as connection:
        return bring_forward(Transaction(connection), connection_id, now=now, within=PAUSE, limit=MOST)
