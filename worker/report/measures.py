"""The figures of a report as people read them: title, variant, unit, and why one is missing.

Every figure names its variant, since six public formulas give five values for one timeline (`reference/kpi.md`, 0.1).
"""

from collections.abc import Sequence

import msgspec

from handlers.rules.confidence import TWO_SIDED
from handlers.rules.figures import LOWER_BOUND_CONFIDENCE
from handlers.rules.reporting import Values
from handlers.store.read_causes import VARIANT as CAUSE_VARIANT

HOUR_S = 3600
NOTHING = "-"
"""What stands for a figure that cannot be; its reason stands beside it."""
HOURS, RATIO, COUNT, RATE = "h", "%", "", "/h"
"""Units, as they are printed behind a number."""
CAUSE_MEANT = f"Cause: {CAUSE_VARIANT}."
CAUSES_MEANT = "MTBF of a cause: up time of all assets / failures of that cause, for what runs is at risk from each."


class Measure(msgspec.Struct, frozen=True):
    """A figure.

    Attributes:
        name: in the contract.
        title: for people.
        variant: which of the formulas of that title it is.
        unit: of the number as people read it; the contract's seconds are hours here.
    """

    name: str
    title: str
    variant: str
    unit: str


KNOWN = "_known"
"""How the name of a count ends that says over how many failures a mean is: it stands beneath the mean."""
_BOUNDS = f"{TWO_SIDED:.0%} confidence bound, two-sided chi-square (NIST e-Handbook 8.4.5.1)"
_KNOWN = {
    each.name: each
    for each in (
        Measure("availability", "Availability", "time based: up time / required time (EN 15341:2019 M10)", RATIO),
        Measure(
            "availability_unplanned",
            "Availability, unplanned only",
            "(required time - unplanned down time) / required time: planned down time counts as up",
            RATIO,
        ),
        Measure("required_s", "Required", "the period from going into service to decommissioning, up to as-of", HOURS),
        Measure("uptime_s", "Up", "required time that is not down time", HOURS),
        Measure("downtime_s", "Down", "overlapping stops merged, planned and unplanned", HOURS),
        Measure("planned_downtime_s", "Down, planned", "the part owned by planned stops: who began first owns", HOURS),
        Measure("unplanned_downtime_s", "Down, unplanned", "the rest; unknown planned-ness counts here", HOURS),
        Measure(
            "failures_effective", "Failures", "effective: outages with a failure of their own, where they start", COUNT
        ),
        Measure("failures_reported", "Failures, reported", "every failure told, where it starts", COUNT),
        Measure("open_downtimes", "Open stops", "not ended by the as-of time", COUNT),
        Measure("mtbf_s", "MTBF", "up time / effective failures (NIST e-Handbook 8.4.5.1)", HOURS),
        Measure("mttr_s", "MTTR", "unplanned down time / effective failures", HOURS),
        Measure(
            "mtbf_lower_bound_s",
            "MTBF, lower bound",
            f"without failures: up time / -ln(1 - {LOWER_BOUND_CONFIDENCE:g}), one-sided",
            HOURS,
        ),
        Measure(
            "availability_restoration",
            "Availability, restoration",
            "up time / (up time + unplanned down time) (EN 15341:2019 M12): planned down time is in neither",
            RATIO,
        ),
        Measure("availability_inherent", "Availability, inherent", "MTBF / (MTBF + MTTR active)", RATIO),
        Measure("failure_rate_per_h", "Failure rate", "effective failures / up time, told a thousand hours", RATE),
        Measure("mtbf_lower_s", "MTBF from", f"lower {_BOUNDS}; without failures one-sided", HOURS),
        Measure("mtbf_upper_s", "MTBF to", f"upper {_BOUNDS}", HOURS),
        Measure("mtbr_s", "MTBR", "mean gap from the start of required time to the first failure, and on (SAP)", HOURS),
        Measure("outages", "Outages", "that start in the period, planned ones too", COUNT),
        Measure("mdt_s", "MDT", "down time / outages, planned ones too", HOURS),
        Measure("mttr_restore_s", "MTTR, restore", "unplanned down time / effective failures", HOURS),
        Measure("mttr_repair_s", "MTTR, repair", "from detection until it was back (ISO/TR 12489 MRT)", HOURS),
        Measure("mttr_active_s", "MTTR, active", "in which its orders were in progress (ISO/TR 12489 MART)", HOURS),
        Measure("mttd_s", "MTTD", "from the failure to its detection (ISO/TR 12489 MFDT)", HOURS),
        Measure("mtta_s", "MTTA", "from the report to the first action", HOURS),
        Measure(
            "planned_unknown_downtime_s",
            "Down, unknown",
            "the part of unplanned down time of which nobody said whether it was planned",
            HOURS,
        ),
        Measure("downtime_share", "Share of down", "down time of the cause / all down time", RATIO),
        Measure(
            "unplanned_downtime_share",
            "Share of unplanned",
            "unplanned down time of the cause / all unplanned down time",
            RATIO,
        ),
    )
}
_RATIO_ENDINGS = ("_share", "_ratio", "_compliance", "_percentage")
_REASONS = {
    "downtime_share": "no down time",
    "unplanned_downtime_share": "no unplanned down time",
    "availability_inherent": "needs MTBF and MTTR active",
    "mttr_repair_s": "detection not told",
    "mttr_active_s": "work not told",
    "mttd_s": "detection not told",
    "mtta_s": "report or action not told",
    "mdt_s": "no outage",
    "failure_rate_per_h": "no up time",
}
_NO_TIME = "no required time"
_NO_FAILURE = "no failure"


