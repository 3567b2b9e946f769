"""The figures of a window: required, up and down time, failures, availability, MTBF and MTTR.

Variants, printed so that nobody has to guess (`reference/kpi.md` 0.1 and 1.2): required time is 24x7, or operating time
where a calendar is given; MTBF is uptime over effective failures (NIST/SEMATECH e-Handbook 8.4.5.1); MTTR is unplanned
down time over effective failures; availability is time based (EN 15341:2019 M10), over all down time and over the
unplanned part alone.
Sums are kept as `timedelta`, so windows and assets add up exactly; ratios are made last, from the sums.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypedDict, cast

import msgspec

from handlers.rules.calendars import Calendar, Stretch, operates, operating
from handlers.rules.downtime import Outage, Segment, Span, outages, reported_failures

LOWER_BOUND_CONFIDENCE = 0.90
"""Confidence of the one-sided lower bound on MTBF without failures: the 90 % that NIST's e-Handbook tabulates and uses
in its examples (8.4.5.1; 1000 h without a failure bound MTBF at 434 h)."""
SECOND = timedelta(seconds=1)
NONE = timedelta()


class FiguresRow(TypedDict):
    """Figures as they are printed (contract, section 6)."""

    required_s: float
    uptime_s: float
    downtime_s: float
    planned_downtime_s: float
    unplanned_downtime_s: float
    failures_reported: int
    failures_effective: int
    open_downtimes: int
    availability: float | None
    availability_unplanned: float | None
    mtbf_s: float | None
    mttr_s: float | None
    mtbf_lower_bound_s: float | None


class Figures(msgspec.Struct, frozen=True):
    """Sums over a window, of one asset or pooled; the ratios are properties, in the contract's names.

    Attributes:
        required: time in which the asset was to be available.
        planned_downtime: the part of it owned by planned spans.
        unplanned_downtime: the part of it owned by all other spans.
        failures_reported: failures whose own first span starts in the window.
        failures_effective: failures whose outage starts in the window.
        open_downtimes: spans that began before the window's end and had not ended by the as-of time.
    """

    required: timedelta = NONE
    planned_downtime: timedelta = NONE
    unplanned_downtime: timedelta = NONE
    failures_reported: int = 0
    failures_effective: int = 0
    open_downtimes: int = 0

    @property
    def downtime(self) -> timedelta:
        """Merged down time, planned and unplanned."""
        return self.planned_downtime + self.unplanned_downtime

    @property
    def uptime(self) -> timedelta:
        """Required time that is not down time."""
        return self.required - self.downtime

    @property
    def availability(self) -> float | None:
        """Uptime over required time, 0 to 1; None without required time."""
        return self.uptime / self.required if self.required else None

    @property
    def availability_unplanned(self) -> float | None:
        """The same with planned down time counted as up; None without required time."""
        return (self.required - self.unplanned_downtime) / self.required if self.required else None

    @property
    def mtbf_s(self) -> float | None:
        """Uptime over effective failures, seconds; None without failures or required time."""
        return self._per_failure(self.uptime)

    @property
    def mttr_s(self) -> float | None:
        """Unplanned down time over effective failures, seconds; None without failures or required time."""
        return self._per_failure(self.unplanned_downtime)

    @property
    def mtbf_lower_bound_s(self) -> float | None:
        """Without failures in uptime T: T / -ln(1 - c), one-sided, c = `LOWER_BOUND_CONFIDENCE`; else None."""
        if self.failures_effective or not self.required:
            return None
        return self.uptime / SECOND / -math.log1p(-LOWER_BOUND_CONFIDENCE)

    def row(self) -> dict[str, float | int | None]:
        """The same as names and values."""
        return cast("dict[str, float | int | None]", self.printed())

    def printed(self) -> FiguresRow:
        """The figures under the contract's names (section 6); times in seconds, exact to the microsecond."""
        return {
            "required_s": self.required / SECOND,
            "uptime_s": self.uptime / SECOND,
            "downtime_s": self.downtime / SECOND,
            "planned_downtime_s": self.planned_downtime / SECOND,
            "unplanned_downtime_s": self.unplanned_downtime / SECOND,
            "failures_reported": self.failures_reported,
            "failures_effective": self.failures_effective,
            "open_downtimes": self.open_downtimes,
            "availability": self.availability,
            "availability_unplanned": self.availability_unplanned,
            "mtbf_s": self.mtbf_s,
            "mttr_s": self.mttr_s,
            "mtbf_lower_bound_s": self.mtbf_lower_bound_s,
        }

    def _per_failure(self, total: timedelta) -> float | None:
        """Divides once, from whole microseconds: a quotient that were a `timedelta` would be rounded."""
        if not self.failures_effective or not self.required:
            return None
        return total / (self.failures_effective * SECOND)


