"""Atlas CMMS (Grashjs): its webhooks, and answers of its REST interface.

Where the map comes from, read in 2026; facts only, the code is GPL:

- SRC: GitHub `Grashjs/cmms`, `api/src/main/java/com/grash`: `service/WebhookDispatchService` and the services and
  controllers that call it, `dto/*ShowDTO`, `model/*`, `model/enums`.

Rules:

- The name of the event is in the header `X-Webhook-Event` alone, and so it is part of the event's id. The signature
  does not cover it: a body that has not the members of a deletion is none, whatever the header says. Without the
  header (a payload that somebody saved) the event is told by its members.
- With the endpoint's `serialize` off the object inside is null: only what the event itself states is told, and the rest
  asked for. An object inside is the whole record, with its nulls: it has `createdAt` and `updatedAt`, which the short
  forms of objects lack.
- WORK_ORDER_CHANGE and WORK_ORDER_STATUS_CHANGE come as two webhooks of one fact and say the same.
- Hours in `estimatedDuration`, seconds in stops: a stop of 0 seconds is one that goes on. Amounts name no currency.
- `changedAmount` is the order's quantity on one path and a difference on the other: it is computed anew.
- An asset counts as up in every status but DOWN and EMERGENCY_SHUTDOWN. MODERNIZATION and INSPECTION_SCHEDULED are kept
  as maintenance, but end a stop all the same: the status stream says operating, and a microsecond later the record
  says maintenance. A `status_map` entry for either (`MODERNIZATION = "down_planned"`) decides for both.
- When an asset goes down each ancestor has an event of its own and looks the same: which one caused it is not in the
  body, so no cause is told; figures never add a child to its parent.
- A trigger's event is a reading: the one that set it off. It names no unit and no asset.
- Never sent: purchase orders, comments, overdue orders. They are polled; so are readings and stops, whose REST form
  leaves out the meter and the asset: whoever polls adds `meter` or `asset`.
- Ids are texts; a request's key begins with `request/`, since orders have ids of their own.
- INFERRED: `content` around a page; what the `_atlas_*` modules mark so; that an object in REST is as whole as inside
  a webhook. Labour (seconds) and locations name no record of their own and are kept as unhandled.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from handlers.model.times import instant_text
from handlers.sources import Source
from handlers.sources import _atlas_records as records
from handlers.sources import _atlas_tables as tables
from handlers.sources._atlas_events import BY_MEMBERS, EVENTS, TRIGGERED, AtlasEvent
from handlers.sources._atlas_records import Entity
from handlers.sources._converters import EXACT, instant_or_milliseconds, reference, word
from handlers.sources._mapping import Stated
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import MAX_TYPE, Told, unhandled

HEADER: Final = "x-webhook-event"
AN_INSTANT_LATER: Final = timedelta(microseconds=1)


_KNOWN: Final = frozenset({"occurredAt", "companyId", "previousStatus", "newStatus", "cancellationReason"})
_QUANTITIES: Final = frozenset({"previousQuantity", "newQuantity", "changedAmount"})
_CATEGORIES: Final = frozenset({"previousCategoryId", "newCategoryId", "newCategoryName"})
_REQUESTS: Final = frozenset({"workOrderId", "workOrderTitle"})


def _map(node: Node) -> Iterator[Told]:
    if "occurredAt" in node and "companyId" in node:
        yield from _webhook(node)
        return
    entity = records.MARKS.of(node)
    if entity is None:
        yield unhandled("atlas", "unknown", node, node.text("id"))
    else:
        yield _record(node, entity)


def _record(node: Node, entity: Entity) -> Told:
    stated = entity.state(node)
    verbs = {"meter_reading": "recorded", "downtime": "corrected"}
    return Told(
        type=f"{entity.kind}.{verbs.get(entity.kind, 'updated')}",
        key=entity.key(node.key("id")),
        data=stated.data,
        custom=stated.custom,
        table=entity.table,
        occurred_at=instant_or_milliseconds(node, "updatedAt") or instant_or_milliseconds(node, "createdAt"),
        completeness=_completeness(node),
        entity=entity.name,
    )


def _completeness(node: Node) -> Literal["full", "partial"]:
    return "full" if "createdAt" in node and "updatedAt" in node else "partial"


def _webhook(node: Node) -> Iterator[Told]:
    named = node.given.headers.get(HEADER) or _named_by_members(node)
    happened = instant_or_milliseconds(node, "occurredAt")
    if named == TRIGGERED:
        yield from _reading(node)
        return
    event = EVENTS.get(named)
    if event is None:
        told = unhandled("atlas", named, node, next(filter(None, map(node.text, _IDS)), None))
        told.occurred_at, told.event_id = happened, _event_id(named, told.key, happened)
        yield told
        return
    subject = node.key(f"{event.subject}Id")
    if event.verb == "deleted" and event.inside not in node:
        raise node.error("missing_field", event.inside, "nothing", "an object or null, as a deletion has it")
    inside = node.node(event.inside)
    data, custom = _stated(node, event, named, inside)
    whole = "thin" if inside is None else _completeness(inside)
    told = Told(
        type=f"{event.entity.kind}.{event.verb}",
        key=event.entity.key(subject),
        data=data | {"source_id": subject},
        custom=custom,
        table=event.entity.table,
        occurred_at=happened,
        event_id=_event_id(named, subject, happened),
        completeness="partial" if event.verb == "deleted" else whole,
        entity=event.entity.name,
    )
    yield from _edge(told) if named == "ASSET_STATUS_CHANGE" else [told]


_IDS: Final = ("locationId", "workOrderId", "assetId", "partId", "requestId", "vendorId", "purchaseOrderId")


def _event_id(named: str, subject: str, happened: datetime | None) -> str:
    return f"{named[:MAX_TYPE]}/{subject}/{'' if happened is None else instant_text(happened)}"


def _named_by_members(node: Node) -> str:
    return next((named for member, named in BY_MEMBERS if member in node), "unknown")


def _stated(node: Node, event: AtlasEvent, named: str, inside: Node | None) -> Stated:
    """What a webhook states: the object inside, and over it what the event itself says."""
    data, custom = Stated({}, {}) if inside is None else event.entity.state(inside)
    title = node.text(f"{event.subject}Title") or node.text(f"{event.subject}Name")
    if title is not None and inside is None:
        data["name" if event.entity in (records.ASSET, records.PART) else "title"] = title
    known = _KNOWN | {f"{event.subject}{each}" for each in ("Id", "Title", "Name")} | {event.inside}
    code = node.text("newStatus")
    if event.entity is records.REQUEST:
        known |= _REQUESTS
        _request(node, code or ("PENDING" if event.verb == "created" and inside is None else None), data)
    elif event.entity is records.WORK_ORDER:
        if code is not None:
            archived = inside is not None and inside.flag("archived") is True
            data["status"] = records.order_status(code, archived=archived)
        if named == "NEW_CATEGORY_ON_WORK_ORDER":
            known |= _CATEGORIES
            data["type_source"] = node.text("newCategoryName")
    elif event.entity is records.ASSET and code is not None:
        data["status"], data["is_up"] = word(tables.ASSET_STATUSES, code), code not in tables.DOWN
    elif named == "PART_QUANTITY_CHANGED":
        known |= _QUANTITIES
        _quantity(node, data, custom)
    custom.update({name: value for name, value in node.values.items() if name not in known and value is not None})
    return Stated(data, custom)


def _request(node: Node, code: str | None, data: dict[str, Any]) -> None:
    data["record_kind"] = "request"
    if code is not None:
        data["status"] = records.request_status(code, node.text("cancellationReason"))
    if node.text("workOrderId") is not None:
        data["converted_to_ref"] = reference(node.text("workOrderId"), node.text("workOrderTitle"))


def _quantity(node: Node, data: dict[str, Any], custom: dict[str, Any]) -> None:
    now, before = node.number("newQuantity"), node.number("previousQuantity")
    if now is not None:
        data["totals"] = {"on_hand": now}
    if now is not None and before is not None:
        custom["changedAmount"] = EXACT.subtract(now, before)


def _edge(told: Told) -> Iterator[Told]:
    """An asset's change of status, in a status stream in which only what the product calls down is down."""
    status = told.data.get("status")
    if status is None or status["value"] != "maintenance":
        yield told
        return
    told.data["status"] = status | {"value": "operating"}
    yield told
    yield Told(
        type="asset.updated",
        key=told.key,
        data={"status": status},
        table=told.table,
        occurred_at=None if told.occurred_at is None else told.occurred_at + AN_INSTANT_LATER,
        event_id=told.event_id,
        entity=told.entity,
    )


