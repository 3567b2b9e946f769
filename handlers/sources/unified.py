"""The `unified` source: our own event format, for senders that have none (contract, section 5).

A body is one JSON object or an array of at most 1,000; CloudEvents 1.0 in structured JSON is read too. What an event
becomes:

- `fields` are named as the record prints them (`handlers.model`): `asset_ref` for `asset_key`, `status` as
  `{"value", "source_code", "source_label"}`, and so on. A member that was null is None. A member that the model does
  not list is in `custom_fields`.
- Nothing is made up from `occurred_at`: that `started_at`, `ended_at` and `completed_at` default to it is the fold's
  affair, by action. Only `work_order.completed`, `.reopened` and `.cancelled` write the `status` that they imply,
  where they state none that we know.
- The fields of types that are not in the language (`handlers.model.types.ACTIONS`; such an event has the action
  UPDATED) pass unvalidated in kept form, names as sent.
- `connection.*`, `sync.*` and `system.error` are about the record of kind `connection` whose key is the connection's
  id; their whole `data` is in `fields`, a `key` too.
- Every event is partial.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw

from handlers.events import Action, Delivery, Event, Json, MappingOptions, Reading
from handlers.model import MODELS
from handlers.model.downtime import ORDER_KEY_PREFIX
from handlers.model.numbers import number_from_json
from handlers.model.reading import GREATEST_INTEGER, SMALLEST_INTEGER, Context, found, keep, member, without_nul
from handlers.model.record import UNKNOWN
from handlers.model.scalars import read_key
from handlers.model.times import instant
from handlers.model.types import ACTIONS, CONNECTION, IMPLIED_STATUS, READ_AS, is_about_connection
from handlers.rules.meters import reset_of
from handlers.sources import Source
from handlers.sources._bodies import decode, split, type_of
from handlers.sources._road import NUL_ESCAPE, Identity, check_skew, read_each

CLOUD_EVENTS_VERSION = "1.0"
_ABSENT = frozenset({"nothing", "null"})


class _Envelope(msgspec.Struct, gc=False):
    """What stands around `data`; each member is checked by hand, so that its refusal names code and path."""

    id: Any = UNSET
    type: Any = UNSET
    occurred_at: Any = UNSET
    version: Any = UNSET
    data: Raw = Raw(b"")
    specversion: Any = UNSET
    source: Any = UNSET
    time: Any = UNSET
    subject: Any = UNSET
    data_base64: Any = UNSET


_ENVELOPES = msgspec.json.Decoder(_Envelope, float_hook=number_from_json)
_DATA = msgspec.json.Decoder(dict[str, Any], float_hook=number_from_json)


def read(delivery: Delivery, options: MappingOptions) -> Reading:
    """Reads a delivery; see the module for what becomes of it.

    Returns:
        An event or an `Unmapped` for each element, in order; one `Unmapped` of index `WHOLE_BODY` where the events
        could not be told apart; nothing for an empty array.
    """
    return read_each(delivery, options, split, _read_element)


def _read_element(raw: bytes, identity: Identity, context: Context) -> tuple[Event]:
    delivery = identity.delivery
    envelope = decode(_ENVELOPES, raw, context.root)
    has_nul = NUL_ESCAPE in raw
    if has_nul:
        _replace_nul(envelope, context)
    time_name = "occurred_at"
    if envelope.specversion is not UNSET:
        _unwrap_cloud_event(envelope, context)
        time_name = "time"
    type_ = _type(envelope, context)
    data = _data(envelope, type_, context)
    if has_nul:
        data = without_nul(data, "data", context)
    if context.options.site_zones:
        context.at_site(_site(data))
    occurred_at = instant(_required(envelope.occurred_at, time_name, context), time_name, context)
    version = _version(envelope.version, context)
    kind, key = _subject(type_, envelope, data, delivery, context)
    fields, custom_fields = _fields(type_, kind, data, context)
    if READ_AS.get(type_) == "meter_reading":
        key = reset_of(key, fields)  # else `key`, which names the reset, would make a meter
    event_id = identity.event_id(_event_id(envelope.id, context))
    check_skew(occurred_at, time_name, delivery, context)
    event = Event(
        connection_id=delivery.connection_id,
        index=identity.place(0),
        event_id=event_id,
        digest=identity.digest,
        type=type_,
        action=ACTIONS.get(type_, Action.UPDATED),
        kind=kind,
        key=key,
        occurred_at=occurred_at,
        version=version,
        fields=fields,
        custom_fields=custom_fields,
        warnings=tuple(context.warnings),
    )
    return (event,)


def _required(value: Any, path: str, context: Context) -> Any:
    if value is UNSET or value is None:
        raise context.error("missing_field", path, "nothing" if value is UNSET else "null", "a value")
    return value


def _replace_nul(envelope: _Envelope, context: Context) -> None:
    for name in ("id", "type", "source", "subject"):
        setattr(envelope, name, without_nul(getattr(envelope, name), name, context))


def _unwrap_cloud_event(envelope: _Envelope, context: Context) -> None:
    """Turns a CloudEvent into our envelope, in place (CloudEvents 1.0.2, 3.1, and its JSON format 1.0.2, 3)."""
    if envelope.specversion != CLOUD_EVENTS_VERSION:
        raise context.error("malformed_value", "specversion", found(envelope.specversion), "CloudEvents 1.0")
    envelope.occurred_at = envelope.time
    if isinstance(envelope.source, str) and isinstance(envelope.id, str) and envelope.id:
        envelope.id = f"{envelope.source} {envelope.id}"
    if isinstance(envelope.type, str):
        ours = ".".join(envelope.type.rsplit(".", maxsplit=2)[-2:])
        envelope.type = ours if ours in ACTIONS else envelope.type
    if type_of(bytes(envelope.data)) in _ABSENT and envelope.data_base64 is UNSET:
        envelope.data = Raw(b"{}")


def _type(envelope: _Envelope, context: Context) -> str:
    type_ = _required(envelope.type, "type", context)
    if not isinstance(type_, str):
        raise context.wrong_type("type", type_, "a string such as work_order.updated")
    return read_key(type_, "type", context)


def _data(envelope: _Envelope, type_: str, context: Context) -> dict[str, Any]:
    raw = bytes(envelope.data)
    value_type = type_of(raw)
    if value_type == "object":
        return decode(_DATA, raw, f"{context.root}.data")
    if value_type not in _ABSENT:
        raise context.error("wrong_type", "data", value_type, "an object")
    if not is_about_connection(type_):
        raise context.error("missing_field", "data", value_type, "an object")
    return {}


def _site(data: dict[str, Any]) -> str | None:
    reference = data.get("site_ref") or data.get("site_key")
    key = reference.get("key") if isinstance(reference, dict) else reference
    return key if isinstance(key, str) else None


def _version(value: Any, context: Context) -> int | None:
    if value is UNSET or value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise context.wrong_type("version", value, "an integer")
    if not SMALLEST_INTEGER <= value <= GREATEST_INTEGER:
        raise context.error("out_of_range", "version", "number", "a signed 64-bit integer")
    return value


def _subject(
    type_: str, envelope: _Envelope, data: dict[str, Any], delivery: Delivery, context: Context
) -> tuple[str, str]:
    """What the event is about, as (kind, key)."""
    if is_about_connection(type_):
        return CONNECTION, delivery.connection_id
    kind = type_.partition(".")[0]
    given, path = data.get("key", UNSET), "data.key"
    if (given is UNSET or given is None) and envelope.specversion is not UNSET and envelope.subject is not UNSET:
        given, path = envelope.subject, "subject"
    key = read_key(_required(given, path, context), path, context)
    if kind == "downtime" and key.startswith(ORDER_KEY_PREFIX):
        raise context.error("reserved_key", path, "string", f"a key that does not begin with {ORDER_KEY_PREFIX}")
    return kind, key


def _fields(type_: str, kind: str, data: dict[str, Any], context: Context) -> tuple[dict[str, Json], dict[str, Json]]:
    """What the event states, as (fields, custom_fields)."""
    model = MODELS.get(READ_AS.get(type_, kind)) if type_ in ACTIONS else None
    if model is None:
        with_key = kind == CONNECTION
        passed = {
            name: keep(value, member("data", name), context)
            for name, value in data.items()
            if with_key or name != "key"
        }
        return passed, {}
    fields, custom_fields = model.read(data, context)
    if type_ == "asset.status_changed":
        _required(data.get("status", UNSET), "data.status", context)
    elif type_ in IMPLIED_STATUS:
        _imply_status(IMPLIED_STATUS[type_], fields)
    return fields, custom_fields


def _imply_status(implied: str, fields: dict[str, Json]) -> None:
    """Writes the status that the event's type implies, unless a known one is stated: the sender knows better."""
    stated = fields.get("status")
    if not isinstance(stated, dict):
        fields["status"] = {"value": implied, "source_code": None, "source_label": None}
    elif stated["value"] == UNKNOWN:
        stated["value"] = implied


def _event_id(value: Any, context: Context) -> str | None:
    if value is UNSET or value is None or value == "":
        return None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise context.wrong_type("id", value, "a string")
    return read_key(value, "id", context)


SOURCE = Source(name="unified", default_scheme="makini", read=read)
