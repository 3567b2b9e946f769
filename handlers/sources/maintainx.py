"""MaintainX: webhooks, and answers of its REST interface.

Where the map comes from, read in 2026; facts only:

- OAS: OpenAPI "MaintainX API" with `x-webhooks`, versions up to 2026-03: GitHub `odenio/maintainx-go-sdk`,
  `openapi.json`.
- ASY: AsyncAPI of its 46 events, GitHub `api-evangelist/maintainx`.
- CAP: bodies captured in third parties' tests. Not used: pages that call the events `workorder.created` or the header
  `x-maintainx-signature`, which contradict both.

Rules:

- A webhook is flat. It is told by `eventType`, which OAS does not list and every captured body has; without one by the
  id it carries; never by `type`, which is a comment's kind. With `serializeEntity` an object is inside, which is a
  subset and is merged, never taken for the whole.
- There is no event id: a repeat is known by event, id and `occurredAt`.
- DONE with the sub-status CANCELED or SKIPPED is cancelled (webhooks); REST says CANCELED or SKIPPED at once.
- `completedAt` is when it was last marked DONE and survives a reopening: it counts only while the status is DONE.
- Money is in cents, save `depreciation` (main units); durations are seconds, save `quantity` of times (hours).
- An asset's stop is told by its status: the id of the OFFLINE status is the stop's, and its `startedAt`, which may be
  back-dated, the start. From OFFLINE to OFFLINE one stop ends and another begins.
- Ids are texts. A request's key begins with `request/`, since orders have ids of their own.
- INFERRED: the lists' names in REST; that a single object of REST omits nulls, so that it is whole; what
  `_maintainx_tables` marks so. Recurrences, procedures and comments are kept as custom fields: they name no record of
  their own. There is no event for meter readings.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

from handlers.sources import Source
from handlers.sources import _maintainx_records as records
from handlers.sources import _maintainx_tables as tables
from handlers.sources._converters import reference, word
from handlers.sources._maintainx_records import Entity
from handlers.sources._maintainx_stops import stops
from handlers.sources._maintainx_trade_tables import LEVEL
from handlers.sources._mapping import Stated
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled


class _Event(NamedTuple):
    """What a webhook's `eventType` is about.

    Attributes:
        entity: the kind of its subject.
        verb: what happened to it.
        id_name: the member that holds the subject's id.
        inside: the members that may hold the object with `serializeEntity`.
    """

    entity: Entity
    verb: str
    id_name: str
    inside: tuple[str, ...] = ()


_ORDER = ("workOrderId", ("newWorkOrder", "workOrder"))
_PART = ("partId", ("newPart", "part"))
_PURCHASE = ("purchaseOrderId", ("newPurchaseOrder", "purchaseOrder"))

_EVENTS: Final = {
    "NEW_WORK_ORDER": _Event(records.WORK_ORDER, "created", *_ORDER),
    "WORK_ORDER_CHANGE": _Event(records.WORK_ORDER, "updated", *_ORDER),
    "WORK_ORDER_STATUS_CHANGE": _Event(records.WORK_ORDER, "status_changed", *_ORDER),
    "WORK_ORDER_DELETE": _Event(records.WORK_ORDER, "deleted", *_ORDER),
    "NEW_CATEGORY_ON_WORK_ORDER": _Event(records.WORK_ORDER, "updated", *_ORDER),
    "NEW_WORK_REQUEST": _Event(records.REQUEST, "created", "workRequestId", ("newWorkRequest", "workRequest")),
    "WORK_REQUEST_STATUS_CHANGE": _Event(records.REQUEST, "status_changed", "requestId", ("newWorkRequest",)),
    "ASSET_STATUS_CHANGE": _Event(records.ASSET, "updated", "assetId"),
    "NEW_ASSET": _Event(records.ASSET, "created", "assetId", ("newAsset", "asset")),
    "NEW_PART": _Event(records.PART, "created", *_PART),
    "PART_CHANGE": _Event(records.PART, "updated", *_PART),
    "PART_DELETE": _Event(records.PART, "deleted", *_PART),
    "PART_QUANTITY_CHANGE": _Event(records.PART, "updated", *_PART),
    "NEW_PURCHASE_ORDER": _Event(records.PURCHASE_ORDER, "created", *_PURCHASE),
    "PURCHASE_ORDER_CHANGE": _Event(records.PURCHASE_ORDER, "updated", *_PURCHASE),
    "PURCHASE_ORDER_STATUS_CHANGE": _Event(records.PURCHASE_ORDER, "updated", *_PURCHASE),
    "NEW_VENDOR": _Event(records.VENDOR, "created", "vendorId", ("newVendor", "vendor")),
}
"""Those that say something about a record of ours. The others (comments, overdue, locations, meter triggers, which
carry no reading) are kept and ignored."""

_BY_ID: Final = {
    "workOrderId": ("WORK_ORDER_STATUS_CHANGE", "WORK_ORDER_CHANGE"),
    "workRequestId": ("WORK_REQUEST_STATUS_CHANGE", "NEW_WORK_REQUEST"),
    "requestId": ("WORK_REQUEST_STATUS_CHANGE", "WORK_REQUEST_STATUS_CHANGE"),
    "assetId": ("ASSET_STATUS_CHANGE", "NEW_ASSET"),
    "partId": ("PART_CHANGE", "PART_CHANGE"),
    "purchaseOrderId": ("PURCHASE_ORDER_STATUS_CHANGE", "PURCHASE_ORDER_CHANGE"),
    "vendorId": ("NEW_VENDOR", "NEW_VENDOR"),
}
"""What a webhook without an `eventType` is, by its id: with a `newStatus`, and without one."""


def _map(node: Node) -> Iterator[Told]:
    if node.given.within:
        yield from _rest(node, node.given.within)
        return
    for entity in records.ENTITIES:
        if len(node.values) == 1 and entity.name in node:
            inner = node.node(entity.name)
            if inner is not None:
                yield _record(inner, entity, "full")
                return
    yield from _webhook(node)


def _rest(node: Node, within: str) -> Iterator[Told]:
    """An element of a list, which may be a subset of its object (INFERRED)."""
    if within == "readings":
        key = node.key("id")
        yield Told(
            type="meter_reading.recorded",
            key=key,
            data=records.reading(node),
            table=tables.READING,
            occurred_at=node.instant("readingDate"),
            entity="reading",
        )
        return
    entity = next(each for each in records.ENTITIES if f"{each.name}s" == within)
    yield _record(node, entity, "partial")


def _record(node: Node, entity: Entity, completeness: Literal["full", "partial"]) -> Told:
    stated = entity.state(node)
    is_deleted = node.get("deletedAt") is not None
    return Told(
        type=f"{entity.kind}.{'deleted' if is_deleted else 'updated'}",
        key=_key(entity, node.key("id")),
        data=stated.data,
        custom=stated.custom,
        table=entity.table,
        occurred_at=node.instant("updatedAt") or node.instant("deletedAt") or node.instant("createdAt"),
        completeness="partial" if is_deleted else completeness,
        entity=entity.name,
    )


def _webhook(node: Node) -> Iterator[Told]:
    named = node.text("eventType") or _named_by_id(node)
    event = _EVENTS.get(named)
    happened = node.instant("occurredAt")
    if event is None:
        other = next((node.text(name) for name in _BY_ID if name in node), None)
        told = unhandled("maintainx", named, node, other)
        told.occurred_at = happened
        yield told
        return
    subject = node.key(event.id_name)
    event_id = f"{named}/{subject}/{node.text('occurredAt')}"
    if named == "ASSET_STATUS_CHANGE":
        yield from stops(node, subject, happened, event_id)
        return
    stated, is_thin = _stated(node, event, named)
    yield Told(
        type=f"{event.entity.kind}.{event.verb}",
        key=_key(event.entity, subject),
        data=stated.data,
        custom=stated.custom,
        table=event.entity.table,
        occurred_at=happened,
        event_id=event_id,
        completeness="thin" if is_thin else "partial",
        entity=event.entity.name,
    )


def _named_by_id(node: Node) -> str:
    for name, (with_status, without) in _BY_ID.items():
        if name in node:
            if name == "partId" and "newQuantity" in node:
                return "PART_QUANTITY_CHANGE"
            return with_status if "newStatus" in node else without
    return "unknown"


def _stated(node: Node, event: _Event, named: str) -> tuple[Stated, bool]:
    """What a webhook states about its subject, and whether there is more to fetch."""
    inside = next((inner for inner in map(node.node, event.inside) if inner is not None), None)
    stated = Stated({}, {}) if inside is None else event.entity.state(inside)
    data, custom = stated
    data["source_id"] = node.text(event.id_name)
    if node.text("workOrderExternalId") is not None:
        data["external_id"] = node.text("workOrderExternalId")
    if event.entity in (records.WORK_ORDER, records.REQUEST, records.ASSET) and node.text("orgId") is not None:
        data["site_ref"] = reference(node.text("orgId"))
    if named == "PART_QUANTITY_CHANGE":
        _quantity(node, data)
    else:
        _status(node, event, data)
    known = {"eventType", "occurredAt", "orgId", "workOrderExternalId", "newStatus", "newSubStatus", "newQuantity"}
    hidden = known | {event.id_name, "locations", *event.inside}
    custom.update({name: value for name, value in node.values.items() if name not in hidden and value is not None})
    return stated, inside is None and event.verb != "deleted"


def _status(node: Node, event: _Event, data: dict[str, Any]) -> None:
    code = node.text("newStatus")
    if event.entity is records.WORK_ORDER and (code is not None or event.verb == "created"):
        data["status"] = records.order_status(code or "OPEN", node.text("newSubStatus"))
    elif event.entity is records.REQUEST:
        data["record_kind"] = "request"
        if code is not None or event.verb == "created":
            data["status"] = word(tables.REQUEST_STATUSES, code or "PENDING")
    elif event.entity is records.PURCHASE_ORDER and code is not None:
        data.update(records.purchase_status(code))


def _quantity(node: Node, data: dict[str, Any]) -> None:
    """The quantity there is now, where it is told; a difference alone is not added up, but fetched."""
    if node.get("newQuantity") is not None:
        data["totals"] = {"on_hand": node.number("newQuantity")}
    levels = [LEVEL.tell(each).data for each in node.nodes("locations") if each.get("newQuantity") is not None]
    if levels:
        data["stock_levels"] = levels


def _key(entity: Entity, number: str) -> str:
    return f"request/{number}" if entity is records.REQUEST else number


SOURCE = Source(
    name="maintainx",
    default_scheme="maintainx",
    read=reader(_map, envelopes=(*(f"{each.name}s" for each in records.ENTITIES), "readings")),
    map_from="OpenAPI with x-webhooks (GitHub odenio/maintainx-go-sdk), AsyncAPI (api-evangelist/maintainx), captured "
    "bodies in third parties' tests; solid",
)
