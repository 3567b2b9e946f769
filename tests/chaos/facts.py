"""An event as the oracle reads it, from its bytes and without any of our code, with its place in the order of facts."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.chaos.stream import Sent

RANKS = {
    "work_order": ("requested", "approved", "scheduled", "in_progress", "on_hold", "completed", "closed"),
    "asset": ("down", "maintenance", "standby", "operating"),
}
"""From 11 on, in this order."""
VERB_RANKS = {
    "created": 0,
    "reopened": 18,
    "cancelled": 19,
    "started": 11,
    "ended": 12,
    "corrected": 13,
    "deleted": 90,
    "voided": 90,
    "restored": 91,
}
IMPLIED = {"completed": "completed", "reopened": "in_progress", "cancelled": "cancelled"}
ASSET_WORDS = {"up": "operating", "down_planned": "maintenance"}
LISTED = {
    "work_order": {"title", "description", "type", "priority", "status", "asset_ref", "asset_down", "due_date"}
    | {"completed_at"},
    "asset": {"name", "manufacturer", "parent_ref", "status"},
    "downtime": {"asset_ref", "started_at", "ended_at", "planned", "failure", "cause", "reason", "work_order_ref"},
}
"""The fields that the stream uses; any other is a custom one."""
Subject = tuple[str, str, str]
"""Connection, kind, key."""
Fields = dict[str, Any]


class Identity(NamedTuple):
    """What makes an event one."""

    connection: str
    event_id: str
    digest: str


class Fact(NamedTuple):
    """One event, read; the order of its first members is the order of facts."""

    version: int
    occurred_at: datetime
    rank: int
    event_id: bytes
    digest: str
    verb: str
    subject: Subject
    states: Fields
    custom: Fields

    @property
    def identity(self) -> Identity:
        """What makes it one."""
        return Identity(self.subject[0], self.event_id.decode(), self.digest)


def read(sent: Sent, digest: str) -> Fact:
    """Reads one; the digest is of its bytes."""
    told = json.loads(sent.raw)
    kind, _, verb = told["type"].partition(".")
    states: Fields = {}
    custom: Fields = {}
    for name, value in told["data"].items():
        field = name.removesuffix("_key") + "_ref" if name.endswith("_key") else name
        if name == "custom_fields":
            custom.update(value)
        elif field in LISTED[kind]:
            states[field] = _moment(value) if field.endswith("_at") and value is not None else value
        elif name != "key":
            custom[name] = value
    if kind == "asset" and "status" in states:
        states["status"] = ASSET_WORDS.get(states["status"], states["status"])
    if kind == "work_order" and verb in IMPLIED:
        states.setdefault("status", IMPLIED[verb])
    return Fact(
        version=told.get("version", -1),
        occurred_at=_moment(told["occurred_at"]),
        rank=_rank(kind, verb, states.get("status")),
        event_id=str(told.get("id", digest)).encode(),
        digest=digest,
        verb=verb,
        subject=(sent.connection, kind, told["data"]["key"]),
        states=states,
        custom=custom,
    )


def _rank(kind: str, verb: str, status: str | None) -> int:
    if verb in VERB_RANKS:
        return VERB_RANKS[verb]
    if status is None:
        return 1
    return 19 if status == "cancelled" else 11 + RANKS[kind].index(status)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
