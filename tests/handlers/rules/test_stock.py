"""What an item's levels tell of it."""

import pytest

from handlers.events import Json
from handlers.rules.stock import below_reorder_point, derived


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ({}, "nothing"),
        ({"on_hand": "5"}, "nothing"),
        ({"reorder_point": "5"}, "nothing"),
        ({"on_hand": "5", "reorder_point": "5"}, "enough"),
        ({"on_hand": "4.99", "reorder_point": "5"}, "low"),
        ({"on_hand": "7", "reserved": "3", "reorder_point": "5"}, "low"),
        ({"on_hand": "7", "reserved": "3", "available": "6", "reorder_point": "5"}, "enough"),
    ],
)
def test_a_place_is_low_when_less_is_available_than_its_point(level: dict[str, Json], said: str) -> None:
    assert below_reorder_point([level]) is {"nothing": None, "enough": False, "low": True}[said]


def test_one_low_place_makes_the_item_low() -> None:
    full: dict[str, Json] = {"on_hand": "9", "reorder_point": "5"}
    assert below_reorder_point([full, {"on_hand": "1", "reorder_point": "5"}, {}]) is True
    assert below_reorder_point([full, {}]) is False


def test_totals_are_the_ones_stated_else_the_sum_over_all_levels() -> None:
    levels: Json = [{"on_hand": "1.5", "on_order": "2"}, {"on_hand": "2.5"}]
    found, _ = derived({"uom": "C62", "stock_levels": levels, "totals": {"available": {"value": "3", "unit": "C62"}}})
    assert found["totals"] == {
        "available": {"value": "3", "unit": "C62"},
        "on_hand": {"value": "4.0", "unit": "C62"},
    }
