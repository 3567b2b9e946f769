"""Fiix (Rockwell): objects as its API answers them, posted by whoever polls it.

Where the map comes from, read in 2026; facts only. Names and types are good, bodies were captured nowhere, and no
webhooks were found:

- SDK: GitHub `fiixlabs/fiix-cmms-client-java`, `dto/*.java` and the JSON format. API: GitHub `fiixlabs/fiix-cmms-api`.
- NET: GitHub `Screaminlean/FiixCmms.Client.Net`. EX: usage examples.

Rules:

- A body is an answer: `objects` of a find, `object` of a find by id, `responses` of a batch. What an object is, its
  `className` says. An answer that is an `error` says nothing of any record, and is kept unhandled.
- Only the fields asked for come back, and nulls are left out [SDK]. So what is absent touches nothing, unless the body
  carries the request's own `fields` beside `objects` (whoever polls may add it): what was asked for and is absent is
  null then.
- Names are read whatever their capitals are (`dtmOffLineTo`, `dtmOfflineFrom`, `qtyRecieved` [SDK]).
- Times are milliseconds since 1970 [SDK for requests; INFERRED for answers]; RFC 3339 is read too.
- Statuses, priorities and types are ids of the customer's own tables: `_fiix_lookups` says how they are read. Poll the
  tables in one batch with the objects, or name the ids in `status_map` and `priority_map`.
- A time of change is in work orders and plans alone; stops and readings are ordered by their own times, assets by
  `intUpdated`. Purchase orders, their lines, stock and vendors have none: they only ask for a fetch unless the
  connection says `order = "arrival"`, which is right for one poller.
- The table Asset holds equipment, places, tools and parts. INFERRED: one with a stock count and no `bolIsOnline` is a
  part, one whose `bolIsSite` is 1 or whose category has the system code 1 is a place.
- Lists of ids are comma-separated. So are lists of names, but names have commas too: they are labels only where there
  are as many of them as of ids.
- A meter is an asset and a unit. A line names its vendor, the order does not: the order's is that of its line.
- A row of WorkOrderTask or WorkOrderPart alone asks for its order; inside their order (INFERRED: under their class's
  name) they are its tasks and parts. Amounts name no currency.
- INFERRED besides: what `_fiix_tables` marks so.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from handlers.model.reading import GREATEST_INTEGER
from handlers.sources import Source
from handlers.sources import _fiix_lookups as lookups
from handlers.sources import _fiix_records as records
from handlers.sources import _fiix_tables as tables
from handlers.sources import _fiix_trade_tables as trade
from handlers.sources._converters import instant_or_milliseconds, joined, reference
from handlers.sources._fiix_spelling import spelt
from handlers.sources._mapping import Stated, Table
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled


def _work_order(node: Node) -> Iterator[Told]:
    stated = tables.WORK_ORDER.tell(node)
    records.work_order(node, stated.data)
    yield _told(node, tables.WORK_ORDER, stated, instant_or_milliseconds(node, "dtmDateLastModified"))


def _row_of_order(node: Node) -> Iterator[Told]:
    yield Told(
        type="work_order.updated",
        key=node.key("intWorkOrderID"),
        completeness="thin",
        entity=node.text("className"),
    )


def _asset(node: Node) -> Iterator[Told]:
    if any(node.get(name) is not None for name in ("qtyStockCount", "qtyMinStockCount")) and "bolIsOnline" not in node:
        table, complete = trade.ITEM, records.item
    else:
        table, complete = tables.ASSET, records.asset
    stated = table.tell(node)
    complete(node, stated.data)
    yield _told(node, table, stated, None, version=_version(node))


def _version(node: Node) -> int | None:
    stamp = node.number("intUpdated")
    if stamp is None:
        return None
    if stamp != stamp.to_integral_value() or not 0 <= stamp <= GREATEST_INTEGER:
        raise node.error("out_of_range", "intUpdated", "number", "a whole number of at most 64 bits")
    return int(stamp)


def _stock(node: Node) -> Iterator[Told]:
    stated = trade.STOCK.tell(node)
    item = node.key("intAssetID")
    parts = [each for each in map(node.text, ("strAisle", "strRow", "strBin")) if each is not None]
    level = {
        "warehouse_ref": reference(node.text("intFacilityID")),
        "bin": "-".join(parts) or None,
        "on_hand": node.number("qtyOnHand"),
        "reorder_point": node.number("qtyMinQty"),
    }
    kept = ("warehouse_ref", "bin")
    stated.data["stock_levels"] = [{name: each for name, each in level.items() if each is not None or name in kept}]
    yield _told(node, trade.STOCK, stated, None, key=item)


def _stop(node: Node) -> Iterator[Told]:
    """A stop; without an end it goes on. `dblProductionHoursAffected` is not its length."""
    stated = tables.STOP.tell(node)
    is_over = stated.data.get("ended_at") is not None
    happened = instant_or_milliseconds(node, "dtmOffLineTo" if is_over else "dtmOfflineFrom")
    yield _told(node, tables.STOP, stated, happened, verb="ended" if is_over else "started")


def _reading(node: Node) -> Iterator[Told]:
    stated = tables.READING.tell(node)
    unit = lookups.row(node, "intMeterReadingUnitsID", "MeterReadingUnit")
    stated.data["meter_ref"] = reference(joined(node.key("intAssetID"), node.text("intMeterReadingUnitsID")))
    if unit is not None:
        stated.data["unit"] = unit.symbol or unit.name
    yield _told(node, tables.READING, stated, instant_or_milliseconds(node, "dtmDateSubmitted"), verb="recorded")


def _purchase_order(node: Node) -> Iterator[Told]:
    stated = trade.PURCHASE_ORDER.tell(node)
    status = lookups.status(node, "intPurchaseOrderStatusID", "PurchaseOrderStatus", tables.PURCHASE_STATUSES)
    if status is not None:
        stated.data["status"] = status
    yield _told(node, trade.PURCHASE_ORDER, stated, None)


def _line(node: Node) -> Iterator[Told]:
    order = node.key("intPurchaseOrderID")
    line, custom = trade.LINE.tell(node)
    if node.text("intShipToLocationID") is not None:
        line["ship_to"] = {"code": node.text("intShipToLocationID")}
    if custom:
        line["custom_fields"] = custom
    data: dict[str, Any] = {"lines": [line]}
    if node.text("intSupplierID") is not None:
        data["vendor_ref"] = reference(node.text("intSupplierID"))
    if node.text("intSiteID") is not None:
        data["site_ref"] = reference(node.text("intSiteID"))
    yield _told(node, trade.LINE_OF, Stated(data, {}), None, key=order)


def _vendor(node: Node) -> Iterator[Told]:
    stated = trade.VENDOR.tell(node)
    records.vendor(node, stated.data)
    yield _told(node, trade.VENDOR, stated, None)


def _plan(node: Node) -> Iterator[Told]:
    stated = tables.PLAN.tell(node)
    records.plan(node, stated.data)
    yield _told(node, tables.PLAN, stated, instant_or_milliseconds(node, "dtmUpdatedDate"))


def _told(
    node: Node,
    table: Table,
    stated: Stated,
    happened: datetime | None,
    *,
    verb: str = "updated",
    key: str | None = None,
    version: int | None = None,
) -> Told:
    return Told(
        type=f"{table.kind}.{verb}",
        key=node.key("id") if key is None else key,
        data=stated.data,
        custom={name: value for name, value in stated.custom.items() if name != "className"},
        occurred_at=happened,
        version=version,
        table=table,
        entity=node.text("className"),
    )


_CLASSES: Final[dict[str, Callable[[Node], Iterator[Told]]]] = {
    "WorkOrder": _work_order,
    "WorkOrderTask": _row_of_order,
    "WorkOrderPart": _row_of_order,
    "Asset": _asset,
    "Stock": _stock,
    "AssetOfflineTracker": _stop,
    "MeterReading": _reading,
    "PurchaseOrder": _purchase_order,
    "PurchaseOrderLineItem": _line,
    "Business": _vendor,
    "ScheduledMaintenance": _plan,
}
"""The others are kept and ignored, lookup tables among them: whatever needs them reads them beside itself."""


def _map(node: Node) -> Iterator[Told]:
    node = spelt(node)
    name = node.text("className") or ("error" if "error" in node else "unknown")
    mapper = _CLASSES.get(name)
    if mapper is None:
        yield unhandled("fiix", name, node, node.text("id"))
        return
    node.given.context.at_site(node.text("intSiteID"))
    yield from mapper(node)


SOURCE = Source(
    name="fiix",
    default_scheme="makini",
    read=reader(_map, envelopes=("responses/*/objects", "objects", "object")),
    map_from="official Java client's classes (GitHub fiixlabs/fiix-cmms-client-java, fiix-cmms-api), a .NET port; "
    "names good, no captured bodies, meanings of statuses and priorities inferred",
)
