"""The inventory item: a part or material, what it costs, who sells it and how much of it lies where."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from handlers.model.record import Record
from handlers.model.scalars import Anything, Count, Flag, InstantOrDate, Number, Text
from handlers.model.trade import Conversion, UnitCost
from handlers.model.values import Money, Quantity, Ref


class ItemVendor(Struct, kw_only=True, omit_defaults=True):
    """Who sells the item, under which number, for how much and how fast."""

    vendor_ref: Ref | None = None
    vendor_item_number: Text | None = None
    price: Money | None = None
    lead_time_days: Count | None = None


class Totals(Struct, kw_only=True, omit_defaults=True):
    """Quantities over all places, as the source states them; where it does not, the sum of levels is printed."""

    on_hand: Quantity | None = None
    available: Quantity | None = None
    reserved: Quantity | None = None
    on_order: Quantity | None = None


class StockLevel(Struct, kw_only=True, omit_defaults=True):
    """How much lies in one place, in the item's `uom`.

    Warehouse, bin, lot, condition and stock type together tell a level from the others of its item.
    """

    warehouse_ref: Ref | None = None
    bin: Text | None = None
    lot: Text | None = None
    condition: Text | None = None
    stock_type: Literal["unrestricted", "quality", "blocked", "consignment"] | None = None
    on_hand: Number | None = None
    reserved: Number | None = None
    available: Number | None = None
    on_order: Number | None = None
    reorder_point: Number | None = None
    safety_stock: Number | None = None
    maximum: Number | None = None
    reorder_quantity: Number | None = None
    counted_at: InstantOrDate | None = None
    as_of: InstantOrDate | None = None


class InventoryItem(Record):
    """A part or material."""

    name: Text | None = None
    description: Text | None = None
    names: Annotated[Anything, Meta(description="by language, such as de")] | None = None
    type: Literal["stock", "non_stock", "service", "tool"] | None = None
    category: Text | None = None
    uom: Annotated[Text, Meta(description="UN/ECE Rec 20 or UCUM where that is known")] | None = None
    purchase_uom: Text | None = None
    conversion: Conversion | None = None
    unit_cost: UnitCost | None = None
    manufacturer: Text | None = None
    mpn: Annotated[Text, Meta(description="the manufacturer's part number")] | None = None
    barcode: Text | None = None
    preferred_vendor_ref: Ref | None = None
    vendors: list[ItemVendor] | None = None
    is_active: Flag | None = None
    is_stocked: Flag | None = None
    asset_refs: list[Ref] | None = None
    totals: Totals | None = None
    stock_levels: list[StockLevel] | None = None
