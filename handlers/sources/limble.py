"""Limble CMMS: its webhook, and answers of its REST interface.

Where the map comes from, read in 2026; facts only; partial:

- API: "Limble API V2" (apidocs.limblecmms.com), its list of entities.
- CODE: task and asset objects as public client code uses them. HOOK: code that receives a Limble webhook.

Rules:

- The webhook is thin: category, ids, no event id and no time [HOOK]. It only asks for a fetch. No signature was seen,
  so the address carries a token.
- Times are Unix seconds and 0 is none [CODE]. A reopened task goes back to `dateCompleted` 0, which therefore clears
  the completion; one above 0 is completed, whatever its status is called.
- Ids are integers of their class; a `parentAsset` of 0 is none.
- `lastEdited` is when a task or asset became as it is told: its time in the order of facts.
- INFERRED: the names `statusID`, `priorityID`, `locationID`, `due`, `startDate`, `template` and the words for statuses
  and priorities. Numbers for them are each customer's own: `status_map` and `priority_map` name them
  (`"2" = "completed"`). A "location" is a site. A template is listed among the tasks and is none. What kind of work the
  number in `type` means is each customer's own too: it is kept as `type_source`.
- An asset's own fields (serial number, make) are entities apart; `field_map` places those that arrive with it.
"""

from collections.abc import Iterator
from typing import Any, Final

from handlers.rules.times import parse_instant
from handlers.sources import Source
from handlers.sources._converters import coded, epoch_seconds, text, word
from handlers.sources._mapping import Field, Table, used
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled

STATUSES: Final = {  # I
    "Open": "approved",
    "In Progress": "in_progress",
    "On Hold": "on_hold",
    "Waiting": "on_hold",
    "Complete": "completed",
    "Completed": "completed",
    "Denied": "cancelled",
}
PRIORITIES: Final = {"None": "none", "Low": "low", "Medium": "medium", "High": "high", "Critical": "critical"}  # I


def _seconds(value: Any, node: Node, field: Field) -> str | None:
    return None if value == 0 else epoch_seconds(value, node, field)


def _id(value: Any, node: Node, field: Field) -> str | None:
    return None if value == 0 else text(value, node, field)


TASK: Final = Table(
    "work_order",
    {
        "taskID": used("source_id"),
        "name": "title",
        "description": Field("description", text),
        "type": Field("type_source", text),
        "status": used("status"),
        "statusID": used("status"),
        "priority": Field("priority", coded(PRIORITIES)),
        "priorityID": used("priority"),
        "assetID": Field("asset_ref", _id),
        "locationID": Field("site_ref", _id),
        "createdDate": Field("source_created_at", _seconds),
        "startDate": Field("planned_start_at", _seconds),
        "dueDate": Field("due_at", _seconds),
        "due": used("due_at"),
        "dateCompleted": Field("completed_at", _seconds),
        "lastEdited": Field("source_updated_at", _seconds),
        "userID": used("assignees"),
        "teamID": Field("team_ref", _id),
        "template": used(),
    },
)
ASSET: Final = Table(
    "asset",
    {
        "assetID": used("source_id"),
        "name": "name",
        "parentAsset": Field("parent_ref", _id),
        "locationID": Field("site_ref", _id),
        "createdDate": Field("source_created_at", _seconds),
        "lastEdited": Field("source_updated_at", _seconds),
    },
)
_WEBHOOK: Final = {"task": ("work_order", "taskID"), "asset": ("asset", "assetID")}
"""By `category`: what it is about, and where its id is [HOOK]."""


def _map(node: Node) -> Iterator[Told]:
    if "category" in node:
        yield _webhook(node)
    elif "taskID" in node:
        yield _task(node)
    elif "assetID" in node:
        yield _record(node, ASSET, "assetID")
    else:
        yield unhandled("limble", "unknown", node)


def _webhook(node: Node) -> Told:
    category = node.text("category") or "unknown"
    if category not in _WEBHOOK:
        return unhandled("limble", category, node)
    kind, id_name = _WEBHOOK[category]
    return Told(type=f"{kind}.updated", key=node.key(id_name), completeness="thin", entity=category)


def _task(node: Node) -> Told:
    if node.get("template") == 1:  # true too
        return unhandled("limble", "template", node, node.key("taskID"))
    told = _record(node, TASK, "taskID")
    data = told.data
    data["number"] = told.key
    status = node.text("status") or node.text("statusID")
    if data.get("completed_at") is not None:
        data["status"] = {"value": "completed", "source_code": status}
    elif status is not None:
        data["status"] = word(STATUSES, status)
    if data.get("priority") is None and node.text("priorityID") is not None:
        data["priority"] = word(PRIORITIES, node.text("priorityID"))
    if "dueDate" not in node and "due" in node:
        data["due_at"] = _seconds(node.get("due") or 0, node, Field("due_at", name="due"))
    if "userID" in node:
        assignee = _id(node.get("userID") or 0, node, Field("assignees", name="userID"))
        data["assignees"] = [] if assignee is None else [{"key": assignee}]
    return told


def _record(node: Node, table: Table, id_name: str) -> Told:
    stated = table.tell(node)
    key = node.key(id_name)
    edited = stated.data.get("source_updated_at")
    return Told(
        type=f"{table.kind}.updated",
        key=key,
        data=stated.data | {"source_id": key},
        custom=stated.custom,
        occurred_at=parse_instant(edited),
        table=table,
        entity=id_name.removesuffix("ID"),
    )


SOURCE = Source(
    name="limble",
    default_scheme={"token": {"query": "token"}},
    read=reader(_map),
    map_from="Limble API V2 (apidocs.limblecmms.com), public client and webhook code; partial",
)
