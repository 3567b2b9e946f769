"""A window's figures need little of an asset's past, and are the same as from all of it."""

import random
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from handlers.rules.downtime import Span, reported_failures
from handlers.rules.figures import figures
from handlers.store import migrate
from handlers.store.engine import Database
from handlers.store.read_spans import Window, spans_of
from handlers.store.rowset import Transaction
from handlers.store.schema import downtime
from tests import folding
from tests.sizes import size

START = datetime(2026, 1, 1, tzinfo=UTC)
HORIZON = 40
EVER = Window(datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
PUMP = ("c", "PUMP")


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Database]:
    """SQLite alone, where the first test speaks for both."""
    database = folding.sqlite(tmp_path)
    yield database
    database.close()


def _hour(hours: float | None) -> datetime | None:
    return None if hours is None else START + timedelta(hours=hours)


def _row(key: str, start: float | None, end: float | None, **given: Any) -> dict[str, Any]:
    row = {
        "connection_id": "c",
        "origin": "interval",
        "key": key,
        "part": "",
        "asset_key": "PUMP",
        "started_at": _hour(start),
        "ended_at": _hour(end),
        "planned": False,
        "failure": True,
        "is_void": False,
        "day_precision": False,
    }
    return row | given


def _put(database: Database, rows: Sequence[dict[str, Any]]) -> None:
    with database.write() as connection:
        connection.execute(sa.delete(downtime))
        Transaction(connection).insert(downtime, rows)


def _spans(database: Database, window: Window = EVER, asset: tuple[str, str] = PUMP, zone: tzinfo = UTC) -> list[Span]:
    with database.read() as connection:
        return spans_of(Transaction(connection), [asset, ("c", "OTHER"), ("d", "PUMP")], window, zone).get(asset, [])


def _drawn(dice: random.Random) -> list[dict[str, Any]]:
    """Down time as it could come: overlapping, touching, empty, open, backwards, reopened, void, planned."""
    rows = []
    for number in range(dice.randint(1, 12)):
        start = dice.randint(0, HORIZON)
        end = dice.choice([None, start, start - 1, *(start + dice.randint(1, 12) for _ in range(6))])
        origin = dice.choice(["interval", "work_order", "work_order", "status"])
        planned = dice.choice([True, False])
        given: dict[str, Any] = {"planned": planned, "failure": not planned or dice.random() < 0.2}
        if origin == "work_order":
            given |= {"part": f"{number:06d}"}
        if origin == "status":
            given |= {"part": f"{number:032x}", "failure": not planned}
        if origin == "interval":
            given |= {"day_precision": dice.random() < 0.2, "planned": dice.choice([planned, None])}
        key = {"interval": f"D-{number}", "work_order": dice.choice(["WO-1", "WO-2"]), "status": "PUMP"}[origin]
        rows.append(_row(key, start, end, origin=origin, is_void=dice.random() < 0.1, **given))
    return rows


def test_what_a_window_needs_gives_the_figures_that_the_whole_past_gives(database: Database) -> None:
    """Each history is seen through twenty windows."""
    for seed in range(size(60, 4_000)):
        dice = random.Random(seed)
        rows = _drawn(dice)
        _put(database, rows)
        whole = _spans(database)
        for _ in range(20):
            since, until = sorted(dice.sample(range(-2, HORIZON + 14), 2))
            as_of = dice.choice([until, dice.randint(since, HORIZON + 14), HORIZON + 20])
            window = Window(*(START + timedelta(hours=each) for each in (since, until, as_of)))
            assert figures(_spans(database, window), *window) == figures(whole, *window), (seed, window)


