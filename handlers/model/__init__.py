"""The unified records: one file an entity, value types and readers shared."""

from collections.abc import Mapping
from types import MappingProxyType

from handlers.model.asset import Asset
from handlers.model.downtime import Downtime
from handlers.model.record import Model
from handlers.model.work_order import WorkOrder

MODELS: Mapping[str, Model] = MappingProxyType(
    {
        "work_order": Model("work_order", WorkOrder),
        "asset": Model("asset", Asset),
        "downtime": Model("downtime", Downtime),
    }
)
"""By kind. The fields of a kind that is not here pass unvalidated, in kept form."""
