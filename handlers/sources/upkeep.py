"""UpKeep: answers of its REST interface, and the notice that a webhook is taken to be.

Where the map comes from, read in 2026; facts only; partial:

- DEV: developers.onupkeep.com (sections, envelope of answers). OLD: upkeepinfo.github.io/upkeep (a work order).
- MCP: status and priority values of an MCP server (glama.ai). PD: purchase order fields of a connector (pipedream).
- Not used: `api-evangelist/upkeep`, whose schemas contradict both.

Rules:

- Ids are ten characters of both cases: two that differ in case are two.
- An asset, a location and a person come as a name with an id beside it: the id is the key, the name its label.
- Numbers come as texts. `time` states no unit, so it is kept as it is and tells no labour.
- INFERRED: webhooks, whose bodies were found nowhere. Any object with an `event`, or with an id and nothing that a
  record has, is a notice: its id is in `id`, `workOrderId`, `result.id` or `data.id`, and it asks for a fetch.
- INFERRED besides: what a category means for the kind of work; that `endDueDate` is the planned end; the member names
  of assets and purchase orders; that an answer may be a subset, so nothing is cleared that it lacks.
"""

from collections.abc import Iterator
from typing import Final

from handlers.sources import Source
from handlers.sources._converters import amount, coded, local_date, reference, words
from handlers.sources._mapping import Field, Table, rows, used
from handlers.sources._marks import Marks
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled

STATUSES: Final = {"open": "approved", "inProgress": "in_progress", "onHold": "on_hold", "complete": "completed"}  # MCP
PRIORITIES: Final = {"0": "none", "1": "low", "2": "medium", "3": "high"}  # MCP; 0 may also mean the lowest
TYPES: Final = {"Preventive": "preventive", "Damage": "corrective"}  # I

WORK_ORDER: Final = Table(
    "work_order",
    {
        "id": used("source_id"),
        "workOrderNo": "number",
        "title": "title",
        "description": "description",
        "status": Field("status", coded(STATUSES)),
        "priority": Field("priority", coded(PRIORITIES)),
        "category": Field("type", words(TYPES)),
        "createdAt": "source_created_at",
        "updatedAt": "source_updated_at",
        "dueDate": "due_at",
        "endDueDate": "planned_end_at",
        "dateCompleted": "completed_at",
        "asset": used("asset_ref"),
        "assetId": used("asset_ref"),
        "location": used("location_ref"),
        "locationId": used("location_ref"),
        "assignedTo": used("assignees"),
        "assignedToById": used("assignees"),
        "team": "team_ref",
        "requestedBy": "requested_by",
        "cost": Field("costs.total.actual", amount),
        "formItems": rows("tasks", Table("", {})),
    },
)
ASSET: Final = Table(
    "asset",
    {
        "id": used("source_id"),
        "name": "name",
        "description": "description",
        "model": "model",
        "serial": "serial_number",
        "barcode": "tag",
        "category": "category",
        "location": used("location_ref"),
        "locationId": used("location_ref"),
        "parentAssetId": "parent_ref",
        "createdAt": "source_created_at",
        "updatedAt": "source_updated_at",
    },
)
PURCHASE_ORDER: Final = Table(
    "purchase_order",
    {
        "id": used("source_id"),
        "purchaseOrderNumber": "number",
        "title": "title",
        "description": "description",
        "vendor": used("vendor_ref"),
        "vendorId": used("vendor_ref"),
        "dueDate": Field("required_date", local_date),
        "date": Field("order_date", local_date),
        "createdAt": "source_created_at",
        "updatedAt": "source_updated_at",
    },
)
_MARKS: Final = Marks(
    (("workOrderNo",), WORK_ORDER),
    (("purchaseOrderNumber",), PURCHASE_ORDER),
    (("title", "status"), WORK_ORDER),
    (("name", "serial"), ASSET),
    (("name", "parentAssetId"), ASSET),
    (("name", "barcode"), ASSET),
)
"""The members that tell one kind of object from another, the first that fit win (INFERRED but for the first)."""
_PAIRS: Final = (
    ("asset_ref", "assetId", "asset"),
    ("location_ref", "locationId", "location"),
    ("vendor_ref", "vendorId", "vendor"),
)
_SUBJECTS: Final = {"work-order": "work_order", "asset": "asset", "purchase-order": "purchase_order"}  # I
_VERBS: Final = {"created": "created", "deleted": "deleted"}  # I; any other is an update


def _map(node: Node) -> Iterator[Told]:
    table = None if "event" in node else _MARKS.of(node)
    yield _notice(node) if table is None else _record(node, table)


def _record(node: Node, table: Table) -> Told:
    stated = table.tell(node)
    data, key = stated.data, node.key("id")
    data["source_id"] = key
    for target, id_name, label_name in _PAIRS:
        if target in table.targets and (id_name in node or label_name in node):
            data[target] = reference(node.text(id_name), node.text(label_name))
    if "category" in node and table is WORK_ORDER:
        data["type_source"] = node.text("category")
    if "assignedToById" in node or "assignedTo" in node:
        person = {"key": node.text("assignedToById"), "label": node.text("assignedTo")}
        data["assignees"] = [person] if any(person.values()) else []
    return Told(
        type=f"{table.kind}.updated",
        key=key,
        data=data,
        custom=stated.custom,
        occurred_at=node.instant("updatedAt"),
        table=table,
        entity=table.kind,
    )


def _notice(node: Node) -> Told:
    event = node.text("event") or "work-order.updated"
    subject, _, verb = event.partition(".")
    key = _noticed_id(node)
    if key is None or subject not in _SUBJECTS:
        return unhandled("upkeep", event if "event" in node else "unknown", node, key)
    verb = _VERBS.get(verb, "updated")
    return Told(
        type=f"{_SUBJECTS[subject]}.{verb}",
        key=key,
        occurred_at=node.instant("updatedAt"),
        completeness="partial" if verb == "deleted" else "thin",
        entity=_SUBJECTS[subject],
    )


def _noticed_id(node: Node) -> str | None:
    inner = node.node("data")
    for place, name in ((node, "id"), (node, "workOrderId"), (inner, "id")):
        found = None if place is None else place.text(name)
        if found is not None:
            return found
    return None


SOURCE = Source(
    name="upkeep",
    default_scheme={"token": {"query": "token"}},
    read=reader(_map, envelopes=("results", "result")),
    map_from="developers.onupkeep.com, upkeepinfo.github.io/upkeep, pipedream's connector; partial, webhooks inferred",
)
