"""How long dead letters are kept once they are settled: for ever, unless `DEAD_LETTER_RETENTION` says otherwise."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from handlers.events import Json
from handlers.rules.durations import read_duration
from handlers.rules.times import kept_instant
from handlers.settings import PREFIX
from handlers.store.audit import append
from handlers.store.engine import Database
from handlers.store.letter_retention import expire
from handlers.store.rowset import Transaction
from worker.acts import Operator
from worker.scheduler import LEADERSHIP, Tick

EVERY = timedelta(hours=1)
PIECE = 500
"""Letters removed in one transaction."""
BUDGET_SECONDS = LEADERSHIP.total_seconds() / 4
"""How long one round may take: the leader must say that it leads, and rings for nothing meanwhile."""


def expired_letters(
    database: Database,
    kept: str,
    clock: Callable[[], datetime],
    monotonic: Callable[[], float] = time.monotonic,
) -> Tick:
    """The tick that removes dead letters which are settled and old, each transaction with its row in the audit log.

    Args:
        database: where they are.
        kept: how long they are kept, such as `90d`.
        clock: now, as an aware UTC time.
        monotonic: seconds.
    """
    age = read_duration(kept)
    operator = Operator("scheduler", f"{PREFIX}DEAD_LETTER_RETENTION is {kept}")

    def remove() -> int:
        now = clock()
        with database.write() as connection:
            tx = Transaction(connection)
            removed = expire(tx, now - age, PIECE)
            by: list[Json] = [
                {"state": state, "error": error, "letters": count} for (state, error), count in sorted(removed.items())
            ]
            if by:
                told: dict[str, Json] = {"older_than": kept, "before": kept_instant(now - age)}
                append(tx, operator.did("dead_letters.expire", told, {"removed": removed.total(), "by": by}), now)
        return removed.total()

    def work() -> int:
        end, total = monotonic() + BUDGET_SECONDS, 0
        while True:
            removed = remove()
            total += removed
            if removed < PIECE or monotonic() >= end:
                return total

    return Tick("expired_letters", EVERY, work)
