"""Microsoft Dynamics 365 Finance & Supply Chain Management: business events, and records of its OData entities.

Where the map comes from, read in 2026; facts only. Good for names, and no live answer of asset management was seen:

- FO-WO, FO-AS, FO-WL, FO-PO: public client code generated from the service's metadata:
  AssetMaintenanceWorkOrderTablesV2, AssetMaintenanceAssetsV2, AssetMaintenanceWorkOrderLines, PurchaseOrderHeadersV2
  and its enumerations.
- FO-BE: a business event's payload (gist `expiscornovus/a213a105`, GitHub
  `ffilardi/D365FO-DMFImportSatusBusinessEvent`, learn.microsoft.com on business events). FO-NUL: GitHub
  `matejskubic/ser-research`, 1900-01-01.
- FO-ST: states of work orders (code911.top, help.dynaway.com, dynamicshub.net).

Rules:

- A business event is thin: it names its subject by the keys that it has, and asks for a fetch. Its time is often the
  null of 1900; then it states nothing at all. `EventId` tells it from others.
- Keys are legal entity and number: `usmf/00000412`. The entity is compared in lower case; a number's zeros, blanks and
  case count. One number in two legal entities is two records.
- An ETag says whether a record has changed, not which of two is newer, and no entity here has a time of change. So a
  record is a fetch too, unless the connection says `order = "arrival"`; or the customer has added `ModifiedDateTime`
  to the entity (INFERRED).
- Nulls: an empty text, 1900-01-01 at midnight or noon, `/Date(-2208988800000)/`. Dates come as noon in UTC.
- An order's status is made of two: `Backorder` is only what an open order is called. One of which a line is received is
  in progress. Where both say something, what was received, invoiced or cancelled stays so while it is approved anew.
- States of work orders and assets are ids that the customer types in; the usual ones are read (INFERRED), others are
  `unknown`, with a warning, until `status_map` names them. Dates beside them are no status.
- An order's asset stands on its lines: line 1 has the order's own.
- Prices are per `PurchasePriceQuantity`. Priorities have no known direction: null until `priority_map` names them.
  Costs of assets and products are in the legal entity's currency, which nobody sends: the connection's `currency`.
- INFERRED: an order with its lines inside and all that is asked of a whole one is whole, so a line it lacks is gone.
- INFERRED besides: that lines come inside (`WorkOrderLines`, `PurchaseOrderLinesV2`) or by themselves; what the
  `_dynamics_fo_*` modules mark so; events through Event Grid in `data`; that an address is all that tells its sender.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from handlers.sources import Handshake, Source
from handlers.sources import _dynamics_fo_maintenance as maintenance
from handlers.sources import _dynamics_fo_tables as tables
from handlers.sources import _dynamics_fo_trade as trade
from handlers.sources._converters import joined, reference
from handlers.sources._dynamics_fo_values import company_of, event_time, is_null
from handlers.sources._mapping import Stated, Table
from handlers.sources._marks import Marks
from handlers.sources._node import Node
from handlers.sources._odata import entity_set, has_all, own
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled


class _Entity(NamedTuple):
    """How records of one entity are told.

    Attributes:
        table: of its members.
        number: the member that makes its key, beside the legal entity.
        read: what it states.
        whole: a record that has all of these members is whole; None where none ever is.
        is_thin: it only asks for its subject.
    """

    table: Table
    number: str
    read: Callable[[Node], Stated]
    whole: tuple[str, ...] | None = None
    is_thin: bool = False

    def completeness(self, node: Node) -> Literal["full", "partial", "thin"]:
        """How much of its subject a record is."""
        if self.is_thin:
            return "thin"
        return "full" if self.whole is not None and has_all(node, self.whole) else "partial"


_ENTITIES: Final[Mapping[str, _Entity]] = {
    "AssetMaintenanceWorkOrderTables": _Entity(tables.WORK_ORDER, "WorkOrderId", maintenance.work_order),
    "AssetMaintenanceWorkOrderLines": _Entity(
        tables.WORK_ORDER, "WorkOrderId", maintenance.work_order_line, is_thin=True
    ),
    "AssetMaintenanceAssets": _Entity(tables.ASSET, "MaintenanceAssetId", maintenance.asset),
    "PurchaseOrderHeaders": _Entity(tables.PURCHASE_ORDER, "PurchaseOrderNumber", trade.purchase_order, trade.WHOLE),
    "PurchaseOrderLines": _Entity(tables.PURCHASE_ORDER, "PurchaseOrderNumber", trade.purchase_order_line),
    "ReleasedProducts": _Entity(tables.ITEM, "ItemNumber", trade.item),
    "OnHand": _Entity(tables.ON_HAND, "ItemNumber", trade.on_hand),
    "Vendors": _Entity(tables.VENDOR, "VendorAccountNumber", trade.vendor),
}
_MARKS: Final = Marks(
    (("WorkOrderId", "LineNumber"), "AssetMaintenanceWorkOrderLines"),
    (("WorkOrderId",), "AssetMaintenanceWorkOrderTables"),
    (("PurchaseOrderNumber", "LineNumber"), "PurchaseOrderLines"),
    (("PurchaseOrderNumber",), "PurchaseOrderHeaders"),
    (("MaintenanceAssetId", "Name"), "AssetMaintenanceAssets"),
    (("MaintenanceAssetId", "MaintenanceAssetTypeId"), "AssetMaintenanceAssets"),
    (("ItemNumber", "InventoryWarehouseId", "AvailableOnHandQuantity"), "OnHand"),
    (("ItemNumber", "ProductType"), "ReleasedProducts"),
    (("VendorAccountNumber", "VendorGroupId"), "Vendors"),
)
"""What tells entities apart where no context names the set, the first that fits wins (I)."""
_SUBJECTS: Final = (
    ("purchase_order", "PurchaseOrderNumber"),
    ("work_order", "WorkOrderId"),
    ("asset", "MaintenanceAssetId"),
)
"""By the key that a business event has: what it is about; the last two are INFERRED."""
_OF_EVENT: Final = frozenset(
    {
        *("BusinessEventId", "ControlNumber", "EventId", "EventTime", "EventTimeIso8601"),
        *("LegalEntity", "MajorVersion", "MinorVersion", "InitiatingUserAADObjectId"),
    }
)


def _business_event(node: Node) -> Told:
    name = node.key("BusinessEventId")
    kind, number = next((each for each in _SUBJECTS if node.text(each[1]) is not None), ("", ""))
    if not kind:
        return unhandled("dynamics_fo", name, node)
    company = company_of(node, "LegalEntity")
    custom = {each: value for each, value in node.values.items() if each not in _OF_EVENT and each != number}
    return Told(
        type=f"{kind}.updated",
        key=joined(company, node.key(number)),
        data={"number": node.key(number), "company_ref": reference(company)},
        custom=own(node, custom),
        occurred_at=event_time(node),
        event_id=node.text("EventId"),
        completeness="thin",
        entity=name,
    )


def _entity(node: Node) -> tuple[str | None, _Entity | None]:
    """The name of a record's entity set, and how it is told; versions (`V2`) are alike."""
    _, name = entity_set(node)
    if name is not None:
        bare = "OnHand" if "OnHand" in name else name.rstrip("0123456789").removesuffix("V")
        return name, _ENTITIES.get(bare)
    found = _MARKS.of(node)
    return found, None if found is None else _ENTITIES[found]


