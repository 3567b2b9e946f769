"""The table of occurrences: the same whenever, however often and by whomever it was looked at."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from handlers.connections.plan_file import FilePlan, parse_plans
from handlers.connections.zones import zones_of
from handlers.events import Json
from handlers.rules import pm_schedule
from handlers.rules.occurrence import Occurrence
from handlers.rules.pm_plan import Plan
from handlers.store import schema
from handlers.store.engine import Database
from tests import folding
from worker.occurrences import Looks, PlanFile, kept_occurrences
from worker.rounds import EVERY
from worker.scheduler import Scheduler
from worker.telemetry import REGISTRY

NOON = folding.NOON
"""1 March 2026."""
DAY = 24 * 60
"""Minutes."""
FILE = parse_plans(
    """
    [plans.GREASE]
    connection = "c"
    every = "1 month"
    from = 2026-01-15
    hours = 1.5
    crew = 2
    grace = "day"
    [plans.OIL]
    connection = "c"
    meter = { key = "M", every = 500, from = 0 }
    [plans.YEARLY]
    connection = "c"
    every = "1 year"
    from = 2026-03-16
    covers = ["GREASE"]
    cover_days = 3
    """,
    "f",
)


class Hands:
    """Looks with clocks that a test moves."""

    def __init__(self, database: Database, plans: tuple[FilePlan, ...] = FILE) -> None:
        self.now = NOON
        self.passed = 0.0
        self.plans = plans
        self.looks = Looks(database, lambda: self.plans, lambda: zones_of({}), lambda: self.now, lambda: self.passed)

    def look(self, now: datetime | None = None) -> int:
        """A whole look; returns how many rows it changed."""
        self.now = now or self.now
        self.passed += EVERY.total_seconds()
        return self.looks.rounds.round()


def rows(database: Database) -> list[dict[str, Any]]:
    table = schema.pm_occurrences
    with database.read() as connection:
        found = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
        return [dict(row._mapping) for row in found]


def told(database: Database) -> list[tuple[str, str, str, str | None]]:
    return [(row["plan_key"], row["due_key"], row["state"], row["work_order_key"]) for row in rows(database)]


def facts() -> list[Any]:
    """A plan of upstream's, orders of three plans, readings; told between February and April."""
    ref: Callable[[str], Json] = lambda key: {"key": key, "label": None}  # noqa: E731  # short
    done: Json = {"value": "completed", "source_code": None, "source_label": None}
    plan: dict[str, Json] = {
        "cycles": [{"interval": "2", "unit": "week"}],
        "recurrence_basis": "floating",
        "next_due_at": "2026-03-05",
        "asset_refs": [ref("PUMP-1")],
        "name": "Look at it",
    }
    return [
        folding.event("asset.created", "PUMP-1", {"site_ref": ref("NORTH")}, at=-40 * DAY),
        folding.event("pm_plan.created", "LOOK", plan, at=-5 * DAY),
        folding.event("work_order.created", "W1", {"pm_plan_ref": ref("LOOK"), "due_date": "2026-03-05"}, at=-DAY),
        folding.event(
            "work_order.completed", "W1", {"status": done, "completed_at": "2026-03-07T09:00:00Z"}, at=6 * DAY
        ),
        folding.event(
            "work_order.created", "W2", {"pm_plan_ref": ref("GREASE"), "due_date": "2026-02-15"}, at=-20 * DAY
        ),
        folding.event(
            "work_order.completed", "W2", {"status": done, "completed_at": "2026-02-16T09:00:00Z"}, at=-13 * DAY
        ),
        folding.event("work_order.created", "W3", {"pm_plan_ref": ref("UNKNOWN"), "due_date": "2026-03-02"}, at=0),
        folding.event(
            "meter_reading.recorded",
            "R1",
            {"meter_ref": ref("M"), "value": "490", "read_at": "2026-02-20T08:00:00Z"},
            at=-9 * DAY,
        ),
        folding.event(
            "meter_reading.recorded",
            "R2",
            {"meter_ref": ref("M"), "value": "510", "read_at": "2026-03-02T08:00:00Z"},
            at=DAY,
        ),
    ]


