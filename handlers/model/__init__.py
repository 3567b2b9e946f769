"""The unified records: one file an entity, value types and readers shared."""

from collections.abc import Mapping
from types import MappingProxyType

from handlers.model.asset import Asset
from handlers.model.downtime import Downtime
from handlers.model.inventory_item import InventoryItem
from handlers.model.meter_reading import Meter, MeterReading
from handlers.model.pm_plan import PmPlan
from handlers.model.purchase_order import PurchaseOrder
from handlers.model.record import Model
from handlers.model.vendor import Vendor
from handlers.model.work_order import WorkOrder

MODELS: Mapping[str, Model] = MappingProxyType(
    {
        "work_order": Model("work_order", WorkOrder),
        "asset": Model("asset", Asset),
        "downtime": Model("downtime", Downtime),
        "purchase_order": Model("purchase_order", PurchaseOrder),
        "inventory_item": Model("inventory_item", InventoryItem),
        "vendor": Model("vendor", Vendor),
        "meter": Model("meter", Meter),
        "meter_reading": Model("meter_reading", MeterReading),
        "pm_plan": Model("pm_plan", PmPlan),
    }
)
"""By kind. Fields of another kind pass unvalidated, in kept form."""
