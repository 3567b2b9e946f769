"""SAP's measuring points and measurement documents: meters, and what was read from them."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from handlers.rules import exact
from handlers.sources._converters import reference
from handlers.sources._mapping import Field, used
from handlers.sources._node import Node
from handlers.sources._sap_tables import Entity, rows_of, told
from handlers.sources._sap_values import Clock, at_zone, key_of, local_time, number_of, put_ref, stamp
from handlers.sources._told import Told

IN_SI: Final[Mapping[str, Decimal]] = {
    unit: Decimal(factor)
    for unit, factor in {"M": 1, "KM": 1000, "S": 1, "SEC": 1, "MIN": 60, "H": 3600, "HR": 3600, "KG": 1}.items()
}
"""How many of its SI unit make one of a unit: what SAP states in SI is told in the unit only where that is known."""

READING: Final = Entity(
    "meter_reading",
    {
        "MeasurementDocument": used("source_id"),
        "MeasuringPoint": used("meter_ref"),
        "MsmtRdngDate": used("read_at"),
        "MsmtRdngTime": used("read_at"),
        "MeasurementReadingInEntryUoM": used("value"),
        "MeasurementReadingEntryUoM": "unit",
        "MsmtValuationCode": used("value_text"),
        "MsmtRdngIsReversed": "reversed",
        "MsmtCounterReadingIsReplaced": "meter_replaced",
        "MsmtCntrReadingDiffIsEntered": used("kind"),
        "MsmtRdngByUser": "read_by",
        "MsmtDocumentReferredOrder": used("work_order_ref"),
        "LastChangeDateTime": Field("source_updated_at", stamp),
        "to_MeasuringPoint": used("asset_ref"),
    },
    whole="MeasuringPointPositionNumber",
)

POINT: Final = Entity(
    "meter",
    {
        "MeasuringPoint": used("number"),
        "MeasuringPointDescription": "name",
        "MeasuringPointIsCounter": "is_counter",
        "CharcValueUnit": "unit",
        "CounterOverflowRdngThreshold": used("rollover_at"),
        "MsrgPtIsCountingBackwards": "counts_down",
        "Equipment": used("asset_ref"),
        "FunctionalLocation": used("location_ref"),
        "LastChangeDateTime": Field("source_updated_at", stamp),
    },
    whole="MsrgPtInternalCharacteristic",
)


def reading(node: Node) -> Iterator[Told]:
    """MeasurementDocument.

    A document is never changed, only reversed, at the time of the reading still: reversed is its second version.
    """
    key = key_of(node, "MeasurementDocument")
    stated = READING.tell(node)
    data = stated.data
    data |= {"number": key, "source_id": node.text("MeasurementDocument")}
    put_ref(node, data, "meter_ref", "MeasuringPoint")
    put_ref(node, data, "work_order_ref", "MsmtDocumentReferredOrder")
    read_at = local_time(node, "MsmtRdngDate", "MsmtRdngTime")
    if read_at is None:
        raise node.error("missing_field", "MsmtRdngDate", "nothing", "the date of the reading")
    occurred_at = at_zone(node, "MsmtRdngDate", read_at)
    Clock(stated.custom).tell(node, data, "read_at", "", "MsmtRdngDate", "MsmtRdngTime")
    for point in rows_of(node, "MeasuringPoint") or ():
        _of_point(point, data)
        if point.get("MeasuringPointIsCounter") is not None:
            data["is_counter"] = point.flag("MeasuringPointIsCounter")
    _value(node, data, stated.custom)
    is_reversed = node.flag("MsmtRdngIsReversed") is True
    yield told(
        node,
        READING,
        key,
        stated,
        "MeasurementDocument",
        verb="recorded",
        occurred_at=occurred_at,
        version=int(is_reversed),
    )


def point(node: Node) -> Iterator[Told]:
    """MeasuringPoint; its thresholds are in SI, whatever unit it names beside them."""
    key = key_of(node, "MeasuringPoint")
    stated = POINT.tell(node)
    data = stated.data
    data |= {"number": key, "source_id": node.text("MeasuringPoint")}
    _of_point(node, data)
    name = "CounterOverflowRdngThreshold"
    if name in node:
        threshold = node.number(name)
        data["rollover_at"] = from_si(node, name, node.text("CharcValueUnit"), "rollover_at") if threshold else None
        if threshold and data["rollover_at"] is None:
            del data["rollover_at"]
            stated.custom[name] = node.get(name)
    yield told(node, POINT, key, stated, "MeasuringPoint")


def _of_point(node: Node, data: dict[str, Any]) -> None:
    """The asset that a point belongs to: the equipment, else the place."""
    equipment, place = number_of(node, "Equipment"), node.text("FunctionalLocation")
    if equipment is not None or place is not None:
        data["asset_ref"] = reference(equipment or place)
    if "FunctionalLocation" in node:
        data["location_ref"] = reference(place)


def _value(node: Node, data: dict[str, Any], custom: dict[str, Any]) -> None:
    """The value with the unit it was entered in; `MeasurementReading` is in SI and has no unit beside it."""
    value, unit = node.number("MeasurementReadingInEntryUoM"), node.text("MeasurementReadingEntryUoM")
    code = node.text("MsmtValuationCode")
    if code is not None:
        data["value_text"] = code
    is_word = code is not None and unit is None and not value
    if value is not None and not is_word:
        data["value"] = value
    elif not is_word and node.get("MeasurementReading") is not None:
        node.given.warn("unit_unknown", "value", "MeasurementReading is in SI and of no stated unit: it is kept unread")
    is_delta = node.flag("MsmtCntrReadingDiffIsEntered")
    data["kind"] = "characteristic" if is_word else "delta" if is_delta else "absolute"
    change = from_si(node, "MsmtCounterReadingDifference", unit, "delta")
    if change is not None:
        data["delta"] = change
        custom.pop("MsmtCounterReadingDifference", None)


def from_si(node: Node, name: str, unit: str | None, target: str) -> Decimal | None:
    """A number that SAP states in SI, in a unit; None where it is nought or, with a warning, the unit is unknown."""
    stated = node.number(name)
    if not stated:
        return None
    factor = IN_SI.get((unit or "").upper())
    if factor is None:
        node.given.warn("unit_unknown", target, f"{name} is in SI, and how much {(unit or '')[:8]} is of it is unknown")
        return None
    return exact.product(stated, Decimal(1), factor)