def figures(
    spans: Sequence[Span],
    window_from: datetime,
    window_to: datetime,
    as_of: datetime,
    *,
    in_service: datetime | None = None,
    decommissioned: datetime | None = None,
    calendar: Calendar | None = None,
) -> Figures:
    """The figures of one asset in one window.

    As-of is a cut, not a filter: every known span counts, and is cut there. Required time is `[from, min(to, as_of))`,
    cut only by the two dates; what lies outside it counts neither as time nor as failures, so that neighbouring windows
    add up exactly to the window they make.

    With a calendar required time is the operating time in it, and down time what of it was down; who owned an instant
    is decided before. An outage that holds no operating time at all is then no effective failure: nothing was required.

    Args:
        spans: the asset's, in any order, void ones left out. Exact if all are given; enough is: every span that has
            not ended before the window, those after it as far as they overlap or touch an outage of the window, and,
            for a record of several spells, also what overlaps its earlier spells.
        window_from: start of the window (UTC).
        window_to: its end, itself excluded; a window that ends before it starts has no required time.
        as_of: the time of knowledge, itself excluded.
        in_service: before this nothing was required of the asset; None where unknown.
        decommissioned: from this on nothing is; open spans end here. None where unknown.
        calendar: when it operates; None for always.
    """
    since = window_from if in_service is None else max(window_from, in_service)
    horizon = as_of if decommissioned is None else min(as_of, decommissioned)
    until = min(window_to, horizon)
    if until <= since:
        return Figures()
    wanted = ((since, until),) if calendar is None else operating(calendar, since, until)
    required = sum((end - start for start, end in wanted), NONE)
    if not spans:
        return Figures(required=required)
    stops = outages(spans, horizon)
    segments = [segment for stop in stops for segment in stop.segments]
    return Figures(
        required=required,
        planned_downtime=held((each for each in segments if each.planned), wanted),
        unplanned_downtime=held((each for each in segments if not each.planned), wanted),
        failures_reported=sum(since <= start < until for start in reported_failures(spans, horizon)),
        failures_effective=sum(1 for _ in failures(stops, since, until, calendar)),
        open_downtimes=sum(_is_open(span, until, as_of) for span in spans),
    )


def pool(parts: Iterable[Figures]) -> Figures:
    """One row for many assets: sums first, ratios from the sums. Of nothing, all zero and every ratio null."""
    every = list(parts)
    return Figures(
        required=sum((each.required for each in every), NONE),
        planned_downtime=sum((each.planned_downtime for each in every), NONE),
        unplanned_downtime=sum((each.unplanned_downtime for each in every), NONE),
        failures_reported=sum(each.failures_reported for each in every),
        failures_effective=sum(each.failures_effective for each in every),
        open_downtimes=sum(each.open_downtimes for each in every),
    )


def failures(
    stops: Iterable[Outage], since: datetime, until: datetime, calendar: Calendar | None = None
) -> Iterator[Outage]:
    """The outages that count as failures of a window: effective ones that start in it and hold operating time."""
    for stop in stops:
        falls = stop.effective and since <= stop.started_at < until
        if falls and (calendar is None or operates(calendar, stop.started_at, stop.ended_at)):
            yield stop


def held(segments: Iterable[Segment], stretches: Sequence[Stretch]) -> timedelta:
    """How much of some stretches, which are sorted and do not overlap, the segments hold."""
    total = NONE
    for segment in segments:
        at = max(bisect_right(stretches, segment.started_at, key=_start_of) - 1, 0)
        while at < len(stretches) and stretches[at][0] < segment.ended_at:
            length = min(segment.ended_at, stretches[at][1]) - max(segment.started_at, stretches[at][0])
            total += max(length, NONE)
            at += 1
    return total


def _start_of(stretch: Stretch) -> datetime:
    return stretch[0]


def _is_open(span: Span, until: datetime, as_of: datetime) -> bool:
    """Whether a span began before the end of the required time and had not ended by the as-of time.

    Of one that ends before it starts this is never so, since the required time ends by the as-of time.
    """
    if span.started_at is None:
        return False
    return span.started_at < until and (span.ended_at is None or span.ended_at > as_of)
