"""What is booked on a work order: time, material, money; and how many hours of work that, or its estimate, comes to."""

from collections.abc import Mapping
from decimal import Decimal

from handlers.events import Json
from handlers.rules import exact

COSTS = ("labor", "material", "service", "tool", "total")
"""Members of an order's costs, each with what was planned and what was spent."""


def has_actuals(order: Mapping[str, Json]) -> bool:
    """Whether anything is booked: labour, a duration, parts used, money spent; a start or an end is none.

    Args:
        order: its fields, in kept form.
    """
    labor, parts = _objects(order.get("labor")), _objects(order.get("parts"))
    costs = order.get("costs")
    spent = _objects([costs.get(name) for name in COSTS]) if isinstance(costs, dict) else []
    return any(
        (
            _seconds(order.get("actual_labor")),
            _seconds(order.get("actual_duration")),
            any(_seconds(each.get("seconds")) or _amount(each.get("cost"), "amount") for each in labor),
            any(_amount(each.get("used_qty"), "value") for each in parts),
            any(_amount(each.get("actual"), "amount") for each in spent),
        )
    )


def actual_labor(order: Mapping[str, Json]) -> int | None:
    """Seconds of work done: as stated, else the sum of the labour lines, else the duration; None where nothing says."""
    stated = _seconds(order.get("actual_labor"))
    if stated is not None:
        return stated
    lines = [_seconds(each.get("seconds")) for each in _objects(order.get("labor"))]
    known = [each for each in lines if each is not None]
    return sum(known) if known else _seconds(order.get("actual_duration"))


def estimated_labor(order: Mapping[str, Json]) -> int | None:
    """Seconds of work foreseen: as stated, else the duration; None where nothing says."""
    stated = _seconds(order.get("estimated_labor"))
    return _seconds(order.get("estimated_duration")) if stated is None else stated


def _seconds(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _amount(value: Json, member: str) -> bool:
    """Whether a kept amount or quantity is more than nothing."""
    found = exact.decimal(value.get(member)) if isinstance(value, dict) else None
    return found is not None and found > Decimal(0)


def _objects(values: Json) -> list[dict[str, Json]]:
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []
