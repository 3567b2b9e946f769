"""Odoo: what its server action "Send Webhook Notification" posts about maintenance, purchases and stock.

Where the map comes from, read in 2026; facts only, the code is LGPL:

- MNT: GitHub `odoo/odoo`, `addons/maintenance/models/maintenance.py`. HOOK: the sender, in public copies of the server
  action (`base_automation`).

Rules:

- Only the fields that an administrator picked are sent: what is absent touches nothing. `_action` is free text, no
  event type, and nothing tells a creation from an update; deletions are not told at all [HOOK].
- Pick `write_date` too: without it nothing orders the facts, and an event only asks for a fetch, unless the connection
  says `order = "arrival"`.
- Sent once, with one second to answer, unsigned: the address carries a token.
- `false` is null for every type but a boolean. A many2one is an id, or an id with a name, by version.
- Times name no zone and are UTC [MNT]. `close_date` is a date without a time and is kept as it is: when the work was
  completed is when that was told.
- A request is cancelled when archived, completed when its stage is done, on hold when its kanban state is blocked; the
  kanban state `done` only means ready for the next stage. Else its stage says: by id in `status_map`
  (`"5" = "in_progress"`), for names are translated and edited; by the default English names where they are sent.
- A request that repeats is a plan as well; equipment with a `period` (older versions) likewise.
- INFERRED: words for priorities and stages, `duration` as the estimate, purchases, products and partners.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from handlers.sources import Source
from handlers.sources import _odoo_tables as tables
from handlers.sources._converters import word
from handlers.sources._mapping import Field, Stated, Table
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled


def is_null(value: Any) -> bool:
    """`false` stands for null; booleans are read apart."""
    return value is False


def _boolean(node: Node, name: str) -> bool | None:
    value = node.values.get(name)
    return value if isinstance(value, bool) else None


def _key(node: Node) -> str:
    return node.key("_id" if "_id" in node else "id")


def _request(node: Node) -> Iterator[Told]:
    stated = tables.REQUEST.tell(node)
    data, key = stated.data, _key(node)
    data["record_kind"] = "order"
    status = _status(node)
    if status is not None:
        data["status"] = status
    _people(node, data)
    repeats = _boolean(node, "recurring_maintenance")
    plan = f"maintenance.request/{key}"
    if repeats is not None:
        data["pm_plan_ref"] = plan if repeats else None
    yield _told(node, tables.REQUEST, stated, number=key)
    if repeats:
        yield _plan(node, plan, node.text("repeat_interval"), node.text("repeat_unit"), data.get("asset_ref"))


def _status(node: Node) -> dict[str, Any] | None:
    stage = node.get("stage_id")
    told = {} if stage is None else tables.link(stage, node, Field("status", name="stage_id"))
    code = None if stage is None else str(told["key"])
    label = told.get("label")
    more = {"source_label": label} if code is None else {"source_label": label, "sub_codes": [code]}
    if _boolean(node, "archive"):
        return {"value": "cancelled", "source_code": "archived", **more}
    if _boolean(node, "done"):
        return {"value": "completed", "source_code": code or "done", "source_label": label}
    if node.get("kanban_state") == "blocked":
        return {"value": "on_hold", "source_code": "blocked", **more}
    if code is None:
        return None
    return word({}, code, source_label=label) | {"value": tables.STAGES.get(label or "")}


def _people(node: Node, data: dict[str, Any]) -> None:
    for name in ("user_id", "technician_user_id"):
        if name in node:
            person = node.get(name)
            data["assignees"] = [] if person is None else [tables.link(person, node, Field("assignees", name=name))]
            break
    for name in ("owner_user_id", "employee_id"):
        if node.get(name) is not None:
            data["requested_by"] = tables.name_of(node.get(name), node, Field("requested_by", name=name))
            break


def _plan(node: Node, key: str, interval: str | None, unit: str | None, asset: Any) -> Told:
    data: dict[str, Any] = {"name": node.text("name"), "trigger_kind": "time", "status": "active"}
    if interval is not None:
        data["cycles"] = [{"interval": interval, "unit": unit}]
    data |= {name: value for name, value in tables.PLAN.tell(node).data.items() if name != "cycles"}
    if asset is not None:
        data["asset_refs"] = [asset]
    return Told(
        type="pm_plan.updated",
        key=key,
        data=data,
        occurred_at=_written(node),
        table=tables.PLAN,
        entity=node.text("_model"),
    )


def _equipment(node: Node) -> Iterator[Told]:
    stated = tables.EQUIPMENT.tell(node)
    key = _key(node)
    active = _boolean(node, "active")
    if active is not None:
        stated.data["is_active"] = active
    yield _told(node, tables.EQUIPMENT, stated)
    if node.get("period") not in (None, 0):
        yield _plan(node, f"maintenance.equipment/{key}", node.text("period"), "day", {"key": key})


def _purchase_order(node: Node) -> Iterator[Told]:
    currency = node.get("currency_id")
    if currency is not None:
        named = tables.link(currency, node, Field("currency", name="currency_id")).get("label")
        node.given.currency = named if isinstance(named, str) else None
    stated = tables.PURCHASE_ORDER.tell(node)
    data = stated.data
    if node.given.currency is None:
        data.pop("currency", None)  # its id alone names no currency
    state = node.text("state")
    if state in tables.APPROVALS:
        data["approval_status"] = tables.APPROVALS[state]
    yield _told(node, tables.PURCHASE_ORDER, stated)


def _product(node: Node) -> Iterator[Told]:
    stated = tables.PRODUCT.tell(node)
    active = _boolean(node, "active")
    if active is not None:
        stated.data["is_active"] = active
    yield _told(node, tables.PRODUCT, stated)


def _partner(node: Node) -> Iterator[Told]:
    stated = tables.PARTNER.tell(node)
    data = stated.data
    for target, name in (("emails", "email"), ("phones", "phone"), ("tax_ids", "vat")):
        if name in node:
            data[target] = [value for value in (node.text(name),) if value is not None]
    if any(name in node for name in ("street", "city", "zip", "country_id")):
        country = node.get("country_id")
        named = None if country is None else tables.name_of(country, node, Field("addresses", name="country_id"))
        street = node.text("street")
        place = {"city": node.text("city"), "postcode": node.text("zip"), "country": named}
        data["addresses"] = [place if street is None else place | {"lines": [street]}]
    active = _boolean(node, "active")
    if active is not None:
        data["status"] = "active" if active else "inactive"
    yield _told(node, tables.PARTNER, stated)


def _written(node: Node) -> Any:
    value = node.get("write_date")
    if value is None:
        return None
    return Node({"write_date": tables.utc(value, node, Field(""))}, node.given).instant("write_date")


def _told(node: Node, table: Table, stated: Stated, **more: Any) -> Told:
    key = _key(node)
    return Told(
        type=f"{table.kind}.updated",
        key=key,
        data=stated.data | {"source_id": key} | more,
        custom=stated.custom,
        occurred_at=_written(node),
        table=table,
        entity=node.text("_model"),
    )


_MODELS: Final[dict[str, Callable[[Node], Iterator[Told]]]] = {
    "maintenance.request": _request,
    "maintenance.equipment": _equipment,
    "purchase.order": _purchase_order,
    "product.product": _product,
    "res.partner": _partner,
}


def _map(node: Node) -> Iterator[Told]:
    model = node.text("_model")
    mapper = _MODELS.get(model or "")
    if mapper is None:
        yield unhandled("odoo", model or "unknown", node, node.text("_id") or node.text("id"))
    else:
        yield from mapper(node)


SOURCE = Source(
    name="odoo",
    default_scheme={"token": {"query": "token"}},
    read=reader(_map, is_null=is_null),
    map_from="maintenance models and webhook sender (GitHub odoo/odoo); good for maintenance, inferred beyond",
)
