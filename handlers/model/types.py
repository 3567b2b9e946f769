"""The event types of the unified language, and what each says happened (contract, section 5)."""

from collections.abc import Mapping
from types import MappingProxyType

from handlers.events import Action

_RECORD_VERBS = ("created", "updated", "deleted", "restored")

_SAME_NAMED: Mapping[str, tuple[str, ...]] = {
    "work_order": (*_RECORD_VERBS, "status_changed", "completed", "reopened", "cancelled"),
    "asset": (*_RECORD_VERBS, "status_changed"),
    "downtime": ("started", "ended", "corrected", "restored"),
    "meter": _RECORD_VERBS,
    "meter_reading": ("recorded", "deleted", "restored"),
    "purchase_order": _RECORD_VERBS,
    "inventory_item": _RECORD_VERBS,
    "vendor": _RECORD_VERBS,
    "pm_plan": _RECORD_VERBS,
}
"""The verbs that are actions of the same name, by kind."""

_OTHERS: Mapping[str, Action] = {
    "downtime.voided": Action.DELETED,
    "meter.reset": Action.RECORDED,
    "connection.online": Action.REPORTED,
    "connection.offline": Action.REPORTED,
    "connection.auth_required": Action.REPORTED,
    "connection.status_changed": Action.REPORTED,
    "sync.completed": Action.REPORTED,
    "sync.failed": Action.REPORTED,
    "system.error": Action.REPORTED,
}

ACTIONS: Mapping[str, Action] = MappingProxyType(
    {f"{kind}.{verb}": Action(verb) for kind, verbs in _SAME_NAMED.items() for verb in verbs} | dict(_OTHERS)
)
"""Every type of the language, with what it says happened. A type that is not here is handled by nothing."""

IMPLIED_STATUS: Mapping[str, str] = MappingProxyType(
    {
        "work_order.completed": "completed",
        "work_order.reopened": "in_progress",
        "work_order.cancelled": "cancelled",
    }
)
"""The status that a type implies where its event states none that we know."""

READ_AS: Mapping[str, str] = MappingProxyType({"meter.reset": "meter_reading"})
"""By type: the kind whose fields its events state, where that is not their subject's."""

CONNECTION = "connection"
"""The kind whose only record in a connection is the connection itself."""


def is_about_connection(type_: str) -> bool:
    """Tells whether an event's subject is its connection, so that it needs no key."""
    return type_.startswith(("connection.", "sync.")) or type_ == "system.error"