def measures(names: Sequence[str]) -> list[Measure]:
    """What figures are, in the order given; one nobody described here is told by its name alone."""
    return [_KNOWN.get(name) or _by_name(name) for name in names]


def shown(measure: Measure, value: float | None) -> str:
    """A number with its unit; `-` for none."""
    if value is None:
        return NOTHING
    if measure.unit == HOURS:
        return hours(value)
    if measure.unit == RATIO:
        return percent(value)
    if measure.unit == RATE:
        return f"{1000 * value:,.4g} / 1000 h"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def difference(measure: Measure, value: float | None) -> str:
    """A difference, with its sign; of ratios in percentage points."""
    if value is None:
        return NOTHING
    if measure.unit == HOURS:
        return f"{value / HOUR_S:+,.2f} h"
    if measure.unit == RATIO:
        return f"{100 * value:+.3f} pp"
    if measure.unit == RATE:
        return f"{1000 * value:+,.4g} / 1000 h"
    return f"{value:+,}" if isinstance(value, int) else f"{value:+,.2f}"


def hours(seconds: float) -> str:
    """Seconds as hours."""
    return f"{seconds / HOUR_S:,.2f} h"


def percent(ratio: float) -> str:
    """A ratio as a percentage: what is short of all never reads as all, and what is not nothing never as nothing."""
    text = f"{ratio:.3%}"
    if text == "100.000%" and ratio < 1:
        return "> 99.999 %"
    if text == "0.000%" and ratio > 0:
        return "< 0.001 %"
    return text.replace("%", " %")


def reason(name: str, values: Values) -> str:
    """Why a figure of a row cannot be.

    Args:
        name: of one that is None.
        values: the row's figures.
    """
    if values.get("required_s") == 0:
        return _NO_TIME
    if name == "mtbf_lower_bound_s":
        return "there were failures"
    bound = values.get("mtbf_lower_bound_s")
    if name == "mtbf_s" and bound is not None:
        return f"> {hours(bound)}, {_NO_FAILURE}"
    if name.startswith("mt") and not values.get("failures_effective"):
        return _NO_FAILURE
    return _REASONS.get(name, "nothing to divide by")


def _by_name(name: str) -> Measure:
    unit = HOURS if name.endswith("_s") else RATIO if name.endswith(_RATIO_ENDINGS) else COUNT
    if name.startswith("availability"):
        unit = RATIO
    title = name.removesuffix("_s").replace("_", " ")
    return Measure(name, title[:1].upper() + title[1:], "as the contract defines it", unit)
