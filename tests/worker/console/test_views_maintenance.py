"""What the pages about maintenance show, made from what was read."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry, Counter

from handlers.connections.zones import zones_of
from handlers.events import Event, Json
from handlers.rules.downtime import Span
from handlers.store.engine import Database
from handlers.store.read_occurrences import Due
from handlers.store.read_open_orders import LAST, Wanted, open_orders
from handlers.store.read_timeline import timeline
from handlers.store.reading import Part
from tests import folding
from tests.worker.console.plant import ref, word
from worker.console import senders
from worker.console.views import calendar, showing, strips
from worker.redaction import MASK

NOON = folding.NOON
ZONES = zones_of({})


def of(connection: str, event: Event) -> Event:
    return replace(event, connection_id=connection)


def orders() -> list[Event]:
    """Orders of three connections, some due at one instant, some never."""
    found = []
    for number, due in enumerate(("2026-03-05", "2026-03-04T08:00:00Z", None, "2026-03-05", "2026-02-01", None)):
        for connection in ("a", "b", "c"):
            fields = {"status": word("approved")} | ({} if due is None else {"due_at": due})
            found.append(of(connection, folding.event("work_order.created", f"W-{number}", fields)))
    return found


@pytest.mark.parametrize("size", [1, 2, 5])
def test_open_orders_of_several_connections_are_one_list_however_it_is_cut(database: Database, size: int) -> None:
    folding.apply(database, [orders()])

    def read(part: Part) -> list[tuple[str, str, str]]:
        return [place for place, _ in open_orders(database, ["c", "a", "b"], Wanted(), (NOON, ZONES), part)]

    whole = read(Part())
    assert whole == sorted(whole, key=lambda place: (place[0] or LAST, *place[1:]))
    assert len(whole) == 18
    found: list[tuple[str, str, str]] = []
    while len(found) < len(whole):
        page = read(Part(found[-1] if found else None, size))[:size]
        assert page
        found += page
    assert found == whole


def test_orders_of_a_crew_are_found_by_its_key_or_name_whatever_is_in_it(database: Database) -> None:
    names = ["A", 'B "x" \\ %_', "C\tü"]
    told = [
        folding.event(
            "work_order.created", f"W-{number}", {"status": word("approved"), "team_ref": ref(f"K{number}", name)}
        )
        for number, name in enumerate(names)
    ]
    folding.apply(database, [told])
    for number, name in enumerate(names):
        for crew in (name, f"K{number}"):
            found = open_orders(database, ["c"], Wanted(crew=crew), (NOON, ZONES), Part())
            assert [kept.key for _, kept in found] == [f"W-{number}"]
    assert not list(open_orders(database, ["c"], Wanted(crew="K"), (NOON, ZONES), Part()))


def test_a_timeline_backwards_is_the_timeline_turned_round(database: Database) -> None:
    asset: Json = {"key": "P", "label": None}
    told: list[Event] = []
    for number in range(9):
        at = number // 2  # two at one instant
        told.append(folding.event("work_order.created", f"W-{number}", {"asset_ref": asset}, at=at))
        told.append(folding.event("downtime.started", f"D-{number}", {"asset_ref": asset}, at=at))
    folding.apply(database, [told])
    forth = list(timeline(database, "c", "P"))
    assert len(forth) == 18

    for size in (1, 3, 100):
        assert forth[::-1] == list(timeline(database, "c", "P", newest=size))
    since, until = forth[4].occurred_at, forth[12].occurred_at
    between = [line for line in forth if since <= line.occurred_at < until]
    assert between[::-1] == list(timeline(database, "c", "P", since, until, newest=2))


def due(day: str, state: str = "completed", *, on_time: bool | None = True) -> Due:
    return Due("c", "P", day, None, None, day, None, False, state, None, None, None, on_time, None, None)


def test_a_month_is_whole_weeks_with_what_became_of_each_time() -> None:
    found = [due("2026-02-28"), due("2026-03-01", "missed", on_time=None), due("2026-03-01", on_time=False)]
    counts = {
        ("2026-02-28", "completed", True): 1,
        ("2026-03-01", "missed", None): 7,
        ("2026-03-01", "completed", False): 1,
    }

    weeks = calendar.weeks(date(2026, 2, 1), counts, found)

    assert [len(week) for week in weeks] == [7] * 5
    assert (weeks[0][0].day, weeks[-1][-1].day) == (date(2026, 1, 26), date(2026, 3, 1))
    last, sunday = weeks[-1][-2:]
    assert (last.is_inside, sunday.is_inside) == (True, False)
    assert last.counts == {"done": 1}
    assert sunday.counts == {"done late": 1, "missed": 7}
    assert [name for _, name in sunday.named] == ["missed", "done late"]
    assert sunday.left_out == 6


@pytest.mark.parametrize("month", ["1899-12", "9999-01", "2026-W10", "2026", "2026-1"])
def test_a_month_that_is_none_is_refused(month: str) -> None:
    with pytest.raises(ValueError, match=r"year|month|date|isoformat"):
        calendar.month_of(month, date(2026, 3, 1))


def cells(values: Sequence[showing.Shown]) -> list[tuple[str, str | None, str]]:
    return [(each.text or str(each.at or each.seconds), each.href, each.note) for each in values]


def test_every_shape_of_a_value_is_told_for_people() -> None:
    record: dict[str, Json] = {
        "kind": "work_order",
        "connection": "c",
        "key": "W",
        "status": {"value": "in_progress", "source_code": "INPRG", "source_label": None},
        "asset_ref": {"key": "P/7&", "label": "Pump"},
        "parent_ref": {"key": "W-0", "label": None},
        "team_ref": {"key": "T", "label": "Mechanics"},
        "completed_at": "2026-03-01T12:00:00Z",
        "due_date": "2026-03-01",
        "estimated_duration": 5400,
        "total": {"amount": "31.25", "currency": "EUR"},
        "on_hand": {"value": "3", "unit": "l"},
        "costs": {"total": {"planned": {"amount": "1", "currency": None}}},
        "rework": False,
        "lines": [{"line_number": "10", "asset_ref": {"key": "P", "label": None}}, {"uom": "EA"}],
        "title": None,
        "custom_fields": {"zone": 7, "PassWord": "x", "deep": {"token": "y", "size": [1, 2]}},
        "anomalies": [],
    }

    sheet = showing.sheet(record)

    told = {each.name: cells(each.values) for each in sheet.fields}
    assert told == {
        "status": [("in progress", None, "INPRG")],
        "asset_ref": [("P/7&", "/assets/show?connection=c&key=P%2F7%26", "Pump")],
        "parent_ref": [("W-0", "/work-orders/show?connection=c&key=W-0", "")],
        "team_ref": [("T", None, "Mechanics")],
        "completed_at": [("2026-03-01T12:00:00Z", None, "")],
        "due_date": [("2026-03-01", None, "")],
        "estimated_duration": [("5400", None, "")],
        "total": [("31.25 EUR", None, "")],
        "on_hand": [("3 l", None, "")],
        "costs": [("total: planned: 1", None, "")],
        "rework": [("no", None, "")],
    }
    (lines,) = sheet.grids
    assert (lines.name, lines.columns) == ("lines", ["line_number", "asset_ref", "uom"])
    assert [[cells(cell) for cell in row] for row in lines.rows] == [
        [[("10", None, "")], [("P", "/assets/show?connection=c&key=P", "")], []],
        [[], [], [("EA", None, "")]],
    ]
    custom = {each.name: cells(each.values) for each in sheet.custom}
    assert custom == {
        "zone": [("7", None, "")],
        "PassWord": [(MASK, None, "")],
        "deep": [(f"token: {MASK}; size: 1, 2", None, "")],
    }


def test_a_small_strip_says_how_long_it_stood_of_late_and_draws_that() -> None:
    spans = [
        Span(NOON - timedelta(days=40), NOON - timedelta(days=29), planned=True, failure=False),
        Span(NOON - timedelta(hours=3), None),
    ]
    drawn = strips.small("<P>", spans, NOON)
    assert "&lt;P&gt;, last 30 days: down 1 d 3 h" in drawn
    assert drawn.count("state-planned") == drawn.count("state-unplanned") == 1
    assert 'x="0.000%" width="3.333%"' in drawn


def test_what_a_connection_sent_is_told_apart_from_what_others_did() -> None:
    registry = CollectorRegistry()
    received = Counter("maintenworks_webhooks_received", "d", ["connection", "outcome"], registry=registry)
    used = Counter("maintenworks_signature_secret_used", "d", ["connection", "position"], registry=registry)
    received.labels("c", "accepted").inc(5)
    received.labels("c", "wrong_signature").inc(2)
    received.labels("c", "over_rate")
    received.labels("d", "wrong_signature").inc(9)
    used.labels("c", "1").inc(4)
    used.labels("d", "0").inc(4)
    sent = senders.added_up(registry.collect(), "c")
    assert sent == senders.Sent(5, {"wrong_signature": 2}, {1: 4})
