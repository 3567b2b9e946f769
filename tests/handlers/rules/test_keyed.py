"""Lists whose elements have keys: a fact that states one element leaves the others as they are."""

from collections import defaultdict
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.events import Event, Json
from handlers.rules import keyed
from handlers.rules.facts import fact
from handlers.rules.registers import Record, fold, take
from tests.handlers.record_events import record_events
from tests.sizes import size


def line(number: str | None, **more: Json) -> dict[str, Json]:
    return {"line_number": number, **more}


def written(lines: Json, *, full: bool = False) -> dict[str, Json]:
    registers: dict[str, Json] = {"lines": lines}
    keyed.spread("purchase_order", registers, ("lines",) if full else ())
    return registers


def folded(*facts: dict[str, Json]) -> list[dict[str, Json]]:
    """The lines after facts whose stamps are their places."""
    record = Record()
    for stamp, each in enumerate(facts):
        take(record, str(stamp + 1), each)
    return record.items("lines")


def test_an_element_is_a_register_called_after_its_key() -> None:
    assert written([line("10", uom="C62")]) == {"lines[10]": line("10", uom="C62")}


def test_a_fact_that_states_one_line_does_not_blank_the_others() -> None:
    ten, twenty = line("10", uom="C62"), line("20", uom="C62")
    assert folded(written([ten, twenty]), written([line("20", uom="KGM")])) == [ten, line("20", uom="KGM")]


def test_an_empty_list_states_no_line_and_null_clears_all() -> None:
    ten = line("10")
    assert folded(written([ten]), written([])) == [ten]
    assert folded(written([ten]), written(None)) == []


def test_a_full_record_takes_the_lines_away_that_it_does_not_give() -> None:
    assert folded(written([line("10"), line("20")]), written([line("20")], full=True)) == [line("20")]
    assert folded(written([line("10")]), written([], full=True)) == []


def test_lines_without_a_key_are_a_whole_list() -> None:
    nameless = line(None, uom="C62")
    assert folded(written([line("10")]), written([nameless, line("20")])) == [line("20"), nameless]


def test_a_key_that_comes_twice_loses_nothing() -> None:
    twice: list[Json] = [line("10", uom="a"), line("10", uom="b"), line("10#2", uom="c")]
    assert len(written(twice)) == 3
    assert {each["uom"] for each in folded(written(twice))} == {"a", "b", "c"}


def test_lines_stand_in_the_order_of_their_numbers() -> None:
    lines: list[Json] = [line("100"), line("x"), line("20"), line("3.5"), line("NaN")]
    assert [each["line_number"] for each in folded(written(lines))] == ["3.5", "20", "100", "NaN", "x"]


def test_a_line_without_a_number_goes_by_its_id() -> None:
    assert list(written([{"line_id": "a7"}])) == ["lines[a7]"]


def test_levels_are_told_apart_by_where_and_what_they_are() -> None:
    def key(warehouse: str, **more: Json) -> str | None:
        return keyed.level_key({"warehouse_ref": {"key": warehouse, "label": "x"}, **more})

    keys = [key("W"), key("W", bin="A"), key("W", lot="A"), key("W/A"), key("W~1A"), key("W", stock_type="blocked")]
    assert len(set(keys)) == len(keys)
    assert key("W", on_hand="1") == key("W", on_hand="2")


@pytest.mark.parametrize("kind", ["work_order", "inventory_item"])
def test_a_list_of_another_kind_stays_one_field(kind: str) -> None:
    registers: dict[str, Json] = {"lines": [line("10")]}
    keyed.spread(kind, registers, ())
    assert registers == {"lines": [line("10")]}


@st.composite
def told_twice(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """Facts about orders or items, and the same in another order, some repeated."""
    kind = draw(st.sampled_from(("purchase_order", "inventory_item")))
    facts = draw(st.lists(record_events(kind), min_size=2, max_size=8))
    return facts, draw(st.permutations(facts + draw(st.lists(st.sampled_from(facts), max_size=3))))


@settings(max_examples=size(200, 20_000), deadline=None)
@given(told=told_twice())
def test_any_order_of_facts_gives_the_same_registers(told: tuple[list[Event], list[Event]]) -> None:
    first, second = (_records(facts) for facts in told)
    assert second == first


def _records(events: Iterable[Event]) -> dict[str, Record]:
    held: defaultdict[str, Record] = defaultdict(Record)
    for each in {(event.event_id, event.digest): event for event in events}.values():
        told = fact(each)
        fold(held[each.key], each, told.stamp, told.written)
    return dict(held)
