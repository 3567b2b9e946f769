"""The key figures of one asset, each with the name of its variant; and its MTBF month by month. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from handlers.rules.confidence import TWO_SIDED, mtbf_bounds
from handlers.rules.figures import SECOND, Figures
from handlers.rules.period import Part
from handlers.rules.reporting import ASSET, Values, grouped
from handlers.store.read_report import Told
from worker.report.measures import HOUR_S, NOTHING, hours, measures, reason, shown

CARDS: Final = (
    "availability",
    "availability_unplanned",
    "mtbf_s",
    "mttr_restore_s",
    "failures_effective",
    "unplanned_downtime_s",
)
"""Figures that come first."""
MORE: Final = (
    "required_s",
    "uptime_s",
    "downtime_s",
    "planned_downtime_s",
    "planned_unknown_downtime_s",
    "availability_restoration",
    "availability_inherent",
    "failures_reported",
    "open_downtimes",
    "failure_rate_per_h",
    "mtbr_s",
    "outages",
    "mdt_s",
    "mttr_repair_s",
    "mttr_active_s",
    "mttd_s",
    "mtta_s",
)
KNOWN: Final = "_known"


class Figure(NamedTuple):
    """One figure.

    Attributes:
        title: for people.
        name: in the contract and in `figures --json`.
        variant: which of the formulas of that title it is.
        text: the number with its unit; `-` for none.
        note: its bounds, over how many it is a mean, or why there is none.
    """

    title: str
    name: str
    variant: str
    text: str
    note: str


class Month(NamedTuple):
    """A part of the time that the trend shows.

    Attributes:
        label: such as `2026-10`.
        since: its start, seconds since 1970.
        failures: effective ones.
        mtbf_h: hours; None without a failure.
        lower_h: lower bound, of a part without failures one-sided.
        upper_h: upper bound.
        mttr_h: hours.
        availability: 0 to 1.
    """

    label: str
    since: float
    failures: int
    mtbf_h: float | None
    lower_h: float | None
    upper_h: float | None
    mttr_h: float | None
    availability: float | None


def figures(told: Told, names: Sequence[str]) -> list[Figure]:
    """Figures of an asset in its window."""
    [row] = grouped([told.sums], ASSET)
    values = row.values
    return [
        Figure(each.title, each.name, each.variant, shown(each, values.get(each.name)), _note(each.name, values))
        for each in measures(names)
    ]


def months(told: Told) -> list[Month]:
    """The parts of the window, oldest first; those that are empty are left out."""
    return [_month(part, held) for part, held in told.parts if part.since < part.until]


def _month(part: Part, held: Figures) -> Month:
    bounds = mtbf_bounds(held.uptime / SECOND, held.failures_effective) if held.required else None
    return Month(
        label=part.label,
        since=part.since.timestamp(),
        failures=held.failures_effective,
        mtbf_h=_hours(held.mtbf_s),
        lower_h=None if bounds is None else _hours(bounds.lower_s),
        upper_h=None if bounds is None else _hours(bounds.upper_s),
        mttr_h=_hours(held.mttr_s),
        availability=held.availability,
    )


def _note(name: str, values: Values) -> str:
    value = values.get(name)
    if value is None:
        return reason(name, values)
    if name == "mtbf_s":
        ends = [values.get(each) for each in ("mtbf_lower_s", "mtbf_upper_s")]
        told = [NOTHING if each is None else hours(each) for each in ends]
        return f"{told[0]} to {told[1]} ({TWO_SIDED:.0%} confidence)"
    known = values.get(f"{name.removesuffix('_s')}{KNOWN}")
    return "" if known is None else f"of {known:,} of {values.get('failures_effective') or 0:,} failures"


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / HOUR_S