def at(day: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def test_plans_of_upstream_of_the_file_and_of_orders_stand_in_the_table(database: Database) -> None:
    folding.apply(database, [facts()])
    hands = Hands(database)

    hands.look(at(20))

    settled = [row for row in told(database) if row[2] != "planned"]
    assert settled == [
        ("GREASE", "2026-01-15", "missed", None),
        ("GREASE", "2026-02-15", "completed", "W2"),
        ("GREASE", "2026-03-15", "covered", None),
        ("LOOK", "2026-03-05", "completed", "W1"),
        ("OIL", "meter:500", "overdue", None),
        ("UNKNOWN", "order:W3", "overdue", "W3"),
        ("YEARLY", "2026-03-16", "overdue", None),
    ]
    by_key = {(row["plan_key"], row["due_key"]): row for row in rows(database)}
    grease, look = by_key["GREASE", "2026-02-15"], by_key["LOOK", "2026-03-05"]
    assert (grease["on_time"], grease["crew_hours"], grease["due_until"]) == (
        True,
        "3",
        datetime(2026, 2, 17, tzinfo=UTC),
    )
    assert (look["on_time"], look["asset_key"], look["site_key"]) == (False, "PUMP-1", "NORTH")
    assert by_key["LOOK", "2026-03-21"]["state"] == "planned"
    assert by_key["GREASE", "2026-03-15"]["covered_by"] == "YEARLY/2026-03-16"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_is_the_same_however_often_and_whenever_anybody_looked_and_in_what_order_facts_came(
    database: Database, seed: int
) -> None:
    """One that looked at any time while facts came in any order, against one that slept until they all were there."""
    dice = random.Random(seed)
    events = facts()
    folding.apply(database, [events])
    Hands(database).look(at(20))
    expected = rows(database)
    folding.empty(database)
    dice.shuffle(events)
    one, other = Hands(database), Hands(database)

    for number, event in enumerate(events):
        folding.apply(database, [[event]])
        if dice.random() < 0.6:
            dice.choice([one, other]).look(at(1 + 2 * number))
    one.look(at(20))

    assert rows(database) == expected
    assert (one.look(), other.look(at(20))) == (0, 0)


def test_after_months_without_a_scheduler_one_look_is_enough_and_nothing_stacks_up(database: Database) -> None:
    folding.apply(database, [facts()])
    hands = Hands(database)
    hands.look(at(20))

    hands.look(at(20, month=9))

    grease = [row for row in told(database) if row[0] == "GREASE" and row[2] in {"due", "overdue"}]
    assert grease == [("GREASE", "2026-09-15", "overdue", None)]
    assert hands.look() == 0


def test_what_was_deleted_is_made_again_just_as_it_was(database: Database) -> None:
    folding.apply(database, [facts()])
    hands = Hands(database)
    hands.look(at(20))
    before = rows(database)
    with database.write() as connection:
        connection.execute(sa.delete(schema.pm_occurrences))

    assert hands.look() == len(before)
    assert rows(database) == before


def test_a_plan_that_is_no_more_takes_its_occurrences_along(database: Database) -> None:
    hands = Hands(database)
    hands.look(at(20))
    hands.plans = FILE[:1]

    hands.look()

    assert {row[0] for row in told(database)} == {"GREASE"}


def test_a_look_goes_on_in_the_next_round_where_its_time_is_over(tmp_path: Path) -> None:
    database = folding.sqlite(tmp_path)
    many = parse_plans(
        "".join(
            f'[plans.P{number:03}]\nconnection = "c"\nevery = "1 year"\nfrom = 2026-03-10\n' for number in range(250)
        ),
        "f",
    )
    hands = Hands(database, many)
    ticking = iter(range(10_000))
    hands.looks.rounds._monotonic = lambda: float(next(ticking)) * 10

    rounds: list[int] = []
    while sum(rounds) < 250:
        rounds.append(hands.looks.rounds.round())
        pool = database.engine.pool
        assert isinstance(pool, sa.QueuePool)
        assert pool.checkedout() == 0, "between rounds it holds no transaction"

    assert rounds == [100, 100, 50]
    database.close()


def test_a_look_that_took_long_is_followed_by_a_longer_rest(tmp_path: Path) -> None:
    """Ten seconds of work are a tenth of a hundred."""
    database = folding.sqlite(tmp_path)
    hands = Hands(database)
    work = iter([0.0, 0.0, 10.0])
    hands.looks.rounds._monotonic = lambda: next(work, 10.0)
    while hands.looks.rounds.round():
        pass

    assert hands.looks.rounds._next_at == 10.0 + 90.0
    database.close()


def test_a_plan_that_breaks_our_arithmetic_costs_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = folding.sqlite(tmp_path)
    sound = pm_schedule.occurrences

    def broken(plan: Plan, *told: Any, **more: Any) -> list[Occurrence]:
        if plan.key == "OIL":
            raise OverflowError("date value out of range")
        return sound(plan, *told, **more)

    monkeypatch.setattr(pm_schedule, "occurrences", broken)

    assert Hands(database).look(at(20)) > 0
    assert {row[0] for row in told(database)} == {"GREASE", "YEARLY"}
    database.close()


def test_the_tick_is_measured_and_only_the_leader_runs_it(database: Database) -> None:
    folding.apply(database, [facts()])
    hands = Hands(database)
    hands.now = at(20)
    tick = kept_occurrences(hands.looks)
    follower = Scheduler([tick], lambda *_: False, lambda *_: None, "b", lambda: hands.passed)
    leader = Scheduler([tick], lambda *_: True, lambda *_: None, "a", lambda: hands.passed)

    follower.beat()
    assert rows(database) == []
    before = measured()
    leader.beat()
    assert rows(database) != []
    assert measured() == before + 1


def measured() -> float:
    labels = {"schedule": "pm_occurrences"}
    return REGISTRY.get_sample_value("maintenworks_schedule_duration_seconds_count", labels) or 0.0


def test_a_bad_edit_of_the_file_keeps_the_last_good_plans(tmp_path: Path) -> None:
    path = tmp_path / "pm_plans.toml"
    file = PlanFile(path)
    assert file.plans() == ()

    path.write_text('[plans.P]\nconnection = "c"\n')
    good = file.plans()
    path.write_text("[plans.P]\n")

    assert [each.key for each in good] == ["P"]
    assert file.plans() == good
    path.unlink()
    assert file.plans() == ()


def test_orders_that_were_there_before_the_column_have_their_plan(database: Database) -> None:
    """What the migration fills in is what the fold writes."""
    folding.apply(database, [facts()])
    table = schema.work_orders
    with database.write() as connection:
        before = connection.execute(sa.select(table.c.key, table.c.pm_plan_key).order_by(table.c.key)).all()
        connection.execute(sa.update(table).values(pm_plan_key=None))
        connection.execute(sa.text(f"UPDATE work_orders SET pm_plan_key = {_migrated(database.dialect)}"))
        after = connection.execute(sa.select(table.c.key, table.c.pm_plan_key).order_by(table.c.key)).all()

    assert after == before
    assert dict(map(tuple, before)) == {"W1": "LOOK", "W2": "GREASE", "W3": "UNKNOWN"}


def _migrated(dialect: str) -> str:
    source = Path(schema.__file__).parent / "migrations/versions/0008_pm_occurrences.py"
    names: dict[str, Any] = {}
    exec(source.read_text(), names)
    return str(names["PLAN"][dialect])


def test_a_year_of_a_daily_plan_is_told_at_once(tmp_path: Path) -> None:
    database = folding.sqlite(tmp_path)
    daily = parse_plans('[plans.D]\nconnection = "c"\nevery = "1 day"\nfrom = 2025-03-20\n', "f")
    hands = Hands(database, daily)

    assert hands.look(at(20)) == 365 + 1 + 92
    assert hands.look(at(20) + timedelta(minutes=1)) == 0
    database.close()
