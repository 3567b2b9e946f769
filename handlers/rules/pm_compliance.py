"""PM compliance: of what had to be done in a period, how much was done in time (SMRP 5.4.14; kpi.md 4.6)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from handlers.rules.due import Grace
from handlers.rules.occurrence import Occurrence

NOT_COUNTED = frozenset({"covered", "excluded", "skipped_by_jump"})
"""States of what stands beside the ratio, with its reason, and not in it."""
DAY = timedelta(days=1)
LATELY = timedelta(days=30)
"""The period where none is named: on the page, of the command and of the metric."""


class Period(NamedTuple):
    """A stretch of time, and the time of knowledge, all UTC."""

    since: datetime
    until: datetime
    as_of: datetime


class Compliance(msgspec.Struct, frozen=True):
    """What a period came to, by one rule.

    Attributes:
        due: how many had to be done: their time and grace ran out in the period, and by the time of knowledge.
        on_time: of those, how many were done by then.
        late: how many were done afterwards.
        open: how many are not done.
        days_late: days by which the late ones were, in all.
        intervals_days: days between one completion and the next of a plan, in all, and how many such there are.
        intervals: how many.
        longest_days: the longest of them.
        excluded: by reason, how many were not to be done.
    """

    due: int = 0
    on_time: int = 0
    late: int = 0
    open: int = 0
    days_late: float = 0.0
    intervals_days: float = 0.0
    intervals: int = 0
    longest_days: float = 0.0
    excluded: Mapping[str, int] = {}

    @property
    def ratio(self) -> float | None:
        """On time over due, 0 to 1; None where nothing was due."""
        return self.on_time / self.due if self.due else None

    @property
    def mean_days_late(self) -> float | None:
        """Days by which the late ones were late, on average; None without any."""
        return self.days_late / self.late if self.late else None

    @property
    def mean_interval_days(self) -> float | None:
        """Days between two completions of one plan, on average: what was achieved, whatever was planned."""
        return self.intervals_days / self.intervals if self.intervals else None


def compliance(found: Sequence[Occurrence], rule: Grace | Mapping[str, Grace], period: Period) -> Compliance:
    """The compliance of a period.

    Args:
        found: occurrences as they stand at `period.as_of`, of any plans.
        rule: what is in time; or each plan's own, by its key.
        period: which.
    """
    counts: Counter[str] = Counter()
    excluded: Counter[str] = Counter()
    days_late = 0.0
    for each in found:
        own = rule if isinstance(rule, str) else rule[each.plan]
        if not _falls_in(each, own, period):
            continue
        if each.state in NOT_COUNTED:
            excluded[_reason(each)] += 1
            continue
        in_time = each.in_time(own)
        counts["due"] += 1
        counts["on_time" if in_time else "open" if in_time is None else "late"] += 1
        end = each.limits.get("none")
        if in_time is False and each.completed_at is not None and end is not None:
            days_late += max(0.0, (each.completed_at - end) / DAY)
    achieved = list(_achieved(found, period))
    return Compliance(
        due=counts["due"],
        on_time=counts["on_time"],
        late=counts["late"],
        open=counts["open"],
        days_late=days_late,
        intervals_days=sum(achieved),
        intervals=len(achieved),
        longest_days=max(achieved, default=0.0),
        excluded=dict(sorted(excluded.items())),
    )


def pooled(parts: Iterable[Compliance]) -> Compliance:
    """One row of several: sums first, ratios from the sums."""
    every = list(parts)
    excluded: Counter[str] = Counter()
    for each in every:
        excluded.update(each.excluded)
    return Compliance(
        due=sum(each.due for each in every),
        on_time=sum(each.on_time for each in every),
        late=sum(each.late for each in every),
        open=sum(each.open for each in every),
        days_late=sum(each.days_late for each in every),
        intervals_days=sum(each.intervals_days for each in every),
        intervals=sum(each.intervals for each in every),
        longest_days=max((each.longest_days for each in every), default=0.0),
        excluded=dict(sorted(excluded.items())),
    )


def _falls_in(each: Occurrence, rule: Grace, period: Period) -> bool:
    """Whether its time and grace run out in the period: at its very end is in it, as a day ends with a midnight.

    By a meter that moment comes with a reading; what is done before is judged by when it was done.
    """
    moment = each.limits.get(rule) or each.completed_at
    return moment is not None and period.since < moment <= min(period.until, period.as_of)


def _reason(each: Occurrence) -> str:
    return each.state if each.reason is None else each.reason.partition(":")[0]


def _achieved(found: Iterable[Occurrence], period: Period) -> Iterable[float]:
    """Days from one completion of a plan to the next, of those that end in the period."""
    last: dict[tuple[str, str], datetime] = {}
    done = ((each.completed_at, each) for each in found)
    for at, each in sorted(((at, each) for at, each in done if at is not None), key=lambda pair: pair[0]):
        before = last.get((each.connection, each.plan))
        if before is not None and period.since <= at < period.until:
            yield (at - before) / DAY
        last[each.connection, each.plan] = at
