"""Published examples of reliability, and where every other example of the collection is tested or why it is not."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handlers.rules.calendars import Calendar, Shift
from handlers.rules.confidence import mtbf_bounds
from handlers.rules.downtime import Span
from handlers.rules.figures import figures
from handlers.rules.period import parse_period
from handlers.rules.recurrence import instant
from handlers.rules.reliability import Reliability, reliability
from handlers.rules.repairs import Repair

SAMPLES = Path(__file__).parents[2] / "samples"
EXAMPLES: Mapping[str, dict[str, Any]] = {
    each["id"]: each for each in json.loads((SAMPLES / "kpi-examples.json").read_text())["examples"]
}
ORIGIN = datetime(2024, 1, 1, tzinfo=UTC)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
HOUR, H = timedelta(hours=1), 3600.0
WEEK = frozenset(range(7))

HERE = {
    "week-component-1",
    "standby-month",
    "sap-3-breakdowns",
    "formula-matrix-1000h-4f-40h",
    "fiix-availability-100-10",
    "geant-month-seconds",
    "lambda-mdt",
    "relialearn-set",
    "nist-ci",
    "iec-a-b-c-d",
    "inherent-900-100",
    "bemas-100-10",
    "oee-tpm-week17",
    "oee-420-40",
    "rfc5545-dst-ambiguous",
    "mtbf-gulati-2000h",
    "mtbf-rcm-6500",
    "mtbf-chiller-3600",
    "mtbf-relialearn-45000",
    "mtbf-nist-800",
}
FIGURES = {
    "tractian-created-mid-period",
    "smrp-total-downtime",
    "cal-month-30d-6h",
    "cal-month-30d-3h",
    "mttr-chiller",
    "smoke-detectors",
    "proschan-plane-9",
    "odoo-failure-before-effective",
    "lanl-dst-24",
}
"""Followed in `test_figures.py`, where some of those here are too."""
NOT_RELIABILITY = {
    "pm-compliance-384-318": "compliance of preventive maintenance",
    "pm-compliance-500-462": "compliance of preventive maintenance",
    "pmp-500-400": "planned maintenance percentage, of hours of work orders",
    "smrp-20pct-grace": "grace of preventive maintenance",
    "sap-shift-100-0": "scheduling of preventive maintenance",
    "sap-blank-shift": "scheduling of preventive maintenance",
    "lucity-fixed-floating": "scheduling of preventive maintenance",
    "fiix-meter-fixed": "scheduling of preventive maintenance",
    "processforce-expedite": "scheduling of preventive maintenance",
    "maximo-next-due": "scheduling of preventive maintenance",
    "every-strict-skip": "scheduling of preventive maintenance",
    "month-end": "scheduling of preventive maintenance",
    "rfc5545-15-30": "scheduling of preventive maintenance",
    "maximo-transitions": "the life of a work order",
}
NOT_FOLLOWED = {
    "fiix-mtbf-700": "divides the period, down time and all, by failures: with 4 x 10 h down in 1000 h that gives an"
    " MTBF of 250 h, and an availability of 96.15 % where it was 96",
    "odoo-missing-close-date": "leaves out the repair that nobody ended, or counts it as nothing; ours is open, counts"
    " up to the as-of time and is told as open; and its MTBF ends with the last failure: the time since is lost",
    "smrp-planned-work-INCONSISTENT": "was printed with a sum that is wrong",
}


def test_every_example_is_tested_somewhere_or_has_its_reason() -> None:
    told = [*HERE, *FIGURES, *NOT_RELIABILITY, *NOT_FOLLOWED]
    assert sorted(told) == sorted(EXAMPLES)


def given(name: str) -> tuple[Any, Any]:
    return EXAMPLES[name]["input"], EXAMPLES[name]["expected"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hour(hours: float) -> datetime:
    return ORIGIN + hours * HOUR


def told(name: str, until: str | None = None, calendar: Calendar | None = None) -> Reliability:
    """Of an example that is given as a timeline."""
    example, _ = given(name)
    spans = [Span(utc(each["start"]), utc(each["end"]), planned=each["planned"]) for each in example["downtimes"]]
    in_service = utc(example["in_service"]) if "in_service" in example else None
    since, end = (in_service, utc(until)) if until is not None else map(utc, example["window"])
    assert since is not None
    return reliability(spans, since, end, FAR, repairs={}, in_service=in_service, calendar=calendar)


def of_hours(up: float, failures: int, *, unplanned: float = 0, planned: float = 0) -> Reliability:
    """So many hours up, so many failures that are equally long, and planned work, one after the other."""
    each = unplanned / failures if failures else 0
    spans = [Span(hour(number * (each + 1)), hour(number * (each + 1) + each)) for number in range(failures)]
    after = failures * (each + 1) + 1
    if planned:
        spans.append(Span(hour(after), hour(after + planned), planned=True, failure=False))
    return reliability(spans, hour(0), hour(up + unplanned + planned), FAR, repairs={})


# By calendar


def test_a_week_of_five_days_around_the_clock() -> None:
    _, expected = given("week-component-1")
    calendar = Calendar("24h", "UTC", (Shift(time(), time(), frozenset(range(5))),))
    spans = [Span(utc(e["start"]), utc(e["end"])) for e in given("week-component-1")[0]["downtimes"]]
    found = figures(spans, utc("2024-01-01"), utc("2024-01-08"), FAR, calendar=calendar)
    assert (found.downtime / HOUR, found.uptime / HOUR) == (expected["downtime_h"], expected["uptime_h"])
    assert (found.mtbf_s, found.mttr_s) == (expected["mtbf_h"] * H, expected["mttr_h"] * H)
    assert (found.availability, found.failures_effective) == (expected["availability"], expected["failures"])


@pytest.mark.parametrize(
    ("name", "shifts", "percent"),
    [
        pytest.param("oee-tpm-week17", [(6 * 60, 6 * 60 + 910)], "availability_pct", id="tpm"),
        pytest.param("oee-420-40", [(6 * 60, 9 * 60), (10 * 60, 14 * 60)], "availability_pct_exact", id="breaks"),
    ],
)
def test_planned_production_time_is_operating_time(name: str, shifts: list[tuple[int, int]], percent: str) -> None:
    """OEE's availability, with changeovers told as stops."""
    example, expected = given(name)
    hours = tuple(Shift(time(*divmod(start, 60)), time(*divmod(end, 60)), WEEK) for start, end in shifts)
    down = Span(hour(7), hour(7) + timedelta(minutes=example["down_min"]))
    found = figures([down], hour(0), hour(24), FAR, calendar=Calendar("shift", "UTC", hours))
    assert (found.availability or 0) * 100 == pytest.approx(expected[percent], abs=0.05)
    assert found.required == timedelta(minutes=example.get("planned_min", expected.get("planned_min")))


