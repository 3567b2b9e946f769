"""The figures against published examples, the algebra's cases, a real fleet, and a sweep of every second."""

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.rules.downtime import Span, anomaly
from handlers.rules.figures import LOWER_BOUND_CONFIDENCE, Figures, figures, pool
from tests.handlers.rules.sweep import LAST, START, TIMES, at, span_lists, sweep, untimed

SAMPLES = Path(__file__).parents[2] / "samples"
KPI = json.loads((SAMPLES / "kpi-examples.json").read_text())
EXAMPLES: Mapping[str, dict[str, Any]] = {each["id"]: each for each in KPI["examples"]}
CASES: Mapping[str, dict[str, Any]] = {each["id"]: each for each in KPI["event_algebra_cases"]}
H = 3600.0
ORIGIN = datetime(2024, 3, 1, tzinfo=UTC)
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def hour(hours: float) -> datetime:
    return ORIGIN + timedelta(hours=hours)


def stop(start: float, end: float | None, ref: str = "") -> Span:
    return Span(hour(start), None if end is None else hour(end), planned=False, failure=True, ref=ref)


def work(start: float, end: float | None) -> Span:
    return Span(hour(start), None if end is None else hour(end), planned=True, failure=False)


def of_day(*spans: Span, as_of: float = 24) -> Figures:
    return figures(spans, hour(0), hour(24), hour(as_of))


# The algebra's cases

ORDER_SPELLS = {
    "algebra-wo-completed": [stop(8, 12, "W1")],
    "algebra-wo-cancelled": [],
    "algebra-wo-still-open": [stop(8, None, "W1")],
    "algebra-wo-reopened": [stop(8, 10, "W1"), stop(14, 17, "W1")],
    "algebra-wo-deleted-after-reopen": [],
}
"""What the fold makes of each case's order, written by hand: how it gets there is the fold's test, not this one."""


def spans_of(case: Mapping[str, Any]) -> list[Span]:
    """The spans of a case: intervals folded in rev order; an order's spells as written above."""
    if case["id"] in ORDER_SPELLS:
        return ORDER_SPELLS[case["id"]]
    intervals: dict[str, dict[str, Any]] = defaultdict(dict)
    for event in sorted(case["events"], key=lambda event: (event.get("rev", 1), event["at"])):
        facts = intervals[event["d"]]
        facts.update({name: event[name] for name in ("start", "end", "planned", "failure") if name in event})
        match event["type"].removeprefix("downtime."):
            case "started":
                facts["start"] = event["at"]
            case "ended":
                facts["end"] = event["at"]
            case "voided":
                facts["void"] = True
    return [
        Span(
            started_at=utc(facts["start"]) if "start" in facts else None,
            ended_at=utc(facts["end"]) if "end" in facts else None,
            planned=facts.get("planned", False),
            failure=facts.get("failure", not facts.get("planned", False)),
            ref=ref,
        )
        for ref, facts in intervals.items()
        if not facts.get("void")
    ]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_case_of_the_algebra_gives_its_figures(case: dict[str, Any]) -> None:
    expected = case["expected"]
    spans = spans_of(case)
    found = figures(spans, utc(case["window"][0]), utc(case["window"][1]), utc(case["as_of"]))
    row = found.row()
    assert row["planned_downtime_s"] == expected["planned_h"] * H
    assert row["unplanned_downtime_s"] == expected["unplanned_h"] * H
    assert row["downtime_s"] == (expected["planned_h"] + expected["unplanned_h"]) * H
    assert row["uptime_s"] == expected["uptime_h"] * H
    assert row["failures_reported"] == expected["failures_reported"]
    assert row["failures_effective"] == expected["failures_effective"]
    assert row["open_downtimes"] == expected["open_intervals"]
    assert row["availability"] == pytest.approx(expected["availability_all"], abs=5e-7)
    assert row["availability_unplanned"] == pytest.approx(expected["availability_unplanned_only"], abs=5e-7)
    assert row["mtbf_s"] == (None if expected["mtbf_h"] is None else expected["mtbf_h"] * H)
    assert [[span.ref, anomaly(span)] for span in spans if anomaly(span)] == expected["quarantined"]


