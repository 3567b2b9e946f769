"""What a mapper tells, and how it becomes an event."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from handlers.errors import PermanentError
from handlers.events import Action, Event, Json
from handlers.model import MODELS
from handlers.model.downtime import ORDER_KEY_PREFIX
from handlers.model.reading import GREATEST_INTEGER, SMALLEST_INTEGER, Context, keep_members, member
from handlers.model.record import Model
from handlers.model.scalars import is_surely_key, read_key
from handlers.model.types import ACTIONS, CONNECTION, READ_AS, is_about_connection
from handlers.rules.meters import reset_of
from handlers.sources._mapping import Table
from handlers.sources._node import Given, Node, at
from handlers.sources._road import Identity, check_skew

MAX_TYPE = 200
"""Longest type kept of one that is none of ours, in characters."""

MAX_KINDS = 256
"""How many event types are remembered; of ours there are some fifty, of others there is no end."""

BARE = {"downtime": "downtime.corrected"}
"""By kind: the type of an event that states nothing and asks for a fetch, where no `updated` is of our language."""


class Told(msgspec.Struct, kw_only=True, eq=False):
    """One thing an element says happened, before our model has read it.

    Attributes:
        type: of our language (`work_order.updated`); any other is kept and ignored.
        key: of the subject, in its canonical text; what is about the connection itself needs none.
        data: the fields by our names, in the form that the kind's model reads; None clears, absent touches nothing.
        custom: unmapped members under their source's names.
        occurred_at: when it happened (UTC). Without it and without a version there is no order: the event then
            states nothing and only asks for a fetch, unless the connection orders by arrival.
        version: the source's own order of this subject's events, a signed 64-bit integer.
        event_id: the source's id of the event; None takes the header's, else the digest.
        completeness: `full` clears what the table can give and `data` lacks; `thin` asks for a fetch.
        table: that made `data`: it knows the fields a full record has, and where in the source a value stood.
        entity: the source's own name of what the record is, kept as `source_entity`.
    """

    type: str
    key: str = ""
    data: dict[str, Any] = {}
    custom: Mapping[str, Any] = {}
    occurred_at: datetime | None = None
    version: int | None = None
    event_id: str | None = None
    completeness: Literal["full", "partial", "thin"] = "partial"
    table: Table | None = None
    entity: str | None = None


def unhandled(source: str, name: str, node: Node, key: str | None = None) -> Told:
    """What nothing handles, kept as it came: an event that ends as `ignored`.

    Args:
        source: the source's name.
        name: of the sender's event type, or of what the element is; `unknown` where it does not say.
        node: the element.
        key: of its subject, where it has one.
    """
    return Told(type=f"{source}.{name}"[:MAX_TYPE], key=key or "-", custom=node.values)


def event(told: Told, number: int, identity: Identity, given: Given) -> Event:
    """Turns what was told into an event: read by its model, in its place in the order of facts.

    Args:
        told: by the mapper.
        number: how many the same element told before it.
        identity: of the element.
        given: the element's context; its warnings so far are this event's.

    Raises:
        PermanentError: with code and path, at the first value that cannot be what its field holds.
    """
    context, delivery = given.context, identity.delivery
    kind = _kind(told.type)
    told = _in_order(told, given, kind)
    occurred_at = told.occurred_at or delivery.received_at
    check_skew(occurred_at, "", delivery, context)
    if kind.is_ours:
        fields, custom = _fields(told, kind, given)
    else:
        fields, custom = keep_members({**told.data, **told.custom}, "", context), {}
    key = delivery.connection_id if kind.name == CONNECTION else _key(told, kind, context)
    if READ_AS.get(told.type) == "meter_reading":
        key = reset_of(key, fields)
    is_full = kind.is_ours and told.completeness == "full"
    return Event(
        connection_id=delivery.connection_id,
        index=identity.place(number),
        event_id=identity.event_id(told.event_id, number),
        digest=identity.digest,
        type=told.type,
        action=ACTIONS.get(told.type, Action.UPDATED),
        kind=kind.name,
        key=key,
        occurred_at=occurred_at,
        version=told.version,
        fields=fields,
        custom_fields=custom,
        full=is_full,
        full_fields=told.table.targets if is_full and told.table is not None else (),
        warnings=tuple(context.warnings),
        thin=kind.is_ours and told.completeness == "thin",
    )


class _Kind(NamedTuple):
    """What an event type says of its subject.

    Attributes:
        name: of the subject's kind.
        is_ours: whether the type is of our language.
        model: reads what its events state; None where nothing does.
    """

    name: str
    is_ours: bool
    model: Model | None


@lru_cache(maxsize=MAX_KINDS)
def _kind(type_: str) -> _Kind:
    name = type_.partition(".")[0]
    if is_about_connection(type_):
        return _Kind(CONNECTION, type_ in ACTIONS, None)
    return _Kind(name, type_ in ACTIONS, MODELS.get(READ_AS.get(type_, name)))


def _key(told: Told, kind: _Kind, context: Context) -> str:
    key = told.key if is_surely_key(told.key) else read_key(told.key, "", context)
    if kind.name == "downtime" and key.startswith(ORDER_KEY_PREFIX):
        raise context.error("reserved_key", "", "string", f"a key that does not begin with {ORDER_KEY_PREFIX}")
    return key


def _in_order(told: Told, given: Given, kind: _Kind) -> Told:
    """What is left of it in the order that the connection asks for (design, section 3, rule 2)."""
    if given.options.order == "arrival":
        return msgspec.structs.replace(told, occurred_at=given.received_at, version=None)
    if told.version is not None and not SMALLEST_INTEGER <= told.version <= GREATEST_INTEGER:
        raise given.context.error("out_of_range", "version", "number", "a signed 64-bit integer")
    if told.occurred_at is not None or not kind.is_ours:
        return told
    if told.version is not None:
        given.warn("time_assumed", "", "it names no time; its version orders it, and its time is when it came")
        return told
    type_ = told.type if kind.model is None else BARE.get(kind.name, f"{kind.name}.updated")
    return Told(type=type_, key=told.key, event_id=told.event_id, completeness="thin", entity=told.entity)


def _fields(told: Told, kind: _Kind, given: Given) -> tuple[dict[str, Json], dict[str, Json]]:
    data, custom, context = told.data, told.custom, given.context
    if told.entity is not None:
        data["source_entity"] = told.entity
    if kind.model is None:
        return keep_members({**data, **custom}, "", context), {}
    moved: dict[str, str] = {}
    if context.options.field_map:
        custom = dict(custom)
        moved = _moved(kind, kind.model, data, custom, context)
    try:
        stated = kind.model.read(data, context)
    except PermanentError as error:
        raise _at_source(error, told.table, moved, given) from None
    if custom:
        stated.custom_fields.update(keep_members(custom, "", context))
    return stated.fields, stated.custom_fields


def _moved(kind: _Kind, model: Model, data: dict[str, Any], custom: dict[str, Any], context: Context) -> dict[str, str]:
    """Moves the custom fields that the connection maps to fields of ours; by our name, what each was called."""
    moved = {}
    for name, ours in context.options.field_map.items():
        target = ours.removeprefix(f"{kind.name}.")
        if name in custom and target in model.fields:
            data[target] = custom.pop(name)
            moved[target] = name
    return moved


def _at_source(error: PermanentError, table: Table | None, moved: Mapping[str, str], given: Given) -> PermanentError:
    """A refusal by our model, told where the value stood in the source's element."""
    root = given.context.root
    ours = (error.path or "").removeprefix(f"{root}.data.")
    head = ours.replace("[", ".").partition(".")[0]
    place = member("", moved[head]) if head in moved else ""
    if not place and table is not None:
        place = table.source_path(ours, given.prefix)
    return at(error, f"{root}{place}")
