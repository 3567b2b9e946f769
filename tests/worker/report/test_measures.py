"""Numbers have units, and a figure that is missing says why."""

import pytest

from handlers.rules.reliability import Reliability
from worker.report.measures import KNOWN, difference, measures, reason, shown
from worker.report.tables import IMPLIED, LEAD


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("downtime_s", 2_870_760.0, "797.43 h"),
        ("availability", 0.9997730437917426, "99.977 %"),
        ("availability", 1.0, "100.000 %"),
        ("availability", 0.9999999, "> 99.999 %"),
        ("downtime_share", 0.000001, "< 0.001 %"),
        ("downtime_share", 0.0, "0.000 %"),
        ("failures_effective", 1440, "1,440"),
        ("failure_rate_per_h", 0.0001252561, "0.1253 / 1000 h"),
        ("mtbf_s", None, "-"),
    ],
)
def test_numbers_for_people(name: str, value: float | None, text: str) -> None:
    (measure,) = measures([name])

    assert shown(measure, value) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("downtime_s", -5400.0, "-1.50 h"),
        ("availability", 0.00123, "+0.123 pp"),
        ("failures_effective", 2, "+2"),
        ("mtbf_s", None, "-"),
    ],
)
def test_differences_have_a_sign(name: str, value: float | None, text: str) -> None:
    (measure,) = measures([name])

    assert difference(measure, value) == text


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("availability", {"required_s": 0.0}, "no required time"),
        ("mtbf_s", {"required_s": 1.0, "mtbf_lower_bound_s": 36_000.0}, "> 10.00 h, no failure"),
        ("mttr_s", {"required_s": 1.0, "mtbf_lower_bound_s": 36_000.0, "failures_effective": 0}, "no failure"),
        ("mttd_s", {"required_s": 1.0, "failures_effective": 3}, "detection not told"),
        ("downtime_share", {}, "no down time"),
    ],
)
def test_a_missing_figure_has_a_reason(name: str, values: dict[str, float], why: str) -> None:
    assert reason(name, values) == why


def test_every_figure_that_we_ship_names_its_variant() -> None:
    names = [name for name in Reliability().row() if name not in IMPLIED and not name.endswith(KNOWN)]

    assert {each.name for each in measures([*names, *LEAD]) if each.variant == "as the contract defines it"} == set()


def test_a_figure_of_a_later_version_is_told_by_its_name() -> None:
    told = {each.name: (each.title, each.unit) for each in measures(["pm_compliance_ratio", "backlog_s", "orders"])}

    assert told == {
        "pm_compliance_ratio": ("Pm compliance ratio", "%"),
        "backlog_s": ("Backlog", "h"),
        "orders": ("Orders", ""),
    }
