"""Inventory items read as a whole: sums over their levels, and whether one of them has run low."""

from collections.abc import Mapping, Sequence

from handlers.events import Json
from handlers.rules import exact

TOTALS = ("on_hand", "available", "reserved", "on_order")
Level = Mapping[str, Json]


def derived(item: Mapping[str, Json]) -> tuple[dict[str, Json], list[Json]]:
    """What an item's fields tell beside what they state.

    Args:
        item: its visible fields, its levels among them.

    Returns:
        `totals`, where the source states none the sum of levels; `below_reorder_point`; and no warnings.
    """
    held = item.get("stock_levels")
    levels = [level for level in held if isinstance(level, dict)] if isinstance(held, list) else []
    stated = item.get("totals")
    totals = dict(stated) if isinstance(stated, dict) else {}
    for name in TOTALS:
        added = _sum(levels, name)
        if totals.get(name) is None and added is not None:
            totals[name] = {"value": added, "unit": item.get("uom")}
    found: dict[str, Json] = {"totals": totals} if totals else {}
    return {**found, "below_reorder_point": below_reorder_point(levels)}, []


def below_reorder_point(levels: Sequence[Level]) -> bool | None:
    """Whether less is available in some place than its reorder point; None where no place says enough."""
    told = [below for level in levels if (below := _is_below(level)) is not None]
    return any(told) if told else None


def _is_below(level: Level) -> bool | None:
    """Compares what is available (as stated, else what is on hand less what is reserved) with the reorder point."""
    point, available = exact.decimal(level.get("reorder_point")), exact.decimal(level.get("available"))
    if available is None:
        on_hand, reserved = exact.decimal(level.get("on_hand")), exact.decimal(level.get("reserved"))
        available = on_hand if on_hand is None or reserved is None else exact.total((on_hand, -reserved))
    return None if point is None or available is None else available < point


def _sum(levels: Sequence[Level], name: str) -> str | None:
    """The sum over all levels; None where one does not say."""
    values = [exact.decimal(level.get(name)) for level in levels]
    known = [value for value in values if value is not None]
    return exact.kept(exact.total(known)) if known and len(known) == len(values) else None