# Published examples whose formula is ours


def downtimes(example: Mapping[str, Any]) -> list[Span]:
    return [
        Span(utc(each["start"]), utc(each["end"]), planned=each["planned"]) for each in example["input"]["downtimes"]
    ]


def test_week_component_1() -> None:
    example = EXAMPLES["week-component-1"]
    since, until = map(utc, example["input"]["window"])
    found = figures(downtimes(example), since, until, until)
    assert (found.downtime, found.uptime) == (timedelta(hours=9), timedelta(hours=111))
    assert (found.failures_effective, found.mtbf_s, found.mttr_s) == (3, 37 * H, 3 * H)
    assert found.availability == 0.925


def test_formula_matrix_gives_uptime_over_failures_and_no_other_variant() -> None:
    example = EXAMPLES["formula-matrix-1000h-4f-40h"]
    since, until = map(utc, example["input"]["window"])
    found = figures(downtimes(example), since, until, until, in_service=utc(example["input"]["in_service"]))
    assert found.required == timedelta(hours=1000)
    assert (found.mtbf_s, found.mttr_s) == (240 * H, 10 * H)
    assert found.availability == 0.96


def test_sap_3_breakdowns() -> None:
    example = EXAMPLES["sap-3-breakdowns"]
    in_service = utc(example["input"]["in_service"])
    spans = downtimes(example)
    to_december = figures(spans, in_service, utc("2011-12-01"), FAR, in_service=in_service)
    assert to_december.mttr_s == example["expected"]["mttr_h"] * H
    assert to_december.mtbf_s == example["expected"]["mtbf_uptime_over_n_if_window_ends_2011_12_01"] * H
    to_last_end = figures(spans, in_service, utc("2011-11-15T16:00"), FAR)
    assert to_last_end.availability == example["expected"]["availability_in_service_to_last_end"]


def test_an_asset_put_in_service_inside_the_window_has_a_shorter_required_time() -> None:
    example = EXAMPLES["tractian-created-mid-period"]
    since, until = map(utc, example["input"]["window"])
    found = figures([], since, until, FAR, in_service=utc(example["input"]["in_service"]))
    assert found.required == timedelta(hours=example["expected"]["expected_h"])
    assert (found.availability, found.failures_effective, found.mtbf_s) == (1.0, 0, None)


def test_a_failure_before_the_in_service_date_is_none_of_ours() -> None:
    example = EXAMPLES["odoo-failure-before-effective"]
    (failed, done), *_ = example["input"]["requests"]
    since = utc(example["input"]["effective_date"])
    found = figures([Span(utc(failed), utc(done))], utc("2026-09-01"), utc("2026-10-01"), FAR, in_service=since)
    assert (found.failures_reported, found.failures_effective, found.mtbf_s) == (0, 0, None)


@pytest.mark.parametrize(
    ("planned", "unplanned", "required", "availability"),
    [
        pytest.param(50, 25, 730, 1 - EXAMPLES["smrp-total-downtime"]["expected"]["exact"] / 100, id="smrp-total"),
        pytest.param(8, 2, 110, EXAMPLES["fiix-availability-100-10"]["expected"]["exact"], id="fiix"),
        pytest.param(0, 6, 720, EXAMPLES["cal-month-30d-6h"]["expected"]["availability"], id="month-6h"),
        pytest.param(0, 3, 720, EXAMPLES["cal-month-30d-3h"]["expected"]["availability"], id="month-3h"),
        pytest.param(0, 10, 110, EXAMPLES["bemas-100-10"]["expected"]["availability"], id="bemas"),
        pytest.param(0, 100, 1000, EXAMPLES["inherent-900-100"]["expected"]["availability"], id="inherent"),
        pytest.param(0, 0, 720, 1.0, id="standby-month"),
    ],
)
def test_published_availabilities(planned: float, unplanned: float, required: float, availability: float) -> None:
    spans = [work(0, planned), stop(planned + 1, planned + 1 + unplanned)]
    found = figures(spans, hour(0), hour(required), FAR)
    assert found.availability == pytest.approx(availability, abs=5e-5)
    assert found.downtime == timedelta(hours=planned + unplanned)


