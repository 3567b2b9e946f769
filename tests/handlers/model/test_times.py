"""Dates and instants, in and out."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.errors import PermanentError
from handlers.events import MappingOptions
from handlers.model.reading import Context
from handlers.model.times import instant, instant_text, read_date, read_instant, read_instant_or_date


def context(zone: str | None = None) -> Context:
    return Context(MappingOptions(time_zone=zone))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z"),
        ("2026-03-01t08:00:00z", "2026-03-01T08:00:00Z"),
        ("2026-03-01 08:00:00Z", "2026-03-01T08:00:00Z"),
        ("2026-03-01T08:00:00+00:00", "2026-03-01T08:00:00Z"),
        ("2026-03-01T08:00:00-00:00", "2026-03-01T08:00:00Z"),
        ("2026-03-01T00:30:00+05:45", "2026-02-28T18:45:00Z"),
        ("2026-12-31T20:00:00-08:00", "2027-01-01T04:00:00Z"),
        ("2026-03-01T08:00:00.5Z", "2026-03-01T08:00:00.500000Z"),
        ("2026-03-01T08:00:00.000Z", "2026-03-01T08:00:00Z"),
        ("2026-03-01T08:00:00.123456999Z", "2026-03-01T08:00:00.123456Z"),
        ("2026-03-01 08:00:00.1234567+01:00", "2026-03-01T07:00:00.123456Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T15:59:60.9-08:00", "2017-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_an_instant_is_kept_in_utc(written: str, kept: str) -> None:
    assert kept == read_instant(written, "x", context())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-01",
        "2026-03-01T08:00Z",
        "2026-03-01T08:00:00+0100",
        "2026-03-01T08:00:00+24:00",
        "2026-03-01T08:00:00+01:60",
        "2026-03-01T08:00:00,5Z",
        "2026-03-01T08:00:00.Z",
        "2026-03-01T08:00:00.123456 +00:00",
        "2026-03-01T08:00:00.123456²Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T08:60:00Z",
        "2026-03-01T08:00:60Z",
        "2026-03-01T08:00:61Z",
        "2026-02-29T08:00:00Z",
        "20260301T080000Z",
        "2026-W09-7T08:00:00Z",
        "2026-03-01T08:00:00Z\n",
        "٢٠٢٦-03-01T08:00:00Z",
    ],
)
def test_other_texts_are_no_instants(text: str) -> None:
    with pytest.raises(PermanentError) as raised:
        read_instant(text, "x", context("UTC"))

    assert raised.value.code == "malformed_value"


@given(st.datetimes(timezones=st.timezones()) | st.datetimes(timezones=st.just(UTC)))
def test_any_moment_written_with_an_offset_is_read_as_that_moment(moment: datetime) -> None:
    offset = moment.utcoffset() or timedelta()
    whole_minutes = (
        moment.astimezone(timezone(timedelta(minutes=offset // timedelta(minutes=1)))) if _fits(moment) else None
    )
    if whole_minutes is None:
        return

    read = instant(whole_minutes.isoformat(), "x", context())

    assert moment.astimezone(UTC) == read
    assert read == instant(instant_text(read), "x", context())


def _fits(moment: datetime) -> bool:
    return 1 < moment.year < 9999


@pytest.mark.parametrize(
    ("local", "kept"),
    [
        ("2026-03-29T01:59:59", "2026-03-29T00:59:59Z"),
        ("2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
    ],
)
def test_a_time_without_an_offset_is_of_the_connections_zone(local: str, kept: str) -> None:
    shared = context("Europe/Berlin")

    assert kept == read_instant(local, "x", shared)
    assert shared.warnings == []


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("Europe/Berlin", "2026-03-29"),
        ("America/New_York", "2026-11-01"),
        ("Pacific/Apia", "2011-12-30"),  # a day that was not
        ("Africa/Freetown", "1939-09-03"),  # two changes within four days, no zone has nearer ones
    ],
)
def test_near_a_change_of_clocks_every_time_is_what_its_zone_says(name: str, day: str) -> None:
    zone = ZoneInfo(name)
    for half_hours in range(-4 * 48, 4 * 48):
        local = datetime.fromisoformat(day) + half_hours * timedelta(minutes=30)
        shared = context(name)

        read = instant(local.isoformat(), "x", shared)

        first = local.replace(tzinfo=zone)
        assert first.astimezone(UTC) == read
        assert (first.utcoffset() != first.replace(fold=1).utcoffset()) == bool(shared.warnings)


@pytest.mark.parametrize(
    ("local", "kept"),
    [("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"), ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z")],
)
def test_a_time_that_is_two_or_none_is_read_as_rfc_5545_says_and_doubted(local: str, kept: str) -> None:
    shared = context("Europe/Berlin")

    assert kept == read_instant(local, "x", shared)
    assert [warning["code"] for warning in shared.warnings] == ["time_ambiguous"]


def test_a_date_is_never_shifted() -> None:
    assert read_date("2026-03-01", "x", context("Pacific/Auckland")) == "2026-03-01"
    assert read_instant_or_date("2026-03-01", "x", context("Pacific/Auckland")) == "2026-03-01"


def test_an_instant_or_date_may_be_an_instant_and_nothing_else() -> None:
    assert read_instant_or_date("2026-03-01T08:00:00+08:00", "x", context()) == "2026-03-01T00:00:00Z"
    for text in ("2026-02-30", "0000-01-01", "2026-3-1"):
        with pytest.raises(PermanentError):
            read_instant_or_date(text, "x", context())
