"""Makini: its webhooks (data events, operational events, a Flow's own), and answers of its interface, v3 and v4.

Where the map comes from, read in 2026; facts only:

- MW, FAQ: www.makini.io, the page of MaintenWorks and the answers under `/integrations` and `/products`: that a
  webhook carries event type, time, connection and details, what operational events there are, Flows. No member names.
- D4: docs.makini.io, v4: `id`, `_idValue`, `_displayValue`, `_createdAt`, `_updatedAt`, `_deletedAt`, `_implements`.
- G: GitHub `eqcentric/api-docs` (2025-08-29), `oas3_eam.json`, changelog: the members of v3. G-old: its webhook page of
  2022, with the one body ever published (`{"event": "assets.updated", "body": [keys]}`) and `X-Webhook-Signature`.
  G-draft: an unmerged branch of 2023-11: connection statuses, hexadecimal signatures.

Rules:

- A data event names keys and is thin: it asks for a fetch. Without a time it states nothing, not even a deletion.
- A deletion shows as `deletedAt` on a record. Keys are opaque texts with leading zeros, one kind's never another's.
- A record's time in the order of facts is its `updatedAt` (`deletedAt` where that is later), a reading's `createdAt`.
- Statuses are each system's own, with no list: `status_map` names the text or the `statusKey` of `/statuses`; all else
  is unknown. With `completedAt` it is completed. Severity serves as priority; `priority_map` names its words.
- Whether down time was planned only `categoryName` may say, by keywords that `status_map` overrides (`Changeover =
  "down_planned"`, or `"down"`); else it is unknown. Down time has no `deletedAt` in v3.
- INFERRED, all of it: where a webhook has its name, time, id, connection and details (the first of several names), the
  names of operational events and of what they say; records in place of keys; that an answer of one record is whole, and
  rows of a list may not be; how an answer's records are told apart (`entity` beside them, `_implements`, else by their
  members); what is marked so in `_makini_*`.
- A plain number of `estimatedTime` and the like states no unit, so it is kept as it is. `lastReading` of a meter is
  kept likewise: its readings come by themselves. Sites, locations, companies and other entities that no record of ours
  is made of are kept and ignored, as a Flow's own events are. Thin events of stocks and readings are too.
- A stock is a level of its material, in its storeroom or else its location, as `inventories` inside a material are.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from handlers.events import Delivery, MappingOptions, Reading
from handlers.sources import Source
from handlers.sources import _makini_records as records
from handlers.sources._makini_names import MAX_NAME, STATES, data_event, operational, squashed
from handlers.sources._makini_records import Entity
from handlers.sources._makini_values import is_null
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled

NAMES: Final = ("event", "event_type", "eventType", "type")
IDS: Final = ("id", "webhook_id", "event_id", "webhookId", "eventId")
TIMES: Final = ("timestamp", "occurred_at", "occurredAt", "created_at", "createdAt")
DETAILS: Final = ("data", "body", "payload", "details")
CONNECTIONS: Final = ("connection_id", "connectionId", "connection")
STATUS: Final = ("status", "state", "connection_status", "connectionStatus", "result")
MESSAGE: Final = ("message", "error_message", "errorMessage", "error", "reason")
CODE: Final = ("code", "error_code", "errorCode")
ENVELOPE: Final = frozenset({*NAMES, *IDS, *TIMES, *DETAILS, *CONNECTIONS})
"""Of each the first that is there counts (makini.md, 9)."""


def _map(node: Node) -> Iterator[Told]:
    name = _text(node, NAMES)
    if name is None:
        yield from records.alone(node)
        return
    code = squashed(name)
    detail = node.first(*DETAILS)
    type_ = operational(code, _squashed(_said(node, detail, STATUS)))
    if type_ is not None:
        yield _health(node, type_, detail)
        return
    happened, event_id = _time(node), _text(node, IDS)
    event = data_event(code)
    entity = records.ENTITIES.get(event.entity or "") if event is not None else None
    if event is None or entity is None or not (isinstance(detail, dict | str) or (isinstance(detail, list) and detail)):
        told_each = iter([unhandled("makini", name, node)])
    else:
        told_each = _records(node, entity, event.verb, happened)
    for told in told_each:
        told.event_id = event_id
        told.occurred_at = told.occurred_at or happened
        yield told


def _records(node: Node, entity: Entity, verb: str, happened: datetime | None) -> Iterator[Told]:
    """One thing for each key or record; the event's id is all of theirs, told apart by the toolkit."""
    place = next(each for each in DETAILS if node.get(each) is not None)
    detail = node.get(place)
    context, root = node.given.context, node.given.context.root
    for index, each in enumerate(detail if isinstance(detail, list) else [detail]):
        at = f"{place}[{index}]" if isinstance(detail, list) else place
        if isinstance(each, dict) and not each.keys() <= records.KEYS:
            context.root = f"{root}.{at}"
            yield records.record(Node(each, node.given), entity, verb, happened)
            context.root = root
            continue
        key = records.key_of(each)
        if key is None:
            raise context.wrong_type(at, each, "a key, or a record")
        if entity.name in records.WITHOUT_KEYS:
            yield unhandled("makini", f"{entity.name}.{verb}", node, key)
            return
        yield records.thin(entity, verb, key, happened)