@pytest.mark.parametrize(
    "name", ["mtbf-gulati-2000h", "mtbf-rcm-6500", "mtbf-chiller-3600", "mtbf-relialearn-45000", "mtbf-nist-800"]
)
def test_published_operating_hours_over_failures(name: str) -> None:
    operating, failures = EXAMPLES[name]["input"]["operating_h"], EXAMPLES[name]["input"]["failures"]
    events = [stop(each, each) for each in range(failures)]
    assert figures(events, hour(0), hour(operating), FAR).mtbf_s == EXAMPLES[name]["expected"]["mtbf_h"] * H


def test_mttr_chiller() -> None:
    expected = EXAMPLES["mttr-chiller"]["expected"]["mttr_min"]
    repairs = [stop(2 * each, 2 * each + 1) for each in range(EXAMPLES["mttr-chiller"]["input"]["repairs"])]
    assert figures(repairs, hour(0), hour(100), FAR).mttr_s == expected * 60


def test_proschan_plane_9_the_mean_of_operating_hours_between_failures() -> None:
    example = EXAMPLES["proschan-plane-9"]
    running, events = 0.0, []
    for interval in example["input"]["intervals_h"]:
        running += interval
        events.append(stop(running - 1e-3, running - 1e-3))
    found = figures(events, hour(0), hour(running), FAR)
    assert found.failures_effective == example["expected"]["n"]
    assert (found.mtbf_s or 0) / H == pytest.approx(example["expected"]["mean_h"], abs=5e-4)


def test_smoke_detectors_pool_unit_time_of_those_that_did_not_fail_too() -> None:
    example = EXAMPLES["smoke-detectors"]
    year = 365 * 24.0
    until = hour(example["input"]["years"] * year)
    units = [
        figures([stop(year, year)] if unit < example["input"]["failed"] else [], hour(0), until, FAR)
        for unit in range(example["input"]["units"])
    ]
    assert pool(units).mtbf_s == example["expected"]["mtbf_years"] * year * H


def test_real_outages_across_daylight_saving_last_as_long_as_was_published() -> None:
    example = EXAMPLES["lanl-dst-24"]
    zone = ZoneInfo(example["input"]["tz"])
    for record in example["input"]["records"]:
        start = datetime.fromisoformat(record["start_local"]).replace(tzinfo=zone).astimezone(UTC)
        end = datetime.fromisoformat(record["end_local"]).replace(tzinfo=zone, fold=record["end_fold"]).astimezone(UTC)
        found = figures([Span(start, end)], utc("1998-01-01"), utc("2006-01-01"), FAR)
        assert found.row()["downtime_s"] == record["published_minutes"] * 60


@pytest.mark.parametrize(("hours", "bound"), [(1000, 434), (0.0, 0)])
def test_without_failures_mtbf_has_the_lower_bound_that_nist_tabulates_at_90_percent(hours: float, bound: int) -> None:
    """NIST's e-Handbook gives 434 h for 1000 h without failure; of a window all down nothing can be said but 0."""
    found = figures([work(hours, 1001)], hour(0), hour(max(hours, 1)), FAR)
    assert LOWER_BOUND_CONFIDENCE == 0.90
    assert (found.mtbf_lower_bound_s or 0) / H == pytest.approx(bound, abs=0.5)
    assert (found.mtbf_s, found.mttr_s) == (None, None)


def test_mttr_leaves_planned_work_out() -> None:
    assert of_day(work(2, 5), stop(8, 10)).mttr_s == 2 * H


# Windows, as-of, dates


