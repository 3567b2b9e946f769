"""The figures of maintenance work: how much of it was planned, corrective or done again, and whether it kept its week.

Variants (`reference/kpi.md` 1.2), hours being those of `handlers.rules.actuals.actual_labor`, of orders that were
finished in the window; ratios are made last, from sums, and are null where nothing was done:

- planned maintenance percentage: hours of planned types over hours of all but projects (UpKeep; EN 15341 O5);
- corrective ratio: corrective over corrective and planned types (ISO 22400-2);
- rework: hours of corrective orders that were reopened over the same whole (SMRP 4.1, in hours and not in counts);
- schedule compliance: orders that stood in a week's plan as it was when the week began and were finished in that week,
  over all that stood there (SMRP; the list is frozen weekly). What was put into a running week is in neither;
- ready backlog: hours foreseen of what could be begun over a week's hours of the crew, in weeks (SMRP 5.4.9).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta, tzinfo

import msgspec

from handlers.rules.actuals import actual_labor, estimated_labor
from handlers.rules.lifecycle import FINISHED, REOPENED, UNFINISHED, Transition, moves, transitions
from handlers.rules.order import occurred_at, word
from handlers.rules.pm_forecast import monday
from handlers.rules.recurrence import instant, local_day
from handlers.rules.registers import Record
from handlers.rules.times import parse_instant
from handlers.rules.trail import Step
from handlers.rules.work_times import instant as moved_at

PLANNED = frozenset({"preventive", "predictive", "inspection", "calibration"})
CORRECTIVE, PROJECT = "corrective", "project"
REQUESTS = frozenset({"request", "notification"})
"""Records that ask for work and are none: what becomes of one is an order of its own, which would count again."""
READY = frozenset({"approved", "scheduled"})
"""What could be begun: not asked for only, not begun, not waiting for anything."""
HOUR_S = 3600
WEEK = timedelta(days=7)
Values = dict[str, float | int | None]


class Window(msgspec.Struct, frozen=True):
    """Of which time the work is.

    Attributes:
        since: its start (UTC); weeks count that begin in it.
        until: its end, itself excluded.
        now: weeks count that are over; what is ready is so now.
    """

    since: datetime
    until: datetime
    now: datetime


class WorkFigures(msgspec.Struct, frozen=True):
    """Sums over orders, in seconds of work; those of parts add up.

    Attributes:
        finished: orders finished in the window, projects left out.
        without_hours: of those the ones whose hours nobody said.
        work: seconds of work on them.
        planned: of that on planned types.
        corrective: of that on corrective ones.
        rework: of that on those which were reopened.
        scheduled: times that an order stood in a week's plan when the week began.
        kept: of those the ones at which it was finished in that week.
        ready: orders that could be begun now.
        ready_without_estimate: of those the ones whose hours nobody foresaw.
        ready_work: seconds foreseen of the others.
    """

    finished: int = 0
    without_hours: int = 0
    work: int = 0
    planned: int = 0
    corrective: int = 0
    rework: int = 0
    scheduled: int = 0
    kept: int = 0
    ready: int = 0
    ready_without_estimate: int = 0
    ready_work: int = 0

    def row(self, capacity_h: float | None = None) -> Values:
        """The figures under their printed names; ratios from 0 to 1.

        Args:
            capacity_h: hours of work that the crew has in a week; None where nobody configured any.
        """
        return {
            "orders_finished": self.finished,
            "orders_without_hours": self.without_hours,
            "work_h": self.work / HOUR_S,
            "planned_h": self.planned / HOUR_S,
            "corrective_h": self.corrective / HOUR_S,
            "rework_h": self.rework / HOUR_S,
            "planned_maintenance_ratio": _ratio(self.planned, self.work),
            "corrective_ratio": _ratio(self.corrective, self.corrective + self.planned),
            "rework_ratio": _ratio(self.rework, self.work),
            "scheduled": self.scheduled,
            "scheduled_kept": self.kept,
            "schedule_compliance": _ratio(self.kept, self.scheduled),
            "ready_orders": self.ready,
            "ready_without_estimate": self.ready_without_estimate,
            "ready_h": self.ready_work / HOUR_S,
            "weekly_capacity_h": capacity_h,
            "ready_backlog_weeks": self.ready_work / HOUR_S / capacity_h if capacity_h else None,
        }


def work_figures(order: Record, window: Window, zone: tzinfo) -> WorkFigures:
    """What one order adds to the figures of a window; a deleted one nothing, nor one that is only a request.

    Args:
        order: its registers.
        window: of which time.
        zone: where its weeks begin.
    """
    fields = order.fields
    if fields.get("is_deleted") is True or fields.get("record_kind") in REQUESTS:
        return WorkFigures()
    found = transitions(moves(order.trail))
    done = _finished_at(order, found)
    hours = actual_labor(fields)
    type_ = word(fields.get("type"))
    counts = done is not None and window.since <= done < min(window.until, window.now) and type_ != PROJECT
    work = hours or 0 if counts else 0
    is_ready = word(fields.get("status")) in READY
    foreseen = estimated_labor(fields)
    promised = list(_promises(order.trail, found, window, zone))
    return WorkFigures(
        finished=int(counts),
        without_hours=int(counts and hours is None),
        work=work,
        planned=work if type_ in PLANNED else 0,
        corrective=work if type_ == CORRECTIVE else 0,
        rework=work if type_ == CORRECTIVE and any(each.reopens for each in found) else 0,
        scheduled=len(promised),
        kept=sum(promised),
        ready=int(is_ready),
        ready_without_estimate=int(is_ready and foreseen is None),
        ready_work=foreseen or 0 if is_ready else 0,
    )


def pool_work(parts: Iterable[WorkFigures]) -> WorkFigures:
    """The sums of many."""
    every = list(parts)
    names = WorkFigures.__struct_fields__
    return WorkFigures(**{name: sum(getattr(each, name) for each in every) for name in names})


def _finished_at(order: Record, found: Sequence[Transition]) -> datetime | None:
    """When an order that stands finished was: as it states, else at the last move that finished it."""
    if word(order.read("status")) not in FINISHED:
        return None
    stated = parse_instant(order.read("completed_at"))
    ends = [moved_at(each) for each in found if _finishes(each)]
    return stated or (ends[-1] if ends else None)


def _finishes(transition: Transition) -> bool:
    return transition.after in FINISHED and transition.before not in FINISHED


def _promises(trail: Sequence[Step], found: Sequence[Transition], window: Window, zone: tzinfo) -> Iterator[bool]:
    """For each week whose plan held an order when the week began: whether it was finished in that week."""
    told = [(occurred_at(stamp), parse_instant(kept["scheduled"])) for stamp, kept in trail if "scheduled" in kept]
    for place, (known, planned) in enumerate(told):
        if planned is None:
            continue
        first = monday(local_day(planned, zone))
        start, end = instant(first, time(), zone), instant(first + WEEK, time(), zone)
        given_up = min((each for each, _ in told[place + 1 :]), default=None)
        stood = known <= start and (given_up is None or given_up > start)
        if stood and window.since <= start < window.until and end <= window.now and _is_open_at(found, start):
            yield any(_finishes(each) and start <= moved_at(each) < end for each in found)


def _is_open_at(found: Sequence[Transition], moment: datetime) -> bool:
    past = [each.after for each in found if moved_at(each) <= moment]
    return bool(past) and past[-1] in {*UNFINISHED, REOPENED}


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