# Timelines


def test_sap_three_breakdowns() -> None:
    _, expected = given("sap-3-breakdowns")
    found = told("sap-3-breakdowns", until="2011-12-01").row()
    assert found["mttr_restore_s"] == expected["mttr_h"] * H
    assert found["mtbr_s"] == pytest.approx(expected["mtbr_exact_h"] * H, rel=1e-12)
    assert found["mtbf_s"] == expected["mtbf_uptime_over_n_if_window_ends_2011_12_01"] * H


def test_one_timeline_gives_each_variant_under_its_own_name() -> None:
    _, expected = given("formula-matrix-1000h-4f-40h")
    found = told("formula-matrix-1000h-4f-40h").row()
    assert found["mtbf_s"] == expected["uptime_over_n_h"] * H
    assert found["mtbr_s"] == expected["gaps_incl_first_over_n_sap_h"] * H
    assert found["mttr_restore_s"] == expected["mttr_h"] * H
    assert found["availability"] == found["availability_restoration"] == expected["availability"]
    assert float(found["failure_rate_per_h"] or 0) * 1000 == pytest.approx(expected["failure_rate_per_1000_up_h"])


def test_a_month_on_standby_is_up_and_a_ratio_of_nothing_is_null() -> None:
    """Up over up and down; SMRP 2.2, which takes standby out of the denominator, is not among our figures."""
    example, expected = given("standby-month")
    found = of_hours(example["total_available_h"], 0).row()
    assert found["availability"] == expected["availability_up_over_up_plus_down"]
    nothing = reliability([], hour(0), hour(0), FAR, repairs={}).row()
    assert nothing["availability"] is expected["smrp_availability"]


# Sums


def test_planned_down_time_is_in_neither_part_of_availability_by_restoration() -> None:
    example, expected = given("fiix-availability-100-10")
    found = of_hours(example["run_h"], 1, unplanned=example["unplanned_down_h"], planned=example["planned_down_h"])
    assert found.figures.availability == expected["exact"]
    assert found.availability_restoration == expected["inherent_style"]


