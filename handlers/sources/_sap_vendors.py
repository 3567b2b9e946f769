"""SAP's suppliers, alone or inside their business partner."""

from collections.abc import Iterator
from typing import Any, Final

from handlers.sources._converters import text
from handlers.sources._mapping import Field, Stated, used
from handlers.sources._node import Node
from handlers.sources._sap_tables import Entity, live, rows_of, told
from handlers.sources._sap_values import key_of, number_of
from handlers.sources._told import Told, unhandled

TAXES: Final = {"VATRegistration": "VAT", **{f"TaxNumber{number}": f"TaxNumber{number}" for number in range(1, 6)}}

SUPPLIER: Final = Entity(
    "vendor",
    {
        "Supplier": used("number"),
        "SupplierName": "name",
        "SupplierFullName": "legal_name",
        "SupplierAccountGroup": Field("type_source", text),
        "IsNaturalPerson": used("is_person"),
        "PurchasingIsBlocked": used("blocked_for"),
        "PostingIsBlocked": used("blocked_for"),
        "PaymentIsBlockedForSupplier": used("blocked_for"),
        "DeletionIndicator": used("status"),
        **{name: used("tax_ids") for name in TAXES},
        "to_SupplierPurchasingOrg": used("payment_terms"),
        "to_SupplierCompany": used("payment_terms"),
    },
    whole="SupplierCorporateGroup",
)
PARTNER: Final = Entity(
    "vendor",
    {
        "BusinessPartner": used("external_id"),
        "BusinessPartnerName": used("name"),
        "BusinessPartnerFullName": used("name"),
        **dict.fromkeys(("Supplier", "LastChangeDate", "LastChangeTime", "to_Supplier"), used()),
        "to_BusinessPartnerAddress": used("addresses"),
    },
)
_BLOCKS: Final = {
    "purchasing": "PurchasingIsBlocked",
    "posting": "PostingIsBlocked",
    "payment": "PaymentIsBlockedForSupplier",
}


def partner(node: Node) -> Iterator[Told]:
    """A_BusinessPartner: what it says of itself as a supplier; keyed by that (I), since the two numbers may differ."""
    suppliers = rows_of(node, "Supplier") or []
    if not suppliers and number_of(node, "Supplier") is None:
        yield unhandled("sap", "BusinessPartner", node, number_of(node, "BusinessPartner"))
        return
    inner = suppliers[0] if suppliers else Node({"Supplier": node.get("Supplier")}, node.given, node.path)
    stated = _supplier(inner)
    data = stated.data
    stated.custom.update(PARTNER.tell(node).custom)
    data["external_id"] = number_of(node, "BusinessPartner")
    name = node.text("BusinessPartnerFullName") or node.text("BusinessPartnerName")
    if data.get("name") is None and name is not None:
        data["name"] = name
    addresses = rows_of(node, "BusinessPartnerAddress")
    if addresses is not None:
        _reach(addresses, data)
    yield told(node, SUPPLIER, key_of(inner, "Supplier"), stated, "A_BusinessPartner", inner=inner)


def supplier(node: Node) -> Iterator[Told]:
    """A_Supplier."""
    yield told(node, SUPPLIER, key_of(node, "Supplier"), _supplier(node), "A_Supplier")


def _supplier(node: Node) -> Stated:
    stated = SUPPLIER.tell(node)
    data = stated.data
    data |= {"number": key_of(node, "Supplier"), "source_id": node.text("Supplier"), "roles": ["vendor"]}
    if "IsNaturalPerson" in node:  # a flag that is "X" or empty
        data["is_person"] = node.get("IsNaturalPerson") in ("X", True)
    blocked = {ours: node.flag(name) for ours, name in _BLOCKS.items() if node.get(name) is not None}
    if blocked:
        data["blocked_for"] = blocked
    if node.get("DeletionIndicator") is not None or blocked:
        may_buy = "blocked" if blocked.get("purchasing") else "active"
        data["status"] = {"value": "inactive" if node.flag("DeletionIndicator") else may_buy}
    taxes = [{"type": kind, "value": value} for name, kind in TAXES.items() if (value := node.text(name)) is not None]
    if any(name in node for name in TAXES):
        data["tax_ids"] = taxes
    _terms(node, data)
    return stated


def _terms(node: Node, data: dict[str, Any]) -> None:
    """Terms and currency are each purchasing organisation's own: told where all agree, else the company's terms."""
    organisations = live(rows_of(node, "SupplierPurchasingOrg") or (), "DeletionIndicator")
    companies = live(rows_of(node, "SupplierCompany") or (), "DeletionIndicator")
    for rows in (organisations, companies):
        terms = {row.text("PaymentTerms") for row in rows}
        if len(terms) == 1 and None not in terms:
            data["payment_terms"] = {"code": terms.pop()}
            break
    currencies = {row.text("PurchaseOrderCurrency") for row in organisations}
    if len(currencies) == 1 and None not in currencies:
        data["currency"] = currencies.pop()
    blocks = [row.flag("PurchasingIsBlockedForSupplier") for row in organisations]
    if blocks and all(blocks):
        data["blocked_for"] = {**data.get("blocked_for", {}), "purchasing": True}
        if data.get("status", {}).get("value") != "inactive":
            data["status"] = {"value": "blocked"}


def _reach(rows: list[Node], data: dict[str, Any]) -> None:
    """Addresses, and what to reach it by; the default ones first."""
    found: dict[str, list[tuple[bool, str]]] = {"emails": [], "phones": []}
    data["addresses"] = []
    for row in rows:
        street = [each for each in map(row.text, ("StreetName", "HouseNumber")) if each is not None]
        parts = {"city": "CityName", "region": "Region", "postcode": "PostalCode", "country": "Country"}
        address: dict[str, Any] = {ours: row.text(name) for ours, name in parts.items()}
        data["addresses"].append({**address, "lines": [" ".join(street)] if street else []})
        for target, navigation, name in (
            ("emails", "EmailAddress", "EmailAddress"),
            ("phones", "PhoneNumber", "PhoneNumber"),
        ):
            for each in rows_of(row, navigation) or ():
                value = each.text(name)
                if value is not None:
                    found[target].append((each.flag(f"IsDefault{name}") is not True, value))
    for target, values in found.items():
        if values:
            data[target] = list(dict.fromkeys(value for _, value in sorted(values, key=lambda each: each[0])))
