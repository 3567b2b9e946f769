"""Maximo's purchase orders, storerooms and companies."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from handlers.sources import _maximo_domains as domains
from handlers.sources import _maximo_trade_tables as tables
from handlers.sources._converters import EXACT, joined, reference, word
from handlers.sources._maximo_parts import key, name_of, place, put, status, told, version
from handlers.sources._node import Node
from handlers.sources._told import Told


def purchase_order(node: Node) -> Iterator[Told]:
    """MXPO. One record a number, of its highest revision: what an older one says counts only where no newer did."""
    site, organisation = node.key("siteid"), node.text("orgid")
    revision = node.number("revisionnum") or Decimal(0)
    if not 0 <= revision < domains.MAX_REVISIONS or revision != revision.to_integral_value():
        raise node.error("out_of_range", "revisionnum", "number", "the number of a revision")
    node.given.currency = node.text("currencycode")
    stated = tables.PURCHASE_ORDER.tell(node)
    data = stated.data
    data["number"] = node.key("ponum")
    _order_status(node, data)
    place(node, data)
    if "vendor" in node:
        company = node.text("vendor")
        data["vendor_ref"] = company and reference(joined(organisation, company), node.text("vendordesc"))
    taxes = [tax for tax in (node.number(f"totaltax{number}") for number in range(1, 6)) if tax is not None]
    if taxes:
        data["tax_total"] = {"amount": _sum(taxes), "currency": node.given.currency}
    for row, line in zip(data.get("lines") or (), node.nodes("poline"), strict=False):
        _line(line, row, line.text("tositeid") or line.text("siteid") or site)
    yield told(
        node,
        "purchase_order",
        key(node, "siteid", "ponum"),
        stated,
        tables.PURCHASE_ORDER,
        own_number="poid",
        version=version(node, int(revision)),
        entity="MXPO",
    )


def inventory(node: Node) -> Iterator[Told]:
    """MXINVENTORY: one item in one storeroom, so a row is one stock level of its item and never the whole item."""
    item_set, site = node.key("itemsetid"), node.key("siteid")
    organisation = node.text("orgid")
    stated = tables.INVENTORY.tell(node)
    data = stated.data
    data["number"] = node.key("itemnum")
    level = tables.LEVEL.tell(node).data
    level["warehouse_ref"] = reference(joined(site, name_of(node, "location")))
    level.setdefault("on_hand", node.get("curbal"))
    data["stock_levels"] = [level]
    if node.text("status_maxvalue") == "ACTIVE" or node.text("status") == "ACTIVE":
        data["is_active"] = True  # of another status only this storeroom is: it stands on the level
    _item(node, data)
    put(node, data, "preferred_vendor_ref", "vendor", organisation)
    if node.get("vendor") is not None:
        data["vendors"] = [
            {
                "vendor_ref": data["preferred_vendor_ref"],
                "vendor_item_number": node.text("catalogcode"),
                "lead_time_days": node.get("deliverytime"),
            }
        ]
    cost = _cost(node)
    if cost is not None:
        data["unit_cost"] = cost
        level["unit_cost"] = cost
    yield told(
        node,
        "inventory_item",
        joined(item_set, node.key("itemnum")),
        stated,
        tables.INVENTORY,
        version=version(node),
        entity="MXINVENTORY",
    )


def company(node: Node) -> Iterator[Told]:
    """MXVENDOR: a row of COMPANIES; only type V is a vendor, M makes what others sell."""
    organisation = node.key("orgid")
    stated = tables.VENDOR.tell(node)
    data = stated.data
    data["number"] = node.key("company")
    role = domains.ROLES.get(node.text("type") or "")
    if role is not None:
        data["roles"] = [role]
    if node.get("disabled") is not None:
        data["status"] = "inactive" if node.flag("disabled") else "active"
    put(node, data, "parent_ref", "parentcompany", organisation)
    _reach(node, data)
    yield told(
        node,
        "vendor",
        key(node, "orgid", "company"),
        stated,
        tables.VENDOR,
        own_number="companiesid",
        version=version(node),
        entity="MXVENDOR",
    )


def _order_status(node: Node, data: dict[str, Any]) -> None:
    received = node.text("receipts_maxvalue") or node.text("receipts")
    if received is not None:
        data["receipt_status"] = word(domains.RECEIPTS, received, source_label=node.text("receipts_description"))
    stands = status(node, domains.ORDER_STATUSES)
    if stands is None:
        return
    data["status"] = stands
    internal = node.text("status_maxvalue") or node.text("status")
    data["superseded"] = internal == "REVISD"
    if internal in {"APPR", "INPRG"} and stands["value"] in {"approved", "in_progress"}:
        stands["value"] = {"PARTIAL": "in_progress", "COMPLETE": "completed"}.get(received or "", stands["value"])
    if internal == "CLOSE" and received == "NONE":
        node.given.warn("closed_unreceived", "status", "the order was closed and nothing of it received")


def _line(node: Node, row: dict[str, Any], site: str) -> None:
    kind = node.text("linetype_maxvalue") or node.text("linetype")
    if kind is not None:
        row["line_type"] = domains.LINE_TYPES.get(kind, kind)
    item = node.text("itemnum")
    if item is not None:
        row["item_ref"] = reference(joined(node.text("itemsetid"), item))
    put(node, row, "warehouse_ref", "storeloc", site)
    put(node, row, "work_order_ref", "refwo", site)
    put(node, row, "asset_ref", "assetnum", site)


def _item(node: Node, data: dict[str, Any]) -> None:
    """What the row's ITEM says, an object or an array of one [MAF]."""
    value = node.get("item")
    items = node.nodes("item") if isinstance(value, list) else [inner for inner in [node.node("item")] if inner]
    for item in items:
        data["name"] = item.text("description")


def _cost(node: Node) -> dict[str, Any] | None:
    column, method = domains.COST_METHODS.get(node.text("costtype") or "", ("", ""))
    for cost in node.nodes("invcost"):
        value = cost.number(column) if column else None
        if value is not None:
            return {"amount": value, "currency": None, "method": method}
    return None


def _reach(node: Node, data: dict[str, Any]) -> None:
    """Addresses, and ways to reach it. IBM's own demonstration data has an e-mail address where the country belongs."""
    addresses, emails = [], []
    for kind, prefix in (("main", "address"), ("remit", "remitaddress")):
        parts = [node.text(f"{prefix}{number}") for number in range(1, 6)]
        if not any(parts):
            continue
        street, city, region, postcode, country = parts
        if country is not None and "@" in country:
            emails.append(country)
            node.given.warn("email_in_address", "addresses", f"{prefix}5 holds an e-mail address, not a country")
            country = None
        addresses.append(
            {
                "kind": kind,
                "lines": [street] if street else [],
                "city": city,
                "region": region,
                "postcode": postcode,
                "country": country,
            }
        )
    contacts = [
        {"name": each.text("contact"), "email": each.text("email"), "phone": each.text("voicephone")}
        for each in node.nodes("compcontact")
    ]
    if node.text("contact") is not None and not contacts:
        contacts = [{"name": node.text("contact")}]
    phone, tax = node.text("phone"), node.text("registration1")
    found = {
        "addresses": addresses,
        "emails": emails,
        "contacts": contacts,
        "phones": [phone] if phone else [],
        "tax_ids": [{"value": tax}] if tax else [],
    }
    data.update({name: values for name, values in found.items() if values})


def _sum(amounts: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