def _dated(row: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """A row six times as long; an interval of it perhaps told by plain dates, which are kept as midnights UTC."""
    moved = {name: row[name] and START + 6 * (row[name] - START) for name in ("started_at", "ended_at")}
    if row["origin"] != "interval":
        return row | moved | {"fields": {}}
    named = [name for name, moment in moved.items() if moment is not None and dice.random() < 0.7]
    days = {name: moved[name].date().isoformat() for name in named}
    moved |= {name: datetime.fromisoformat(f"{day}T00:00:00Z") for name, day in days.items()}
    return row | moved | {"day_precision": bool(days), "fields": days}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_so_it_does_where_a_zone_moves_plain_dates_as_far_as_any_does(local: Database, zone: str) -> None:
    for seed in range(size(60, 4_000)):
        dice = random.Random(seed)
        _put(local, [_dated(row, dice) for row in _drawn(dice)])
        whole = _spans(local, zone=ZoneInfo(zone))
        for _ in range(20):
            since, until = sorted(dice.sample(range(-12, 6 * HORIZON + 84), 2))
            as_of = dice.choice([until, dice.randint(since, 6 * HORIZON + 84), 6 * HORIZON + 120])
            window = Window(*(START + timedelta(hours=each) for each in (since, until, as_of)))
            needed = _spans(local, window, zone=ZoneInfo(zone))
            assert figures(needed, *window) == figures(whole, *window), (seed, window)


def test_what_ended_before_the_window_and_what_starts_after_it_is_left_alone(local: Database) -> None:
    _put(local, [_row(f"D-{hour}", hour, hour + 1) for hour in range(0, 100, 2)])

    needed = _spans(local, Window(START + timedelta(hours=41), START + timedelta(hours=46), _end(200)))

    assert [span.ref for span in needed] == ["interval:D-40", "interval:D-42", "interval:D-44"]


def test_an_outage_that_reaches_the_windows_end_is_followed_to_its_own_end_and_no_further(local: Database) -> None:
    chain = [_row(f"D-{hour}", hour, hour + 1, planned=True, failure=False) for hour in range(10)]
    _put(local, [*chain, _row("F", 9.5, 20), _row("LATER", 30, 31)])
    window = Window(START, START + timedelta(hours=3), _end(200))

    needed = _spans(local, window)

    assert {span.ref for span in needed} == {"interval:F", *(f"interval:D-{hour}" for hour in range(10))}
    assert figures(needed, *window).failures_effective == 1


def test_an_order_that_failed_before_the_window_does_not_fail_again_in_it(local: Database) -> None:
    spells = [_row("WO-1", hour, hour + 2, origin="work_order", part=f"{hour:06d}") for hour in (1, 50, 90)]
    _put(local, spells)
    window = Window(START + timedelta(hours=40), START + timedelta(hours=60), _end(200))

    told = figures(_spans(local, window), *window)

    assert (told.failures_reported, told.failures_effective) == (0, 0)
    assert told.downtime == timedelta(hours=2)


def test_an_order_whose_earlier_spell_was_hidden_in_planned_work_fails_where_it_first_owns_time(
    local: Database,
) -> None:
    planned = _row("PM", 0, 10, planned=True, failure=False)
    spells = [_row("WO-1", hour, hour + 2, origin="work_order", part=f"{hour:06d}") for hour in (1, 50)]
    _put(local, [planned, *spells])
    window = Window(START + timedelta(hours=40), START + timedelta(hours=60), _end(200))

    assert figures(_spans(local, window), *window).failures_effective == 1


def test_touching_rows_of_one_status_are_one_stop_told_again(local: Database) -> None:
    edges = [(0, 2, False), (2, 5, False), (5, 6, True), (6, 8, False), (9, None, False)]
    rows = [
        _row("PUMP", start, end, origin="status", part=f"{number:032x}", planned=planned, failure=not planned)
        for number, (start, end, planned) in enumerate(edges)
    ]
    _put(local, rows)

    spans = _spans(local)

    assert len({span.ref for span in spans}) == 4
    assert spans[0].ref == spans[1].ref
    assert reported_failures(spans, _end(200)) == [_hour(0), _hour(6), _hour(9)]


def test_void_spans_those_of_other_assets_and_those_without_a_start_are_none_of_its_down_time(
    local: Database,
) -> None:
    rows = [
        _row("VOID", 0, 1, is_void=True),
        _row("OTHER", 0, 1, asset_key="OTHER"),
        _row("ELSEWHERE", 0, 1, connection_id="d"),
        _row("NOBODY", 0, 1, asset_key=None),
        _row("ENDLESS", None, 1),
        _row("MINE", 0, 1, day_precision=True, planned=None),
    ]
    _put(local, rows)

    assert _spans(local) == [Span(START, _hour(1), None, failure=True, day_precision=True, ref="interval:MINE")]


def test_a_hundred_thousand_spans_of_one_asset_take_little_memory(local: Database) -> None:
    count = size(10_000, 100_000)
    _put(local, [_row(f"D-{number}", number, number + 0.5) for number in range(count)])
    window = Window(START, START + timedelta(hours=count), START + timedelta(hours=count))

    tracemalloc.start()
    told = figures(_spans(local, window), *window)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert told.failures_effective == count
    assert peak < count * 2_500


def test_the_index_of_an_assets_down_time_finds_its_spans(empty_database: Database) -> None:
    migrate.upgrade(empty_database)
    statements: list[tuple[str, Any]] = []

    def heard(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "FROM downtime" in statement or "JOIN downtime" in statement:
            statements.append((statement, parameters))

    rows = [_row("WO-1", hour, hour + 3, origin="work_order", part=f"{hour:06d}") for hour in (0, 10, 20, 22)]
    others = [
        _row(f"D-{number}", number % 100, number % 100 + 3, connection_id="cd"[number % 2], asset_key=f"X-{number}")
        for number in range(6_000)
    ]
    _put(empty_database, [*rows, *others])
    with empty_database.write() as connection:
        connection.exec_driver_sql("ANALYZE")  # of a few rows any way to find them is as good
    sa.event.listen(empty_database.engine, "before_cursor_execute", heard)
    _spans(empty_database, Window(START + timedelta(hours=9), START + timedelta(hours=21), _end(100)))
    sa.event.remove(empty_database.engine, "before_cursor_execute", heard)

    plans = [_plan(empty_database, *each) for each in statements]

    assert len(plans) == 5  # the first is one a connection
    assert all(
        "downtime_asset" in plan or "sqlite_autoindex_downtime" in plan or "downtime_pkey" in plan for plan in plans
    )
    assert not any("SCAN downtime" in plan or "Seq Scan on downtime" in plan for plan in plans)


def _plan(database: Database, statement: str, parameters: Any) -> str:
    with database.read() as connection:
        if database.dialect == "sqlite":
            found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(row.detail for row in found)
        # PostgreSQL takes the rows asked for to be a hundred, so of a few thousand it would look at all.
        for way in ("seqscan", "hashjoin", "mergejoin"):
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))


def _end(hours: float) -> datetime:
    return START + timedelta(hours=hours)
