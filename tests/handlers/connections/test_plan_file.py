"""`pm_plans.toml`: what it says, and every mistake with its place and its mend."""

from datetime import date, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from handlers.connections.plan_file import FilePlan, parse_plans, read_plan_file
from handlers.errors import ConfigurationError
from handlers.rules.due import Shift
from handlers.rules.pm_plan import MeterRule
from handlers.rules.recurrence import Every, Rule
from handlers.rules.working_days import Stretch, WorkingDays

WHOLE = """
[plans.GREASE]
connection = "acme"
name = "Grease the bearings"
assets = ["PUMP-7"]
every = "3 months"
from = 2026-01-31
until = 2030-12-31
time = 07:30:00
time_zone = "Europe/Berlin"
shift = { late = 50, tolerance_late = 10 }
due = "calendar_or_meter"
meter = { key = "M-7", every = 500, from = 0, ahead = "12.5" }
lead_days = 14
call_horizon = 80
grace = "smrp_20_percent"
early_fails = true
season = { first = "04-01", last = "10-31", outside = "skip" }
holidays = { days = [2026-12-25], move = "before" }
blackouts = { stretches = [{ from = 2026-05-01, to = 2026-05-03 }] }
shutdowns = [{ from = 2026-08-01, to = 2026-08-21 }]
missed = "stack"
open_limit = 3
cancelled = "again"
covers = ["CHECK"]
cover_days = 10
hours = 1.5
crew = 2
team = "mechanics"
active = false
[plans."CHECK 2"]
connection = "acme"
plan = "CHECK"
rule = "freq=monthly;bymonthday=-1"
"""


def test_everything_that_a_plan_may_say() -> None:
    whole, short = parse_plans(WHOLE, "f")

    assert whole == FilePlan(
        "acme",
        "GREASE",
        {
            "name": "Grease the bearings",
            "team": "mechanics",
            "recurrence": Every(3, "month"),
            "anchor": date(2026, 1, 31),
            "ends": date(2030, 12, 31),
            "clock": time(7, 30),
            "zone": ZoneInfo("Europe/Berlin"),
            "basis": "calendar_or_meter",
            "grace": "smrp_20_percent",
            "missed": "stack",
            "cancelled": "again",
            "meter": MeterRule("M-7", Decimal(500), start=Decimal(0), expedite=Decimal("12.5")),
            "shift": Shift(late=50, tolerance_late=10),
            "working": WorkingDays(
                season=((4, 1), (10, 31)),
                out_of_season="skip",
                holidays=frozenset({date(2026, 12, 25)}),
                on_holiday="before",
                blackouts=(Stretch(date(2026, 5, 1), date(2026, 5, 3)),),
            ),
            "shutdowns": (Stretch(date(2026, 8, 1), date(2026, 8, 21)),),
            "lead_days": 14,
            "call_horizon": 80,
            "open_limit": 3,
            "cover_days": 10,
            "crew": 2,
            "duration_s": 5400,
            "assets": ("PUMP-7",),
            "covers": ("CHECK",),
            "early_fails": True,
            "is_active": False,
        },
    )
    assert short == FilePlan("acme", "CHECK", {"recurrence": Rule("FREQ=MONTHLY;BYMONTHDAY=-1")})


def test_no_file_is_no_plan(tmp_path: Path) -> None:
    assert read_plan_file(tmp_path / "pm_plans.toml") == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", 'plans.P.connection: is missing; say whose plan it is: connection = "ID"'),
        ('conection = "c"', "did you mean connection?"),
        ('connection = "c"\nevery = "3 moons"', 'f:3: plans.P.every: is no interval; write one like "10 days"'),
        ('connection = "c"\nevery = "0 days"', "is no interval"),
        ('connection = "c"\nevery = "1 day"\nrule = "FREQ=DAILY"', "stands beside `every`; keep one of them"),
        ('connection = "c"\nrule = "FREQ=HOURLY"', "has no FREQ of DAILY, WEEKLY, MONTHLY, YEARLY"),
        ('connection = "c"\nrule = "FREQ=DAILY"\nmode = "completion"', 'write every = "3 months", or mode = "fixed"'),
        ('connection = "c"\nfrom = "2026-01-01"', "is no day from 1970 to 2199; write one without quotes"),
        ('connection = "c"\nfrom = 0001-01-01', "is no day from 1970 to 2199"),
        ('connection = "c"\nmeter = { key = "M", every = 1e30 }', "is no number"),
        ('connection = "c"\nfrom = 2026-01-01T00:00:00Z', "is no day"),
        ('connection = "c"\nfrom = 2026-01-02\nuntil = 2026-01-01', "is before `from`; write a later day"),
        ('connection = "c"\ntime = "7:30"', "is no time of day; write one without quotes, as 07:30:00"),
        ('connection = "c"\ntime_zone = "Berlin"', "is no IANA time zone"),
        ('connection = "c"\nmode = "sliding"', "is none of fixed, completion, generation"),
        ('connection = "c"\ngrace = "week"', "is none of none, day, smrp_20_percent, ten_percent"),
        ('connection = "c"\nmeter = { every = 5 }', "plans.P.meter.key: is missing; name the meter"),
        ('connection = "c"\nmeter = { key = "M", every = 0 }', "is no number above 0"),
        ('connection = "c"\nmeter = { key = "M", every = nan }', "is no number"),
        ('connection = "c"\nshift = { late = 101 }\nfrom = 2026-01-01', "is no number from 0 to 100"),
        ('connection = "c"\nshift = { late = 1 }', "counts from a day; add one, such as from = 2026-01-01"),
        ('connection = "c"\nshift = {}\nfrom = 2026-01-01\nmode = "completion"', "leave `mode` out"),
        ('connection = "c"\nopen_limit = 3', 'counts only what stacks; add missed = "stack"'),
        ('connection = "c"\nlead_days = -1', "is no number from 0 to 3660"),
        ('connection = "c"\nseason = { first = "4-1", last = "10-31" }', 'write month and day, as "04-01"'),
        ('connection = "c"\nholidays = { days = ["2026-12-25"] }', "is no day; write one without quotes"),
        ('connection = "c"\nshutdowns = [{ from = 2026-08-21, to = 2026-08-01 }]', "is no stretch of days"),
        ('connection = "c"\nassets = [7]', "plans.P.assets[0]: is a number; write keys as strings"),
        ('connection = "c"\nhours = -1', "is no number from 0 to 10000"),
        ('connection = "c"\nactive = "no"', "is a string; write a boolean"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_its_mend(text: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_plans(f"[plans.P]\n{text}\n", "f")

    assert why in str(refused.value)
    assert str(refused.value).startswith("f:")


def test_all_mistakes_are_told_at_once_and_what_is_no_toml_too() -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_plans('[plans.P]\nevery = 3\n[plans.Q]\nconnection = "c"\nhours = "x"\nplan = "P"\n[plan]\n', "f")
    assert len(refused.value.problems) == 4

    with pytest.raises(ConfigurationError, match="f: is no TOML"):
        parse_plans("plans = ", "f")


def test_one_plan_told_twice_is_a_mistake() -> None:
    twice = '[plans.P]\nconnection = "c"\n[plans.Q]\nconnection = "c"\nplan = "P"\n'

    with pytest.raises(ConfigurationError, match="is the second of plan P of c; put both into one"):
        parse_plans(twice, "f")
