"""The traps of SAP's dates, times and zones."""

from typing import Any

import pytest

from tests.handlers.sources.reading import event, refusal
from tests.handlers.sources.sap import BERLIN, CHANGED, FEBRUARY_27, codes, document, notification, order


@pytest.mark.parametrize("zone", [None, "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(
    "written",
    [
        "/Date(1492041600000)/",
        "/Date(1492041600000+0540)/",
        "2017-04-13",
        "2017-04-13T00:00:00",
        "2017-04-13T09:00:00+09:00",
        "2017-04-12T19:00:00-05:00",
        "2017-04-13T00:00:00+02:00",
    ],
)
def test_a_date_in_milliseconds_is_a_calendar_date_in_every_zone(written: str, zone: str | None) -> None:
    found = event("sap", order(LatestAcceptableCompletionDate=written), time_zone=zone)

    assert (found.fields["due_date"], found.warnings) == ("2017-04-13", ())


def test_a_timestamp_is_an_instant_whatever_offset_it_is_shown_with() -> None:
    for written in ("/Date(1772538129000+0000)/", "/Date(1772538129000+0540)/", "2026-03-03T11:42:09Z"):
        found = event("sap", order(MaintOrdBasicStartDateTime=written))
        assert found.fields["planned_start_at"] == "2026-03-03T11:42:09Z"


def test_an_empty_timestamp_falls_back_to_the_date_and_the_time_beside_it() -> None:
    pair = {"MaintOrdBasicStartDate": FEBRUARY_27, "MaintOrdBasicStartTime": "PT06H00M00S"}
    found = event("sap", order(MaintOrdBasicStartDateTime="", **pair), time_zone=BERLIN)
    twin = event("sap", order(MaintOrdBasicStartDateTime=CHANGED, **pair), time_zone=BERLIN)

    assert (found.fields["planned_start_at"], codes(found)) == ("2026-02-27T05:00:00Z", ["tz_assumed"])
    assert (twin.fields["planned_start_at"], codes(twin)) == ("2026-03-03T11:42:09Z", [])


def test_a_time_beside_no_date_is_no_time() -> None:
    found = event("sap", order(MaintOrdBasicStartDate=None, MaintOrdBasicStartTime="PT00H00M00S"), time_zone=BERLIN)

    assert found.fields["planned_start_at"] is None


@pytest.mark.parametrize(
    ("clock", "utc"), [("PT24H00M00S", "2026-02-28T00:00:00Z"), ("15:51:04", "2026-02-27T15:51:04Z")]
)
def test_the_end_of_a_day_is_the_next_midnight_and_v4_writes_times_plainly(clock: str, utc: str) -> None:
    body = order(MaintOrdBasicEndDate=FEBRUARY_27, MaintOrdBasicEndTime=clock)

    assert event("sap", body, time_zone="UTC").fields["planned_end_at"] == utc


@pytest.mark.parametrize("clock", ["PT25H", "PT24H01M", "11:61", "noon", 5])
def test_a_time_that_is_none_is_refused_with_its_path(clock: Any) -> None:
    refused = refusal("sap", order(MaintOrdBasicEndDate=FEBRUARY_27, MaintOrdBasicEndTime=clock)).error

    assert refused.path == "$.MaintOrdBasicEndTime"


@pytest.mark.parametrize(
    ("zone", "options", "utc", "warned"),
    [
        ("CET", {}, "2026-02-27T10:43:53Z", []),
        ("EST", {}, "2026-02-27T16:43:53Z", []),
        ("CET", {"site_zones": {"CET": "Europe/Helsinki"}}, "2026-02-27T09:43:53Z", []),
        ("Asia/Tokyo", {}, "2026-02-27T02:43:53Z", []),
        ("", {"time_zone": BERLIN}, "2026-02-27T10:43:53Z", ["tz_assumed"]),
        ("", {"time_zone": BERLIN, "site_zones": {"1710": "UTC"}}, "2026-02-27T11:43:53Z", ["tz_assumed"]),
        ("XXX", {"time_zone": BERLIN}, "2026-02-27T10:43:53Z", ["time_zone_unknown", "tz_assumed"]),
    ],
)
def test_a_date_with_a_time_is_of_the_zone_that_the_notification_names_else_of_its_plant(
    zone: str, options: dict[str, Any], utc: str, warned: list[str]
) -> None:
    body = notification(
        NotificationTimeZone=zone,
        MaintenancePlant="1710",
        MalfunctionStartDate=FEBRUARY_27,
        MalfunctionStartTime="PT11H43M53S",
    )
    found = event("sap", body, **options)

    assert (found.fields["malfunction_start_at"], codes(found)) == (utc, warned)


@pytest.mark.parametrize(
    ("day", "utc"),
    [("/Date(1774742400000)/", "2026-03-29T01:30:00Z"), ("/Date(1792886400000)/", "2026-10-25T00:30:00Z")],
)
def test_a_time_that_a_clock_change_skips_or_repeats_is_read_by_one_rule_and_doubted(day: str, utc: str) -> None:
    """In the gap the offset before it holds, in the overlap the first of the two is meant."""
    body = order(MaintOrdBasicStartDate=day, MaintOrdBasicStartTime="PT02H30M00S")
    found = event("sap", body, time_zone=BERLIN)

    assert found.fields["planned_start_at"] == utc
    assert "time_ambiguous" in codes(found)


def test_without_a_zone_a_time_is_kept_unread_and_the_rest_is_told() -> None:
    pair = {"MaintOrdBasicStartDate": FEBRUARY_27, "MaintOrdBasicStartTime": "PT06H00M00S"}
    found = event("sap", order(MaintenanceOrderDesc="x", **pair))

    assert "planned_start_at" not in found.fields
    assert (found.fields["title"], found.custom_fields, codes(found)) == ("x", pair, ["time_zone_missing"])


def test_a_record_whose_own_order_hangs_on_a_zone_that_nobody_set_waits_for_it() -> None:
    refused = refusal("sap", document(MeasurementReadingInEntryUoM=1, MeasurementReadingEntryUoM="KM")).error

    assert (refused.code, refused.path) == ("missing_time_zone", "$.MsmtRdngDate")
