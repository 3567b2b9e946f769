"""The asset: a thing that is maintained, or the place where such a thing stands."""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias, get_args

from msgspec import Struct

from handlers.model.record import UNKNOWN, Record
from handlers.model.scalars import Anything, Date, Flag, Text
from handlers.model.values import Money, Priority, Ref, Word

Status: TypeAlias = Literal[
    "operating", "standby", "down", "maintenance", "not_in_service", "decommissioned", "unknown"
]

EVENT_WORDS: Mapping[str, str] = {"up": "operating", "down_planned": "maintenance"}
"""The contract's other words for a status (section 5); read wherever an asset's status is stated."""


class AssetStatus(Word):
    """Whether an asset can do its work."""

    value: Status

    words: ClassVar[Mapping[str, str]] = {word: word for word in get_args(Status)} | dict(EVENT_WORDS)
    fallback: ClassVar[str | None] = UNKNOWN


class Attribute(Struct, kw_only=True, omit_defaults=True):
    """A property that the source lets its users define."""

    name: Text | None = None
    value: Anything | None = None
    unit: Text | None = None


class Asset(Record):
    """Equipment, a functional location or a location."""

    name: Text | None = None
    description: Text | None = None
    record_kind: Literal["equipment", "functional_location", "location"] | None = None
    status: AssetStatus | None = None
    is_up: Flag | None = None
    category: Text | None = None
    type_source: Text | None = None
    model_ref: Ref | None = None
    manufacturer: Text | None = None
    model: Text | None = None
    manufacturer_part_number: Text | None = None
    serial_number: Text | None = None
    tag: Text | None = None
    criticality: Priority | None = None
    parent_ref: Ref | None = None
    location_ref: Ref | None = None
    site_ref: Ref | None = None
    company_ref: Ref | None = None
    cost_center: Text | None = None
    vendor_ref: Ref | None = None
    manufacturer_ref: Ref | None = None
    purchase_cost: Money | None = None
    replacement_cost: Money | None = None
    book_value: Money | None = None
    purchase_date: Date | None = None
    installed_date: Date | None = None
    in_service_date: Date | None = None
    warranty_end_date: Date | None = None
    decommissioned_date: Date | None = None
    valid_from: Date | None = None
    valid_to: Date | None = None
    attributes: list[Attribute] | None = None
    geo: Anything | None = None
    address: Anything | None = None
    is_active: Flag | None = None