def _reading(node: Node) -> Iterator[Told]:
    """The reading that set off a trigger, and the work order that this made."""
    happened, order = instant_or_milliseconds(node, "occurredAt"), node.text("workOrderId")
    trigger = node.key("meterTriggerId")
    if happened is None:
        raise node.error("missing_field", "occurredAt", "null", "a time")
    names = ("triggerValue", "triggerCondition", "meterTriggerId", "meterTriggerName")
    yield Told(
        type="meter_reading.recorded",
        key=f"trigger/{trigger}/{instant_text(happened)}",
        data={
            "meter_ref": reference(node.key("meterId"), node.text("meterName")),
            "meter_name": node.text("meterName"),
            "value": node.number("readingValue"),
            "work_order_ref": reference(order),
            "source": "trigger",
        },
        custom={name: node.get(name) for name in names if name in node},
        table=tables.READING,
        occurred_at=happened,
        event_id=_event_id(TRIGGERED, trigger, happened),
        entity="meterTrigger",
    )
    made = node.node("triggeredWorkOrder")
    if made is not None:
        yield _record(made, records.WORK_ORDER)


SOURCE = Source(
    name="atlas",
    default_scheme="atlas",
    read=reader(_map, envelopes=("content",)),
    map_from="server code of Atlas CMMS (GitHub Grashjs/cmms: webhook sender, services, DTOs, model); solid",
)