def _map(node: Node) -> Iterator[Told]:
    inner = node.get("data")
    if isinstance(inner, dict) and "BusinessEventId" in inner:
        node = node.node("data") or node
    if "BusinessEventId" in node:
        yield _business_event(node)
        return
    name, entity = _entity(node)
    if entity is None:
        yield unhandled("dynamics_fo", name or "unknown", node)
        return
    stated = entity.read(node)
    company = company_of(node)
    if entity.table.kind in _OF_COMPANIES:
        stated.data["company_ref"] = reference(company)
    yield Told(
        type=f"{entity.table.kind}.updated",
        key=joined(company, node.key(entity.number)),
        data=stated.data,
        custom=own(node, stated.custom),
        occurred_at=node.instant("ModifiedDateTime"),
        completeness=entity.completeness(node),
        table=entity.table,
        entity=name,
    )


_OF_COMPANIES: Final = frozenset({"work_order", "asset", "purchase_order"})
"""Kinds whose records name a company."""

SOURCE = Source(
    name="dynamics_fo",
    default_scheme={"token": {"query": "token"}},
    read=reader(_map, envelopes=("value",), is_null=is_null),
    map_from="client code generated from the service's metadata, a captured business event; good, states inferred",
    handshakes=(Handshake.WEBHOOK_ORIGIN,),
)