@pytest.mark.parametrize("name", ["inherent-900-100", "bemas-100-10"])
def test_inherent_availability_is_of_active_repair(name: str) -> None:
    example, expected = given(name)
    up, active = example["mtbf_h"], example["mttr_h"]
    span = Span(hour(1), hour(1 + 3 * active), ref="W")  # two thirds of the outage nobody worked
    repairs = {"W": (Repair("W", active=active * HOUR),)}
    found = reliability([span], hour(0), hour(up + 3 * active), FAR, repairs=repairs)
    assert found.availability_inherent == pytest.approx(expected["availability"], abs=5e-5)


@pytest.mark.parametrize(
    "name", ["mtbf-gulati-2000h", "mtbf-rcm-6500", "mtbf-chiller-3600", "mtbf-relialearn-45000", "mtbf-nist-800"]
)
def test_operating_hours_over_failures_within_their_bounds(name: str) -> None:
    example, expected = given(name)
    found = of_hours(example["operating_h"], example["failures"]).row()
    assert found["mtbf_s"] == expected["mtbf_h"] * H
    assert float(found["mtbf_lower_s"] or 0) < expected["mtbf_h"] * H < float(found["mtbf_upper_s"] or 0)


def test_nist_bounds_of_two_failures_in_800_hours() -> None:
    example, expected = given("nist-ci")
    bounds = mtbf_bounds(example["total_h"] * H, example["failures"], example["confidence"])
    assert (bounds.lower_s or 0) / H == pytest.approx(expected["lower_h"], abs=5e-3)
    assert (bounds.upper_s or 0) / H == pytest.approx(expected["upper_h"], abs=5e-2)


def test_lambda_and_mean_down_time() -> None:
    example, expected = given("lambda-mdt")
    found = of_hours(1 / example["lam"], 1, unplanned=example["mdt_h"]).row()
    assert found["failure_rate_per_h"] == pytest.approx(example["lam"])
    assert found["mtbf_s"] == pytest.approx(expected["mttf_h"] * H)
    assert found["mdt_s"] == example["mdt_h"] * H
    assert found["availability"] == pytest.approx(expected["availability"], rel=1e-12)
    assert (1 - float(found["availability"] or 0)) * 8760 == pytest.approx(expected["down_h_per_8760"], abs=5e-4)


def test_relialearn_reliability_availability_repair_and_rate() -> None:
    example, expected = given("relialearn-set")
    failed, planned = example["failed_days"] * 24, example["pm_days"] * 24
    days = of_hours(example["total_days"] * 24 - failed - planned, 1, unplanned=failed, planned=planned).figures
    assert days.availability_unplanned == pytest.approx(expected["reliability"], abs=5e-8)
    assert days.availability == pytest.approx(expected["availability"], abs=5e-8)
    starts = [100.0 * 24 * number for number in range(5)]
    repairs = [Span(hour(at), hour(at + 24 * days)) for at, days in zip(starts, example["repairs_days"], strict=True)]
    assert figures(repairs, hour(0), hour(24 * 1000), FAR).mttr_s == expected["mttr_days"] * 24 * H
    fleet = of_hours(example["units"] * example["hours"], example["failures"])
    assert fleet.row()["failure_rate_per_h"] == pytest.approx(expected["failure_rate_per_h"])


def test_restoration_repair_detection_and_active_repair() -> None:
    example, expected = given("iec-a-b-c-d")
    detection, delay, active, back = (example[name] for name in ("a_h", "b_h", "c_h", "d_h"))
    span = Span(hour(1), hour(1 + detection + delay + active + back), ref="W")
    order = Repair("W", detected_at=hour(1 + detection), active=active * HOUR)
    found = reliability([span], hour(0), hour(24), FAR, repairs={"W": (order,)}).row()
    assert found["mttr_restore_s"] == expected["mttres_h"] * H
    assert found["mttr_repair_s"] == expected["mrt_h"] * H
    assert found["mttd_s"] == expected["mfdt_h"] * H
    assert found["mttr_active_s"] == expected["active_repair_h"] * H


# Windows


def test_months_have_the_seconds_that_they_have() -> None:
    example, expected = given("geant-month-seconds")
    months = {28: "2023-02", 29: "2024-02", 30: "2024-04", 31: "2024-01"}
    found = []
    for days in example["days"]:
        since, until = parse_period(months[days]).window(ZoneInfo("UTC"))
        found.append(figures([], since, until, FAR).row()["required_s"])
    assert found == expected["seconds"]


def test_a_local_time_that_comes_twice_is_the_first() -> None:
    example, expected = given("rfc5545-dst-ambiguous")
    wall = datetime.fromisoformat(example["local"])
    assert instant(wall.date(), wall.time(), ZoneInfo(example["tz"])) == datetime.fromisoformat(expected["utc"])
