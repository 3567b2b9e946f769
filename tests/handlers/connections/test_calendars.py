"""`calendars.toml`: what it says, what is wrong with it and how to mend that, and that it is read again."""

from datetime import date, time
from pathlib import Path

import pytest

from handlers.connections.calendar_file import Calendars
from handlers.connections.calendars import parse_calendars
from handlers.errors import ConfigurationError
from handlers.rules.calendars import Calendar, Shift
from handlers.rules.recurrence import Rule

GOOD = """
[calendars.two-shift]
time_zone = "Europe/Berlin"
shifts = [
  { days = "Mon-Fri", from = "06:00", to = "22:00" },
  { days = "sat, sun", from = "22:00", to = "24:00" },
  { rrule = "FREQ=MONTHLY;BYDAY=1SA", anchor = 2026-01-03, from = "06:00", to = "14:00" },
]
holidays = [2026-12-25, "2026-12-27/2026-12-29"]

[connections.acme]
calendar = "two-shift"
sites = { NORTH = "always" }
assets = { "PUMP-7" = "two-shift" }
"""


def test_a_file_says_who_operates_when() -> None:
    acme = parse_calendars(GOOD, "calendars.toml")["acme"]
    two_shift = Calendar(
        name="two-shift",
        zone="Europe/Berlin",
        shifts=(
            Shift(time(6), time(22), frozenset(range(5))),
            Shift(time(22), time(0), frozenset({5, 6})),
            Shift(time(6), time(14), rule=Rule("FREQ=MONTHLY;BYDAY=1SA"), anchor=date(2026, 1, 3)),
        ),
        holidays=frozenset({date(2026, 12, 25), *(date(2026, 12, day) for day in (27, 28, 29))}),
    )
    assert acme.of("ANY", None) == two_shift
    assert (acme.of("ANY", "NORTH") or two_shift).name == "always"
    assert acme.of("PUMP-7", "NORTH") == two_shift


def test_a_range_of_days_may_run_over_the_end_of_the_week() -> None:
    text = GOOD.replace("Mon-Fri", "fri-mon")
    calendar = parse_calendars(text, "c")["acme"].calendar
    assert calendar is not None
    assert calendar.shifts[0].weekdays == {4, 5, 6, 0}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"Europe/Berlin"', '"Berlin"', "f:3: calendars.two-shift.time_zone: is no IANA time zone; write one like"),
        ('time_zone = "Europe/Berlin"', "", 'f:2: calendars.two-shift.time_zone: is missing; write one like "Europe'),
        ("Mon-Fri", "Mon-Fry", 'f:5: calendars.two-shift.shifts[0].days: are no days; write them like "mon-fri"'),
        ('from = "06:00", to = "22:00"', 'to = "22:00"', "f:5: calendars.two-shift.shifts[0].from: is no time of day;"),
        ('to = "14:00"', 'to = "25:00"', "f:7: calendars.two-shift.shifts[2].to: is no time of day; write one like"),
        ("FREQ=MONTHLY;BYDAY=1SA", "FREQ=HOURLY", "f:7: calendars.two-shift.shifts[2].rrule: has no FREQ of DAILY"),
        ("anchor = 2026-01-03, ", "", "f:7: calendars.two-shift.shifts[2].anchor: is the day from which the rule"),
        ("{ rrule", '{ days = "sat", rrule', "f:7: calendars.two-shift.shifts[2].days: goes without rrule"),
        ("2026-12-25,", "2026-12-25T00:00:00Z,", "f:9: calendars.two-shift.holidays[0]: is no day; write one like"),
        ("27/2026-12-29", "29/2026-12-27", "f:9: calendars.two-shift.holidays[1]: is no day; write one like"),
        ("holidays", "holiday", "f:9: calendars.two-shift.holiday: is no field here; did you mean holidays?"),
        ('"always"', '"nights"', "f:13: connections.acme.sites.NORTH: is no calendar; there are two-shift, always;"),
        ('calendar = "two', 'calendar = "too', "f:12: connections.acme.calendar: is no calendar; there are two-shift"),
        ("[calendars.two-shift]", "[calendars.always]", "f:2: calendars.always: is the calendar that goes around the"),
        ("shifts = [", "shifts = [ 7,", "f:4: calendars.two-shift.shifts[0]: is a number; write a table"),
        ("[connections.acme]", "[connection.acme]", "f:11: connection: is no field here; did you mean connections?"),
        ("time_zone =", "time_zone", "f:3: column 11: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_its_mend(old: str, new: str, problem: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigurationError) as caught:
        parse_calendars(GOOD.replace(old, new, 1), "f")
    assert any(each.startswith(problem) for each in caught.value.problems), caught.value.problems


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_calendars(GOOD.replace("Berlin", "Burlin").replace("Mon-Fri", "all"), "f")
    assert len(caught.value.problems) == 2


def test_no_file_is_no_calendar(tmp_path: Path) -> None:
    assert Calendars(tmp_path / "calendars.toml").of("acme", "PUMP-7", None) is None


def test_a_changed_file_serves_and_a_bad_edit_keeps_the_last_good_one(tmp_path: Path) -> None:
    path = tmp_path / "calendars.toml"
    path.write_text(GOOD)
    calendars = Calendars(path)
    assert not calendars.refresh()

    path.write_text(GOOD.replace("Europe/Berlin", "Europe/Paris"))
    assert calendars.refresh()
    assert (calendars.of("acme", "X", None) or Calendar("", "", ())).zone == "Europe/Paris"

    path.write_text("[calendars")
    assert not calendars.refresh()
    assert "mend the TOML there" in " ".join(calendars.problems)
    assert (calendars.of("acme", "X", None) or Calendar("", "", ())).zone == "Europe/Paris"

    path.write_text(GOOD)
    assert calendars.refresh()
    assert not calendars.problems

    path.unlink()
    assert calendars.refresh()
    assert calendars.of("acme", "X", None) is None


def test_a_file_that_is_bad_from_the_start_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calendars.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError) as caught:
        Calendars(path)
    assert "is not UTF-8 there" in caught.value.problems[0]
