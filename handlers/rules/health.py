"""The health of a connection, as its operational events tell it: whether it is up, when it last synchronised."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from handlers.events import Json
from handlers.rules.order import word

STATES: Mapping[str, str] = MappingProxyType(
    {
        "connection.online": "online",
        "connection.offline": "offline",
        "connection.auth_required": "auth_required",
    }
)
"""The state that an event's type says; `connection.status_changed` states it in `status`."""
STATUS_CHANGED: Final = "connection.status_changed"
UNKNOWN: Final = "unknown"
TROUBLES: Final = frozenset({"connection.offline", "connection.auth_required", "sync.failed", "system.error"})
TYPES: Final = frozenset({*STATES, STATUS_CHANGED, *TROUBLES, "sync.completed"})
MAX_MESSAGE: Final = 1_000
"""Characters of an error's message that are shown; the event itself has all of it."""


def told(type_: str, fields: Mapping[str, Json], kept_time: str) -> dict[str, Json]:
    """The registers that an operational event writes; all else that it states is found in the event itself.

    Args:
        type_: one of `TYPES`.
        fields: what it states: `status`, `message` or `error`, `code`, all of them optional.
        kept_time: when it happened, in kept form.

    Returns:
        `state` and `since`, `last_sync_at`, `last_failed_sync_at`, `last_error`: those that it is about.
    """
    found: dict[str, Json] = {}
    state = STATES.get(type_)
    if type_ == STATUS_CHANGED:
        stated = word(fields.get("status"))
        state = stated if stated in STATES.values() else UNKNOWN
    if state is not None:
        found |= {"state": state, "since": kept_time}
    if type_ == "sync.completed":
        found["last_sync_at"] = kept_time
    if type_ == "sync.failed":
        found["last_failed_sync_at"] = kept_time
    if type_ in TROUBLES:
        message = _text(fields.get("message")) or _text(fields.get("error"))
        found["last_error"] = {"type": type_, "at": kept_time, "code": _text(fields.get("code")), "message": message}
    return found


def _text(value: Json) -> str | None:
    return value[:MAX_MESSAGE] if isinstance(value, str) else None