def test_with_failures_there_is_no_lower_bound() -> None:
    assert of_day(stop(8, 9)).mtbf_lower_bound_s is None


@pytest.mark.parametrize(("since", "until", "as_of"), [(0, 0, 24), (5, 3, 24), (0, 24, 0), (6, 24, 5)])
def test_without_required_time_every_ratio_is_null(since: float, until: float, as_of: float) -> None:
    found = figures([stop(-1, 30), stop(0, 0)], hour(since), hour(until), hour(as_of))
    row = found.row()
    assert found == Figures()
    assert {name for name, value in row.items() if value is None} == {
        "availability",
        "availability_unplanned",
        "mtbf_s",
        "mttr_s",
        "mtbf_lower_bound_s",
    }


def test_as_of_cuts_spans_and_required_time() -> None:
    found = of_day(stop(8, 20), stop(22, 23), as_of=12)
    assert found == Figures(
        required=timedelta(hours=12),
        unplanned_downtime=timedelta(hours=4),
        failures_reported=1,
        failures_effective=1,
        open_downtimes=1,
    )


def test_a_span_that_ends_at_the_as_of_time_is_not_open() -> None:
    assert of_day(stop(8, 12), as_of=12).open_downtimes == 0


def test_a_span_that_starts_at_the_as_of_time_is_not_seen() -> None:
    assert of_day(stop(12, None), as_of=12) == Figures(required=timedelta(hours=12))


def test_a_downtime_open_now_but_begun_after_the_window_is_not_open_in_it() -> None:
    assert of_day(stop(30, None), as_of=48).open_downtimes == 0
    assert of_day(stop(23, None), as_of=48).open_downtimes == 1


def test_an_impossible_span_is_never_open() -> None:
    assert of_day(Span(None, hour(30)), stop(20, 18), stop(20, 19.5), as_of=19).open_downtimes == 0


def test_decommissioning_ends_required_time_and_open_spans_which_stay_flagged() -> None:
    found = figures([stop(8, None)], hour(0), hour(24), hour(24), decommissioned=hour(12))
    assert (found.required, found.unplanned_downtime, found.open_downtimes) == (hour(12) - ORIGIN, hour(4) - ORIGIN, 1)


def test_a_span_ended_after_decommissioning_is_cut_there_and_not_open() -> None:
    found = figures([stop(8, 20)], hour(0), hour(24), hour(24), decommissioned=hour(12))
    assert (found.unplanned_downtime, found.open_downtimes) == (timedelta(hours=4), 0)


def test_an_outage_that_runs_into_the_in_service_date_counts_hours_and_no_failure() -> None:
    found = figures([stop(6, 12)], hour(0), hour(24), hour(24), in_service=hour(8))
    assert (found.required, found.unplanned_downtime) == (timedelta(hours=16), timedelta(hours=4))
    assert (found.failures_reported, found.failures_effective) == (0, 0)


def test_a_reported_failure_belongs_to_its_own_start_and_an_effective_one_to_its_outage() -> None:
    spans = [work(8, 12), stop(10, 15)]
    before, after = (figures(spans, hour(since), hour(until), FAR) for since, until in ((0, 9), (9, 24)))
    assert (before.failures_reported, before.failures_effective) == (0, 1)
    assert (after.failures_reported, after.failures_effective) == (1, 0)
    assert (before.planned_downtime, after.planned_downtime) == (timedelta(hours=1), timedelta(hours=3))


def test_a_failure_at_the_windows_start_is_in_it_and_one_at_its_end_is_not() -> None:
    assert of_day(stop(0, 0), stop(24, 24), as_of=48).failures_effective == 1


def test_unknown_planned_counts_as_unplanned() -> None:
    found = of_day(Span(hour(8), hour(9), planned=None))
    assert (found.planned_downtime, found.unplanned_downtime) == (timedelta(), timedelta(hours=1))


