"""Down time told by work orders: the spells in which an order says that its asset stands.

The rule is the contract's (section 5, `asset_down`): a spell runs while `asset_down` is true and the order is being
dealt with, starting at the first fact after which both hold and ending at the fact after which either fails.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from handlers.rules.order import occurred_at, word
from handlers.rules.registers import Record
from handlers.rules.times import kept_instant, parse_instant
from handlers.rules.trail import Step

DOWN_STATUSES = frozenset({"approved", "scheduled", "in_progress", "on_hold"})
"""While in one of these an order with `asset_down` keeps its asset down; waiting for parts is down time too."""
PLANNED_TYPES = frozenset({"preventive", "inspection", "calibration"})
"""Orders of these types stop the asset on purpose, and only once work begins."""


class Spell(msgspec.Struct, frozen=True):
    """One stretch of down time of an order, times in kept form.

    Attributes:
        started_at: when it began.
        ended_at: when it ended; None while it lasts.
        void: it never counted: the order was deleted, or cancelled before any work.
        planned: the stop was on purpose.
        failure: it is part of the order's one failure: readers count it once for all spells of the order.
    """

    started_at: str
    ended_at: str | None
    void: bool
    planned: bool
    failure: bool


class _Run(msgspec.Struct):
    start: datetime
    end: datetime | None = None
    work_begun: bool = False
    cancelled: bool = False


def spells(record: Record) -> list[Spell]:
    """The spells of one work order, oldest first in the order of facts."""
    if not any(kept.get("asset_down") for _, kept in record.trail):
        return []
    planned = record.fields.get("type") in PLANNED_TYPES
    runs = _runs(record.trail, planned=planned)
    deleted = record.fields.get("is_deleted") is True
    counting = [] if deleted else [run for run in runs if not (run.cancelled and not run.work_begun)]
    if counting:
        start = parse_instant(record.fields.get("malfunction_start_at"))
        end = parse_instant(record.fields.get("malfunction_end_at"))
        counting[0].start = start or counting[0].start
        ended = [run for run in counting if run.end is not None]
        if ended and end is not None:
            ended[-1].end = end
    kept = {id(run) for run in counting}
    return [
        Spell(
            started_at=kept_instant(run.start),
            ended_at=None if run.end is None else kept_instant(run.end),
            void=id(run) not in kept,
            planned=planned,
            failure=id(run) in kept and not planned,
        )
        for run in runs
    ]


def _runs(trail: Sequence[Step], *, planned: bool) -> list[_Run]:
    """Walks the facts once and cuts the stretches in which the order keeps its asset down."""
    runs: list[_Run] = []
    open_run: _Run | None = None
    down: bool = False
    status: str | None = None
    for stamp, kept in trail:
        if "asset_down" in kept:
            down = kept["asset_down"] is True
        if "status" in kept:
            status = word(kept["status"])
        holds = down and status in DOWN_STATUSES
        if open_run is None:
            if holds and (not planned or status == "in_progress"):
                open_run = _Run(start=occurred_at(stamp))
                runs.append(open_run)
        elif not holds:
            open_run.end = parse_instant(kept.get("completed_at")) or occurred_at(stamp)
            open_run.cancelled = status == "cancelled"
            open_run = None
        if open_run is not None and status == "in_progress":
            open_run.work_begun = True
    return runs
