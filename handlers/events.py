"""What travels the road: a delivery comes in, events come out of it, each ends in an outcome.

Plain frozen values, known to every layer. Times are aware UTC datetimes; digests are lower-case hexadecimal SHA-256.
"""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias

import msgspec

from handlers.errors import PermanentError

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
"""A value as it is kept: decimals are strings already, so no float is ever among them."""

WHOLE_BODY = -1
"""The index of a dead letter that stands for a whole delivery whose events could not be told apart."""

MAX_ELEMENTS = 1000
"""Most elements in one body (contract, section 5)."""


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One accepted POST.

    Attributes:
        delivery_id: ours, unique, in order of acceptance (UUIDv7 text).
        connection_id: which connection it was verified for.
        received_at: when its last byte had come (UTC).
        body: the bytes exactly as signed.
        headers: those worth keeping, names in lower case; never a signature, a token or a cookie.
        verdict: `verified`, or `edited by NAME` for an operator's corrected copy.
        secret_position: which of the connection's secrets verified it, from 0.
        read_at: when it is read once more (UTC): clock skew is then judged by it, and by nothing else; never archived.
        places: of a body that is a part of the one that came, where in that one each of its elements stood; never
            archived either.
    """

    delivery_id: str
    connection_id: str
    received_at: datetime
    body: bytes
    headers: dict[str, str] = {}
    verdict: str = "verified"
    secret_position: int = 0
    read_at: datetime | None = None
    places: tuple[int, ...] | None = None


class Action(enum.StrEnum):
    """What an event says happened to its subject, apart from the fields it states."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    """Also `downtime.voided`: a tombstone."""
    RESTORED = "restored"
    STARTED = "started"
    ENDED = "ended"
    CORRECTED = "corrected"
    STATUS_CHANGED = "status_changed"
    COMPLETED = "completed"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    RECORDED = "recorded"
    REPORTED = "reported"
    """An operational event about the connection itself."""


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One thing a delivery says happened, in the unified language.

    Attributes:
        connection_id: whose it is; identity of every record is (connection, kind, key).
        index: its place in the delivery, from 0; what one element tells beside its first event has the element's
            place plus a multiple of `MAX_ELEMENTS`.
        event_id: the source's id, else the delivery's header id with `#index`, else the digest.
        digest: SHA-256 of the event's own bytes (the JSON value without surrounding white space), hexadecimal.
        type: `work_order.completed` and its like.
        action: what the type says, once.
        kind: kind of the subject (`work_order`, `asset`, `downtime`, …), the part before the type's dot.
        key: key of the subject, in its canonical text.
        occurred_at: when it happened (UTC, microseconds).
        version: the source's own order of this subject's events; None where it has none.
        fields: the registers it writes, by name, in kept form; null clears, absent touches nothing.
        custom_fields: unmapped source fields, merged by name; null clears.
        full: the record is whole: what `full_fields` lists and `fields` lacks is cleared.
        full_fields: every field that this source's mapper can give, for a full record.
        warnings: what was doubtful, as `{"code", "path", "detail"}`.
        thin: it states less than its source knows: its subject wants a fetch.
    """

    connection_id: str
    index: int
    event_id: str
    digest: str
    type: str
    action: Action
    kind: str
    key: str
    occurred_at: datetime
    version: int | None = None
    fields: dict[str, Json] = {}
    custom_fields: dict[str, Json] = {}
    full: bool = False
    full_fields: tuple[str, ...] = ()
    warnings: tuple[dict[str, str], ...] = ()
    thin: bool = False


class Unmapped(msgspec.Struct, frozen=True):
    """An event, or a whole body, that its source could not read; becomes a dead letter.

    Attributes:
        index: its place in the delivery; `WHOLE_BODY` where the events could not be told apart.
        digest: SHA-256 of the event's own bytes, or of the body.
        error: why, with code and path.
    """

    index: int
    digest: str
    error: PermanentError


Reading: TypeAlias = list[Event | Unmapped]
"""What one delivery came to, in order."""


class Outcome(enum.StrEnum):
    """How an event ended. A duplicate is counted, not stored; a failure is no outcome."""

    APPLIED = "applied"
    """It changed at least one row of state."""
    STALE = "stale"
    """Beside history it changed no row on arrival: everything it states is already known newer."""
    IGNORED = "ignored"
    """Nothing handles its type."""


class MappingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection tells its source, as a plain value: a source knows no registry.

    Attributes:
        time_zone: IANA zone for source times that name none.
        currency: ISO 4217 code for amounts that name none.
        status_map: the source's status code → ours, before the source's own table.
        priority_map: likewise for priorities.
        site_zones: site key → IANA zone, before `time_zone`.
        field_map: the source's custom field → ours, such as `criticality`, or `asset.criticality` for one kind only.
        order: `source` orders facts by the source's own versions and times, `arrival` by when they came.
        map: how the source `generic` reads, as `connections.toml` has it; empty for every other.
    """

    time_zone: str | None = None
    currency: str | None = None
    status_map: Mapping[str, str] = {}
    priority_map: Mapping[str, str] = {}
    site_zones: Mapping[str, str] = {}
    field_map: Mapping[str, str] = {}
    order: Literal["source", "arrival"] = "source"
    map: Mapping[str, Any] = {}


def element_of(index: int) -> int:
    """The place of the element that told an event, by the event's index."""
    return index if index == WHOLE_BODY else index % MAX_ELEMENTS
