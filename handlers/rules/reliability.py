"""Reliability in a window: what the contract's figures leave out, each under the name of its variant.

`reference/kpi.md` 1.2 has the sources. A mean over failures is over those of which the time is known, and says how many
those were; of nothing it is null. Times of repair are elapsed times, of failures that begin in the window, followed to
the horizon; no ratio mixes them with operating time.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from handlers.rules.calendars import Calendar, operates, operating
from handlers.rules.confidence import TWO_SIDED, mtbf_bounds
from handlers.rules.downtime import Outage, Segment, Span, outages
from handlers.rules.figures import NONE, SECOND, Figures, failures, figures, held, pool
from handlers.rules.repairs import Repair

Values = dict[str, float | int | str | None]


class Mean(msgspec.Struct, frozen=True):
    """A mean as its sum, so that means of parts add up.

    Attributes:
        total: of all that are known.
        count: how many those are.
    """

    total: timedelta = NONE
    count: int = 0

    @property
    def seconds(self) -> float | None:
        """The mean in seconds; None of nothing."""
        return self.total / (self.count * SECOND) if self.count else None

    def plus(self, other: "Mean") -> "Mean":
        """Both."""
        return Mean(self.total + other.total, self.count + other.count)


def mean_of(lengths: Iterable[timedelta | None]) -> Mean:
    """Of those that are known; one below zero is taken for 0, since clocks of two people differ."""
    known = [max(each, NONE) for each in lengths if each is not None]
    return Mean(sum(known, NONE), len(known))


class Reliability(msgspec.Struct, frozen=True):
    """Sums over a window, of one asset or pooled.

    Attributes:
        figures: the contract's.
        outages: all that start in the window, planned ones too, as far as they hold required time.
        planned_unknown: unplanned down time of which nobody said whether it was planned.
        gaps: from the end of a failure's outage, and where there was none before from the start of required time, to
            the next failure (SAP).
        detection: from a failure's start to its detection.
        reaction: from its report to the first action.
        repair: from its detection until the function is back, down time alone.
        active: in which its orders were in progress.
        by_calendar: required time is operating time.
    """

    figures: Figures = Figures()
    outages: int = 0
    planned_unknown: timedelta = NONE
    gaps: Mean = Mean()
    detection: Mean = Mean()
    reaction: Mean = Mean()
    repair: Mean = Mean()
    active: Mean = Mean()
    by_calendar: bool = False

    @property
    def availability_restoration(self) -> float | None:
        """Uptime over uptime and unplanned down time (EN 15341:2019 M12): planned down time is in neither."""
        whole = self.figures.uptime + self.figures.unplanned_downtime
        return self.figures.uptime / whole if whole else None

    @property
    def availability_inherent(self) -> float | None:
        """MTBF / (MTBF + mean active repair time); None with a calendar, for repair is in elapsed time."""
        between, active = self.figures.mtbf_s, self.active.seconds
        if between is None or active is None or self.by_calendar or not between + active:
            return None
        return between / (between + active)

    def row(self, confidence: float = TWO_SIDED) -> Values:
        """Every figure under its name; times in seconds, a rate per hour of uptime."""
        told = self.figures
        uptime_s = told.uptime / SECOND
        bounds = mtbf_bounds(uptime_s, told.failures_effective, confidence)
        bounded = told.required > NONE
        return {
            **told.row(),
            "availability_restoration": self.availability_restoration,
            "availability_inherent": self.availability_inherent,
            "failure_rate_per_h": told.failures_effective * 3600 / uptime_s if uptime_s else None,
            "confidence": confidence,
            "mtbf_lower_s": bounds.lower_s if bounded else None,
            "mtbf_upper_s": bounds.upper_s if bounded else None,
            "mtbr_s": self.gaps.seconds,
            "outages": self.outages,
            "mdt_s": told.downtime / (self.outages * SECOND) if self.outages else None,
            "mttr_restore_s": told.mttr_s,
            "mttr_repair_s": self.repair.seconds,
            "mttr_repair_known": self.repair.count,
            "mttr_active_s": self.active.seconds,
            "mttr_active_known": self.active.count,
            "mttd_s": self.detection.seconds,
            "mttd_known": self.detection.count,
            "mtta_s": self.reaction.seconds,
            "mtta_known": self.reaction.count,
            "planned_unknown_downtime_s": self.planned_unknown / SECOND,
        }


def reliability(
    spans: Sequence[Span],
    window_from: datetime,
    window_to: datetime,
    as_of: datetime,
    *,
    repairs: Mapping[str, Sequence[Repair]],
    in_service: datetime | None = None,
    decommissioned: datetime | None = None,
    calendar: Calendar | None = None,
) -> Reliability:
    """The reliability of one asset in one window.

    Args:
        spans: as for `figures`, and so are the times.
        window_from: start of the window (UTC).
        window_to: its end, itself excluded.
        as_of: the time of knowledge, itself excluded.
        repairs: the work orders behind the spans, by `ref`.
        in_service: before this nothing was required.
        decommissioned: from this on nothing is.
        calendar: when it operates; None for always.
    """
    told = figures(
        spans,
        window_from,
        window_to,
        as_of,
        in_service=in_service,
        decommissioned=decommissioned,
        calendar=calendar,
    )
    since = window_from if in_service is None else max(window_from, in_service)
    horizon = as_of if decommissioned is None else min(as_of, decommissioned)
    until = min(window_to, horizon)
    if until <= since:
        return Reliability(by_calendar=calendar is not None)
    stops = outages(spans, horizon)
    wanted = ((since, until),) if calendar is None else operating(calendar, since, until)
    failed = list(failures(stops, since, until, calendar))
    begun = [stop for stop in stops if since <= stop.started_at < until]
    handled = [(stop, _repairs(stop, repairs)) for stop in failed]
    return Reliability(
        figures=told,
        outages=sum(calendar is None or operates(calendar, stop.started_at, stop.ended_at) for stop in begun),
        planned_unknown=held((each for stop in stops for each in stop.segments if each.planned is None), wanted),
        gaps=_gaps(stops, failed, since),
        detection=mean_of(_less(_detected(orders), stop.started_at) for stop, orders in handled),
        reaction=mean_of(_reaction(orders) for _, orders in handled),
        repair=mean_of(_restored(stop, _detected(orders)) for stop, orders in handled),
        active=mean_of(_active(orders) for _, orders in handled),
        by_calendar=calendar is not None,
    )


def pool_reliability(parts: Iterable[Reliability]) -> Reliability:
    """One row for many assets: sums first. All have a calendar or none has: the two are never mixed."""
    every = list(parts)
    return Reliability(
        figures=pool(each.figures for each in every),
        outages=sum(each.outages for each in every),
        planned_unknown=sum((each.planned_unknown for each in every), NONE),
        gaps=_sum(each.gaps for each in every),
        detection=_sum(each.detection for each in every),
        reaction=_sum(each.reaction for each in every),
        repair=_sum(each.repair for each in every),
        active=_sum(each.active for each in every),
        by_calendar=any(each.by_calendar for each in every),
    )


def _sum(means: Iterable[Mean]) -> Mean:
    found = Mean()
    for each in means:
        found = found.plus(each)
    return found


def _repairs(stop: Outage, repairs: Mapping[str, Sequence[Repair]]) -> list[Repair]:
    """The orders behind the failures of an outage, each once."""
    refs = dict.fromkeys(segment.ref for segment in stop.segments if segment.failure)
    return list(dict.fromkeys(order for ref in refs for order in repairs.get(ref, ())))


def _gaps(stops: Iterable[Outage], failed: Sequence[Outage], since: datetime) -> Mean:
    """SAP's MTBR: start-up to the first breakdown, then from the end of one to the start of the next.

    A breakdown that lasts when the window begins is no gap.
    """
    begun = (stop.ended_at for stop in stops if stop.effective and stop.started_at < since)
    ends = [max((since, *begun)), *(stop.ended_at for stop in failed[:-1])]
    return mean_of(stop.started_at - end for stop, end in zip(failed, ends, strict=True)) if failed else Mean()


def _detected(orders: Sequence[Repair]) -> datetime | None:
    return min((each.detected_at for each in orders if each.detected_at is not None), default=None)


def _less(one: datetime | None, other: datetime) -> timedelta | None:
    return None if one is None else one - other


def _reaction(orders: Sequence[Repair]) -> timedelta | None:
    """Of several orders the one that was acted on soonest."""
    return min((each.react for each in orders if each.react is not None), default=None)


def _restored(stop: Outage, detected: datetime | None) -> timedelta | None:
    """Unplanned down time of an outage from its detection on."""
    if detected is None:
        return None
    unplanned: list[Segment] = [each for each in stop.segments if not each.planned]
    return held(unplanned, ((detected, max(detected, stop.ended_at)),))


def _active(orders: Sequence[Repair]) -> timedelta | None:
    """Time in progress, that of two orders at once counted twice, for two crews were at it."""
    known = [each.active for each in orders if each.active is not None]
    return sum(known, NONE) if known else None