def _health(node: Node, type_: str, detail: Any) -> Told:
    """An operational event: what it says beside its type, in our words first."""
    first = detail[0] if isinstance(detail, list) and detail else detail
    inside = first if isinstance(first, dict) else {}
    kept = {name: value for name, value in node.values.items() if name not in ENVELOPE} | inside
    status, message = _said(node, inside, STATUS), _said(node, inside, MESSAGE)
    if inside is not first and first is not None:
        kept["details"] = detail
    if type_ == "connection.status_changed" and status is not None:
        kept["status"], kept["status_source"] = STATES.get(squashed(status), "unknown"), status
        if kept["status"] == "unknown":
            node.given.warn("status_unmapped", "status", f"neither up nor down is known by {status[:MAX_NAME]!r}")
    if message is not None:
        kept["message"] = message
    error = inside.get("error", node.get("error"))
    code = _said(node, error if isinstance(error, dict) else inside, CODE)
    if code is not None:
        kept["code"] = code
    return Told(type=type_, data=kept, occurred_at=_time(node), event_id=_text(node, IDS))


def _said(node: Node, detail: Any, names: tuple[str, ...]) -> str | None:
    """A text of the details, else of what stands around them; an object's `message` serves as it."""
    for holder in (detail, node.values):
        for name in names if isinstance(holder, dict) else ():
            value = holder.get(name)
            if isinstance(value, dict):
                value = value.get("message")
            if isinstance(value, str) and value:
                return value
    return None


def _squashed(text: str | None) -> str | None:
    return None if text is None else squashed(text)


def _text(node: Node, names: tuple[str, ...]) -> str | None:
    """The first of some members that is a text; the others may be anything in a Flow's own webhook."""
    return next((value for value in map(node.get, names) if isinstance(value, str)), None)


def _time(node: Node) -> datetime | None:
    """When it happened, by the first name that is there."""
    name = next((each for each in TIMES if node.get(each) is not None), None)
    if name is None:
        return None
    value = node.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return records.since_epoch(value, node, name)
    return node.instant(name)


class _Outer(msgspec.Struct):
    """The members that tell a webhook from an answer."""

    event: msgspec.Raw = msgspec.Raw(b"")
    event_type: msgspec.Raw = msgspec.Raw(b"")
    eventType: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815  # the sender's spelling
    type: msgspec.Raw = msgspec.Raw(b"")
    data: msgspec.Raw = msgspec.Raw(b"")


_OUTER: Final = msgspec.json.Decoder(_Outer)
_webhook: Final = reader(_map, is_null=is_null)
_answer: Final = reader(records.row, envelopes=("data",), is_null=is_null)


def read(delivery: Delivery, options: MappingOptions) -> Reading:
    """Reads a delivery: an answer row by row, so that a bad row costs no other, anything else as a webhook."""
    return (_answer if _is_answer(delivery.body) else _webhook)(delivery, options)


def _is_answer(body: bytes) -> bool:
    if b'"data"' not in body:
        return False
    try:
        outer = _OUTER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return bool(bytes(outer.data)) and not any(map(bytes, (outer.event, outer.event_type, outer.eventType, outer.type)))


SOURCE = Source(
    name="makini",
    default_scheme="makini",
    read=read,
    map_from="makini.io (FAQ), docs.makini.io (v4), GitHub eqcentric/api-docs (OpenAPI of v3, webhook page of 2022); "
    "records solid, envelopes and operational names inferred",
    external_id="/connection_id",
)
