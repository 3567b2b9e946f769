"""ERPNext (Frappe): documents as its webhooks send them.

Where the map comes from, read in 2026; facts only, the code is GPL:

- AR, AS: GitHub `frappe/erpnext`, doctypes Asset Repair and Asset. WH: GitHub `frappe/frappe`, `webhook.py`.
- PO: statuses and fields of purchase orders in public report code.

Rules:

- The body is what an administrator has configured: often the whole document (`{{ doc | json }}`), else some of its
  fields. Either way what is absent touches nothing; a whole document states its nulls. It needs its `doctype`: add it
  as a constant where fields are picked, and `event` (`on_trash`) where deletions are to be told [WH].
- There is neither event id nor event name. Saving a new document sends it twice, submitting it too: what is equal byte
  for byte is one event, and what is not has the same `modified` and says the same.
- `docstatus` 2 is cancelled, whatever the status says.
- Times name no zone: they are of the site's, the connection's `time_zone` [AR].
- A repair says when its asset was down: from the failure to the completion, by the calendar, which is derived. The text
  in `downtime` is kept beside it as the source's own length.
- A repair has no title of its own; ours is made from the asset's name.
- Signed as base64 HMAC-SHA256 over the sender's own JSON [WH]; a form-encoded body is signed as something it is not, so
  it is refused: choose JSON.
- INFERRED: a draft repair is a request; the text of `downtime`; items and suppliers; `repair_cost`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from handlers.sources import Source
from handlers.sources import _erpnext_tables as tables
from handlers.sources._converters import amount, coded, word
from handlers.sources._mapping import Field, Stated, Table
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled

CANCELLED: Final = 2
"""The `docstatus` of a cancelled document; 0 is a draft, 1 submitted [WH]."""
TRASHED: Final = "on_trash"
WHOLE: Final = 100
"""Percent."""

_LENGTH = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*")


def _repair(node: Node) -> Iterator[Told]:
    stated = tables.ASSET_REPAIR.tell(node)
    data = stated.data
    name = node.text("asset_name")
    if name is not None:
        data["title"] = f"Repair {name}"
    description = node.text("description")
    if "description" in node:
        is_html = description is not None and "<" in description
        data["description_html" if is_html else "description"] = description
    failed = node.instant("failure_date")
    if failed is not None:
        data["actual_start_at"] = node.get("failure_date")
        data.setdefault("failure", {})["detected_at"] = node.get("failure_date")
    status = _repair_status(node)
    if status is not None:
        data["status"] = status
    length = stated.custom.get("downtime")
    yield _told(node, tables.ASSET_REPAIR, stated, type_="corrective", record_kind="order")
    if failed is not None and node.text("asset") is not None:
        yield _stop(node, status, length)


def _repair_status(node: Node) -> dict[str, Any] | None:
    code = node.text("repair_status")
    if node.get("docstatus") == CANCELLED:
        return {"value": "cancelled", "source_code": code}
    if code != "Pending":
        return None if code is None else word({"Completed": "completed", "Cancelled": "cancelled"}, code)
    if node.get("docstatus") == 0:
        return {"value": "requested", "source_code": code}
    return {"value": "in_progress" if node.get("failure_date") else "approved", "source_code": code}


def _stop(node: Node, status: dict[str, Any] | None, length: Any) -> Told:
    """The down time that a repair tells; void with it."""
    is_void = status is not None and status["value"] == "cancelled"
    stated = tables.STOP.tell(node)
    data = stated.data | {
        "asset_key": node.text("asset"),
        "planned": False,
        "work_order_ref": {"key": node.key("name"), "label": None},
    }
    match = _LENGTH.fullmatch(length) if isinstance(length, str) else None
    if match is not None:
        data["duration_source"] = {"value": match[1], "unit": match[2]}
    return Told(
        type="downtime.voided" if is_void else "downtime.corrected",
        key=f"repair/{node.key('name')}",
        data=data,
        occurred_at=node.instant("modified"),
        table=tables.STOP,
        entity="Asset Repair",
    )


def _asset(node: Node) -> Iterator[Told]:
    stated = tables.ASSET.tell(node)
    if "net_purchase_amount" not in node and node.get("gross_purchase_amount") is not None:
        field = Field("purchase_cost", name="gross_purchase_amount")
        stated.data["purchase_cost"] = amount(node.get("gross_purchase_amount"), node, field)
    is_gone = node.get("docstatus") == CANCELLED or node.text("status") == "Cancelled"
    yield _told(node, tables.ASSET, stated, verb="deleted" if is_gone else None)


def _purchase_order(node: Node) -> Iterator[Told]:
    currency = node.get("currency")
    node.given.currency = currency if isinstance(currency, str) else None
    stated = tables.PURCHASE_ORDER.tell(node)
    data = stated.data
    if "net_total" not in node and node.get("total") is not None:
        data["subtotal"] = amount(node.get("total"), node, Field("subtotal", name="total"))
    for target, name in (("receipt_status", "per_received"), ("billing_status", "per_billed")):
        percent = node.number(name)
        if percent is not None:
            data[target] = "complete" if percent >= WHOLE else "partial" if percent > 0 else "none"
    _order_status(node, data)
    yield _told(node, tables.PURCHASE_ORDER, stated)


def _order_status(node: Node, data: dict[str, Any]) -> None:
    code, state = node.text("status"), node.get("docstatus")
    if state == CANCELLED:
        data["status"] = {"value": "cancelled", "source_code": code}
    elif code == "To Receive and Bill" and data.get("receipt_status") in {"partial", "complete"}:
        data["status"] = {"value": "in_progress", "source_code": code}
    elif code is not None:
        data["status"] = coded(tables.ORDER_STATUSES)(code, node, Field("status", name="status"))
    if state in (0, 1):
        data["approval_status"] = "approved" if state == 1 else "draft"


def _item(node: Node) -> Iterator[Told]:
    stated = tables.ITEM.tell(node)
    if "is_stocked" in stated.data:
        stated.data["type"] = "stock" if stated.data["is_stocked"] else "non_stock"
    yield _told(node, tables.ITEM, stated)


def _supplier(node: Node) -> Iterator[Told]:
    stated = tables.SUPPLIER.tell(node)
    data = stated.data
    for target, name in (("tax_ids", "tax_id"), ("emails", "email_id"), ("phones", "mobile_no")):
        if name in node:
            data[target] = [value for value in (node.text(name),) if value is not None]
    if "disabled" in node or "on_hold" in node:
        blocked = "blocked" if node.get("on_hold") == 1 else "active"
        data["status"] = {"value": "inactive" if node.get("disabled") == 1 else blocked}
    yield _told(node, tables.SUPPLIER, stated)


def _told(node: Node, table: Table, stated: Stated, *, verb: str | None = None, type_: str = "", **more: Any) -> Told:
    key = node.key("name")
    data = stated.data | {"number": key, "source_id": key} | more
    if type_:
        data["type"] = type_
    if verb is None:
        verb = "deleted" if node.get("event") == TRASHED else "updated"
    return Told(
        type=f"{table.kind}.{verb}",
        key=key,
        data=data,
        custom=stated.custom,
        occurred_at=node.instant("modified"),
        table=table,
        entity=node.text("doctype"),
    )


_DOCTYPES: Final[dict[str, Callable[[Node], Iterator[Told]]]] = {
    "Asset Repair": _repair,
    "Asset": _asset,
    "Purchase Order": _purchase_order,
    "Item": _item,
    "Supplier": _supplier,
}


def _map(node: Node) -> Iterator[Told]:
    doctype = node.text("doctype")
    mapper = _DOCTYPES.get(doctype or "")
    if mapper is None:
        yield unhandled("erpnext", doctype or "unknown", node, node.text("name"))
    else:
        yield from mapper(node)


SOURCE = Source(
    name="erpnext",
    default_scheme={
        "hmac": {"header": "X-Frappe-Webhook-Signature", "hash": "sha256", "encoding": "base64", "signed": "{body}"}
    },
    read=reader(_map),
    map_from="doctypes and webhook sender (GitHub frappe/erpnext, frappe/frappe), public report code; good",
)