def test_seconds_are_exact_to_the_microsecond_and_ratios_are_divided_once() -> None:
    micro = timedelta(microseconds=1)
    spans = [Span(hour(1), hour(1) + micro), Span(hour(2), hour(2) + 2 * micro), Span(hour(3), hour(3) + 4 * micro)]
    found = of_day(*spans)
    assert found.row()["unplanned_downtime_s"] == 7e-06
    assert found.row()["uptime_s"] == 86399.999993
    assert found.mttr_s == float(Fraction(7, 3_000_000))
    assert found.mtbf_s == float(Fraction(86_399_999_993, 3_000_000))


# Pooling


def test_pooling_sums_before_it_divides() -> None:
    one, other = of_day(stop(8, 20)), figures([], hour(0), hour(72), FAR)
    assert (one.availability, other.availability) == (0.5, 1.0)
    assert pool([one, other]).availability == 84 / 96
    assert pool([one, other]).mtbf_s == 84 * H


def test_a_pool_of_nothing_is_all_zero_with_null_ratios() -> None:
    assert pool([]) == Figures()
    assert pool([]).availability is None


# Against the sweep


@untimed
@given(span_lists(), TIMES, TIMES, TIMES)
def test_figures_are_those_of_the_sweep(spans: list[Span], since: int, until: int, as_of: int) -> None:
    swept = sweep(spans, since, min(until, as_of), as_of)
    found = figures(spans, at(since), at(until), at(as_of))
    assert found.required == timedelta(seconds=max(0, min(until, as_of) - since))
    assert found.planned_downtime == timedelta(seconds=swept.planned_s)
    assert found.unplanned_downtime == timedelta(seconds=swept.unplanned_s)
    assert found.failures_reported == swept.reported
    assert found.failures_effective == swept.effective


@untimed
@given(span_lists(), TIMES, TIMES, TIMES, TIMES)
def test_dates_cut_a_window_as_its_own_ends_do(
    spans: list[Span], in_service: int, decommissioned: int, until: int, as_of: int
) -> None:
    horizon = min(as_of, decommissioned)
    swept = sweep(spans, in_service, min(until, horizon), horizon)
    found = figures(spans, START, at(until), at(as_of), in_service=at(in_service), decommissioned=at(decommissioned))
    assert found.required == timedelta(seconds=max(0, min(until, horizon) - in_service))
    assert found.downtime == timedelta(seconds=swept.planned_s + swept.unplanned_s)
    assert (found.failures_reported, found.failures_effective) == (swept.reported, swept.effective)


@untimed
@given(span_lists(), TIMES, st.randoms(use_true_random=False))
def test_the_order_of_spans_changes_no_figure(spans: list[Span], as_of: int, random: Random) -> None:
    shuffled = list(spans)
    random.shuffle(shuffled)
    window = (at(0), at(LAST + 1), at(as_of))
    assert figures(shuffled, *window) == figures(spans, *window)


def added(parts: Iterable[Figures]) -> Figures:
    """The sum of windows: open downtimes are no sum, for one may be open in several windows."""
    total = pool(parts)
    return Figures(
        total.required,
        total.planned_downtime,
        total.unplanned_downtime,
        total.failures_reported,
        total.failures_effective,
    )


def cut_up(spans: Sequence[Span], cuts: Sequence[datetime], as_of: datetime) -> list[Figures]:
    return [
        figures(spans, since, until, as_of, in_service=cuts[0] + timedelta(seconds=2))
        for since, until in itertools.pairwise(cuts)
    ]


@untimed
@given(span_lists(), st.lists(TIMES, min_size=3, max_size=6), TIMES)
def test_a_window_split_anywhere_adds_up_in_seconds_and_in_failures(
    spans: list[Span], cuts: list[int], as_of: int
) -> None:
    marks = [START, *(at(cut) for cut in sorted(cuts)), at(LAST)]
    assert added(cut_up(spans, marks, at(as_of))) == added(cut_up(spans, [marks[0], marks[-1]], at(as_of)))


