"""SAP's business events: CloudEvents with keys in them and little else."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from handlers.sources._node import Node
from handlers.sources._sap_orders import request_key
from handlers.sources._sap_status import ORDER_TYPES
from handlers.sources._sap_values import canonical
from handlers.sources._told import Told, unhandled

STATUSES: Final = {
    "SetToInPlanning": "requested",
    "SubmdForApproval": "requested",
    "Approved": "approved",
    "Rejected": "cancelled",  # I: some sites plan it again; the fetch decides
    "SetToInPreparation": "approved",
    "SetToRdyForSchedg": "approved",
    "SetReadyForExec": "scheduled",
    "SetToWorkStarted": "in_progress",
    "SetToWorkDone": "in_progress",
    "SetToMainWorkCmplt": "in_progress",
    "SetToWrkNotPerfrmd": "cancelled",
    "SetToTechCompleted": "completed",
    "Closed": "closed",
    "SetToDeletnFlagged": "cancelled",
}
"""By event of a maintenance order; those of phase control say nothing of the status."""
VERBS: Final = {"Created": "created", "Deleted": "deleted", "SetToDeletnFlagged": "deleted"}

_TYPE: Final = re.compile(r"(?:.*\.)?([A-Za-z]+)\.([A-Za-z]+)\.v[0-9]+")


class Subject(NamedTuple):
    """What an event may be about.

    Attributes:
        kind: of the record.
        key: of it, by its number.
    """

    kind: str
    key: Callable[[str], str | None]


SUBJECTS: Final = {
    "MaintenanceOrder": Subject("work_order", canonical),
    "PurchaseOrder": Subject("purchase_order", canonical),
    "MaintenanceNotification": Subject("work_order", lambda number: request_key(canonical(number))),  # I
    "Equipment": Subject("asset", canonical),  # I
    "FunctionalLocation": Subject("asset", lambda name: name),  # I
    "Product": Subject("inventory_item", canonical),  # I
    "Supplier": Subject("vendor", canonical),  # I
    "MaintenancePlan": Subject("pm_plan", canonical),  # I
}
"""By the object that an event's type names, which is also the name of its number in `data`."""


def event(node: Node) -> Iterator[Told]:
    """A CloudEvent: what its name says, and a fetch for the rest."""
    name = node.key("type")
    match = _TYPE.fullmatch(name)
    subject = SUBJECTS.get(match[1]) if match else None
    if match is None or subject is None:
        yield unhandled("sap", name.removeprefix("sap."), node)
        return
    object_, what = match.groups()
    inner = node.node("data")
    if inner is None:
        raise node.error("missing_field", "data", "null" if "data" in node else "nothing", f"an object with {object_}")
    number = inner.key(object_)
    key = subject.key(number)
    if key is None:
        raise inner.error("missing_field", object_, "string", "a number that is not all zeros")
    data: dict[str, Any] = {"number": canonical(number), "source_id": number}
    if object_ == "MaintenanceOrder":
        _order(inner, what, data)
    verb = VERBS.get(what) or ("status_changed" if "status" in data else "updated")
    source, id_ = node.text("source"), node.text("id")
    yield Told(
        type=f"{subject.kind}.{verb}",
        key=key,
        data=data,
        custom={name: value for name, value in inner.values.items() if name not in {object_, "MaintenanceOrderType"}},
        occurred_at=node.instant("time"),
        event_id=id_ if id_ is None or source is None else f"{source} {id_}",
        completeness="thin",
        entity=object_,
    )


def _order(inner: Node, what: str, data: dict[str, Any]) -> None:
    data["record_kind"] = "order"
    type_ = inner.text("MaintenanceOrderType")
    if type_ is not None:
        data["type_source"] = type_
        if type_ in ORDER_TYPES:
            data["type"] = ORDER_TYPES[type_]
    if what in STATUSES:
        data["status"] = {"value": STATUSES[what], "source_code": what}
