"""Meters: what readings tell of them, which readings are compared, which go the wrong way, and what they come to."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from handlers.events import Json
from handlers.rules import exact, usage
from handlers.rules.registers import DEFAULT, Record, ref_key
from handlers.rules.times import kept_instant, parse_instant

OF_METER: Mapping[str, str] = {
    "meter_name": "name",
    "unit": "unit",
    "unit_source": "unit_source",
    "asset_ref": "asset_ref",
    "location_ref": "location_ref",
    "is_counter": "is_counter",
    "rollover_at": "rollover_at",
    "counts_down": "counts_down",
}
"""By field of a reading: the field of its meter that it fills, where the meter says nothing of itself."""
NO_POINTS = frozenset({"delta", "characteristic"})
"""Kinds of reading that are no position of a counter."""
AVERAGE_RULE = f"readings of the {usage.AVERAGE_OVER.days} days up to the last"
"""Printed beside an average: the same readings give another over another stretch (`reference/kpi.md` 4.4)."""


class Point(msgspec.Struct, frozen=True):
    """Where a reading stands among those of its meter.

    Attributes:
        meter: the meter's key; None while it belongs to none.
        asset: the asset's key, as the reading names it.
        read_at: when it was read (UTC).
        value: what it counts as, in kept form; None where it is no number or does not count.
        is_point: the next reading is compared to it.
        restarts: it is not compared to the one before: a reset, a rollover, a new meter.
    """

    meter: str | None
    asset: str | None
    read_at: datetime | None
    value: str | None
    is_point: bool
    restarts: bool


def point(reading: Record, *, reset_of: str | None = None) -> Point:
    """Where a reading stands.

    Args:
        reading: its registers.
        reset_of: for a reset: the meter that it is about, where it names none.
    """
    value = reading.read("value")
    kind = reading.read("kind")
    counts = reading.read("reversed") is not True and reading.fields.get("is_deleted") is not True
    is_number = isinstance(value, str) and kind not in NO_POINTS
    is_reset = reset_of is not None
    return Point(
        meter=ref_key(reading.read("meter_ref")) or reset_of,
        asset=ref_key(reading.read("asset_ref")),
        read_at=parse_instant(reading.read("read_at")),
        value=value if isinstance(value, str) and is_number and counts else None,
        is_point=counts and (is_number or is_reset),
        restarts=is_reset or reading.read("rollover") is True or reading.read("meter_replaced") is True,
    )


def reset_of(event_key: str, written: Mapping[str, Json]) -> str:
    """The meter that a reset is about: the one that it names, else the one under whose key it came."""
    return ref_key(written.get("meter_ref")) or event_key


def told_of_meter(written: Mapping[str, Json]) -> dict[str, Json]:
    """What a reading writes into its meter: defaults, read where the meter says nothing of itself."""
    return {target + DEFAULT: written[name] for name, target in OF_METER.items() if written.get(name) is not None}


def wrong_way(value: str | None, previous: str | None, *, counts_down: bool) -> bool:
    """Whether a counter's reading is behind the one before it: lower, or higher where it counts down."""
    now, before = exact.decimal(value), exact.decimal(previous)
    if now is None or before is None:
        return False
    return now > before if counts_down else now < before


def told_of_usage(readings: Iterable[usage.Reading]) -> dict[str, Json] | None:
    """What a counter's readings come to: `counted` over all epochs, and how much of it a day.

    Args:
        readings: of one counter, in their order; those of one that counts down by their negated values.

    Returns:
        Numbers in kept form, the average with the stretch that it is over; None without any reading that counts.
    """
    counted = usage.totals(readings)
    if not counted:
        return None
    last = counted[-1]
    recent = [each for each in counted if each.read_at >= last.read_at - usage.AVERAGE_OVER]
    average = usage.average(recent)
    return {
        "counted": _shown(last.value - counted[0].value),
        "per_day": None if average is None else _shown(average),
        "rule": AVERAGE_RULE,
        "from": kept_instant(recent[0].read_at),
        "to": kept_instant(last.read_at),
        "readings": len(recent),
    }


def _shown(value: Decimal) -> str | None:
    rounded = exact.product(value, Decimal(1), Decimal(1))
    return None if rounded is None else exact.kept(rounded)