YEAR = datetime(2024, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(-40 * 86_400_000_000, 400 * 86_400_000_000).map(
    lambda micros: YEAR + timedelta(microseconds=micros)
)


@untimed
@given(
    st.lists(st.builds(Span, MOMENTS, st.one_of(MOMENTS, st.none()), st.booleans(), st.booleans()), max_size=12),
    MOMENTS,
)
def test_months_cut_in_the_sites_zone_add_up_to_the_year_exactly(spans: list[Span], as_of: datetime) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    firsts = [datetime(2024, month, 1, tzinfo=berlin).astimezone(UTC) for month in range(1, 13)]
    marks = [*firsts, datetime(2025, 1, 1, tzinfo=berlin).astimezone(UTC)]
    assert added(cut_up(spans, marks, as_of)) == added(cut_up(spans, [marks[0], marks[-1]], as_of))


# A real fleet

LANL = SAMPLES / "lanl_s20.jsonl"
ORACLE = json.loads((SAMPLES / "oracles.json").read_text())["lanl_s20"]
"""Computed independently, by interval union and by a sweep of every second of the year."""
YEAR_2004 = (utc("2004-01-01"), utc("2005-01-01"))
MID_2004 = utc("2004-07-05")


def fleet(known_until: datetime = FAR) -> dict[str, list[Span]]:
    """Every asset's spans; facts of that time and later withheld."""
    facts: dict[str, dict[str, Any]] = defaultdict(dict)
    assets: dict[str, list[Span]] = {}
    for line in LANL.read_text().splitlines():
        event = json.loads(line)
        assets.setdefault(event["data"]["asset_key"], [])
        if event["type"].startswith("downtime.") and utc(event["occurred_at"]) < known_until:
            facts[event["data"]["key"]].update(event["data"])
    for key, data in facts.items():
        start, end = (data.get(name) for name in ("started_at", "ended_at"))
        span = Span(utc(start) if start else None, utc(end) if end else None, data["planned"], data["failure"], ref=key)
        assets[data["asset_key"]].append(span)
    return assets


def test_a_real_fleet_in_2004_gives_its_published_outages() -> None:
    found = {asset: figures(spans, *YEAR_2004, FAR) for asset, spans in fleet().items()}
    total = pool(found.values())
    expected = ORACLE["fleet"]
    assert len(found) == expected["assets_with_any_record"] == 400
    assert (total.failures_reported, total.failures_effective) == (expected["reported"], expected["effective"])
    assert total.open_downtimes == 0
    assert total.downtime / timedelta(hours=1) == pytest.approx(expected["downtime_h"], rel=1e-12)
    assert total.required == 400 * timedelta(days=366)


@pytest.mark.parametrize("asset", ORACLE["per_asset"])
def test_named_assets_of_the_real_fleet_in_2004(asset: str) -> None:
    expected = ORACLE["per_asset"][asset]
    found = figures(fleet()[asset], *YEAR_2004, FAR)
    assert (found.failures_reported, found.failures_effective) == (expected["reported"], expected["effective"])
    assert found.downtime / timedelta(hours=1) == pytest.approx(expected["downtime_h"], rel=1e-12)
    assert found.availability == pytest.approx(expected["availability"], rel=1e-12)
    assert (found.mtbf_s or 0) / H == pytest.approx(expected["mtbf_h"], rel=1e-12)
    assert (found.mttr_s or 0) / H == pytest.approx(expected["mttr_h"], rel=1e-12)


@pytest.mark.parametrize("known_until", [MID_2004, FAR], ids=["later facts withheld", "later facts known"])
def test_the_real_fleet_as_of_mid_2004_is_cut_there_whatever_is_known_later(known_until: datetime) -> None:
    total = pool(figures(spans, *YEAR_2004, MID_2004) for spans in fleet(known_until).values())
    assert (total.failures_reported, total.failures_effective, total.open_downtimes) == (278, 278, 1)
    assert total.downtime / timedelta(hours=1) == pytest.approx(434.0833333333333, abs=1e-9)
