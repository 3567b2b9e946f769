"""SAP's materials and their stock: rows by plant, storage location, batch and kind of stock."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from handlers.rules import exact
from handlers.sources._converters import joined, reference, text
from handlers.sources._mapping import Field, used
from handlers.sources._node import Node
from handlers.sources._sap_tables import Entity, rows_of, told
from handlers.sources._sap_values import alpha, key_of, number_of, stamp
from handlers.sources._told import Told

STOCK_TYPES: Final = {"01": "unrestricted", "02": "quality", "07": "blocked"}  # I but 01
CONSIGNMENT: Final = "K"  # I: the vendor's until it is taken
PRODUCT_TYPES: Final = {"SERV": "service", "DIEN": "service", "NLAG": "non_stock"}  # I but SERV
PRICES: Final = {"V": ("MovingAveragePrice", "average"), "S": ("StandardPrice", "standard")}  # I
PLANNING: Final = {
    "ReorderThresholdQuantity": "reorder_point",
    "SafetyStockQuantity": "safety_stock",
    "MaximumStockQuantity": "maximum",
    "MinimumLotSizeQuantity": "reorder_quantity",
}
LANGUAGE: Final = "EN"
"""Whose name an item takes; every language's is kept in `names`."""

PRODUCT: Final = Entity(
    "inventory_item",
    {
        "Product": used("number"),
        "ProductType": used("type"),
        "ProductGroup": Field("category", text),
        "BaseUnit": "uom",
        "ProductStandardID": Field("barcode", text),
        "ManufacturerNumber": Field("manufacturer", alpha),
        "ProductManufacturerNumber": Field("mpn", text),
        "IsMarkedForDeletion": used("is_active"),
        "LastChangeDateTime": Field("source_updated_at", stamp),
        "to_Description": used("names"),
        "to_Plant": used("stock_levels"),
        "to_Valuation": used("unit_cost"),
    },
    whole="ItemCategoryGroup",
)
STOCK: Final = Entity(
    "inventory_item",
    {
        "Material": used("number"),
        "MaterialBaseUnit": "uom",
        **dict.fromkeys(
            (
                "Plant",
                "StorageLocation",
                "Batch",
                "Supplier",
                "Customer",
                "InventorySpecialStockType",
                "InventoryStockType",
                "MatlWrhsStkQtyInMatlBaseUnit",
                "WBSElementInternalID",
                "SDDocument",
                "SDDocumentItem",
            ),
            used("stock_levels"),
        ),
    },
)
PLANT: Final = Entity("inventory_item", {"Product": used("number"), "Plant": used("stock_levels")})
_OWNERS: Final = ("Supplier", "Customer", "SDDocument", "SDDocumentItem", "WBSElementInternalID")


def product(node: Node) -> Iterator[Told]:
    """A_Product, with its descriptions, plants and prices where they were expanded."""
    key = key_of(node, "Product")
    stated = PRODUCT.tell(node)
    data = stated.data
    data |= {"number": key, "source_id": node.text("Product")}
    kind = node.text("ProductType")
    if kind is not None:
        stated.custom["ProductType"] = kind
        if kind in PRODUCT_TYPES:
            data["type"] = PRODUCT_TYPES[kind]
    if node.flag("IsMarkedForDeletion") is not None:
        data["is_active"] = not node.flag("IsMarkedForDeletion")
    described = rows_of(node, "Description")
    if described is not None:
        _names(described, data)
    plants = rows_of(node, "Plant")
    if plants is not None:
        levels = [level for row in plants if (level := _planning(row)) is not None]
        if levels:
            data["stock_levels"] = levels
    for valuation in (rows_of(node, "Valuation") or [])[:1]:
        cost = _cost(valuation)
        if cost is not None:
            data["unit_cost"] = cost
    whole = told(node, PRODUCT, key, stated, "A_Product")
    if whole.completeness == "full":  # its plants are some of its levels: the rows of stock stay
        whole.table = PRODUCT.of(name for name in data if name != "stock_levels")
    yield whole


def plant(node: Node) -> Iterator[Told]:
    """A_ProductPlant or one of its MRP areas alone: what is planned there."""
    key = key_of(node, "Product")
    stated = PLANT.tell(node)
    level = _planning(node)
    stated.data["number"] = key
    if level is not None:
        stated.data["stock_levels"] = [level]
        for name in PLANNING:
            stated.custom.pop(name, None)
    yield told(node, PLANT, key, stated, "A_ProductPlant")


def stock(node: Node) -> Iterator[Told]:
    """A_MatlStkInAcctMod: one level of its item.

    Only unrestricted stock of one's own is available. A vendor's consignment is on site but not owned; special stock
    of any other kind, and kinds of stock that are not in our list, are told apart by `condition`.
    """
    key = key_of(node, "Material")
    stated = STOCK.tell(node)
    quantity = node.number("MatlWrhsStkQtyInMatlBaseUnit")
    special, kind = node.text("InventorySpecialStockType"), node.text("InventoryStockType")
    word = "consignment" if special == CONSIGNMENT else STOCK_TYPES.get(kind or "")
    owners = [owner for owner in (number_of(node, name) for name in _OWNERS) if owner is not None]
    apart = [] if special is None else [special, *owners]
    if kind is not None and (word is None or (special is not None and kind != "01")):
        apart.insert(0, kind)
    level: dict[str, Any] = {"warehouse_ref": _place(node), "on_hand": quantity}
    level |= {"lot": node.text("Batch"), "condition": joined(*apart) if apart else None, "stock_type": word}
    if quantity is not None:
        level["available"] = quantity if word == "unrestricted" and special is None else Decimal(0)
    stated.data.update({"number": key, "source_id": node.text("Material")})
    stated.data["stock_levels"] = [{name: value for name, value in level.items() if value is not None}]
    yield told(node, STOCK, key, stated, "A_MatlStkInAcctMod")


def _place(node: Node) -> dict[str, Any] | None:
    where, place = node.text("Plant"), node.text("StorageLocation")
    return reference(where if place is None or where is None else joined(where, place))


def _names(rows: list[Node], data: dict[str, Any]) -> None:
    """The name in every language; that in English is the item's own, else the first."""
    names = {row.key("Language"): row.text("ProductDescription") for row in rows}
    data["names"] = {language.lower(): name for language, name in names.items() if name is not None}
    data["name"] = names.get(LANGUAGE) or next((name for name in names.values() if name is not None), None)


def _planning(row: Node) -> dict[str, Any] | None:
    """When a plant is to be restocked: it says itself, or its supply planning or first MRP area (I: inside it)."""
    places = [row, *(rows_of(row, "ProductSupplyPlanning") or ()), *(rows_of(row, "PlantMRPArea") or ())[:1]]
    level: dict[str, Any] = {}
    for name, target in PLANNING.items():
        found = next((value for each in places if (value := each.number(name)) is not None), None)
        if found is not None:
            level[target] = found
    return {"warehouse_ref": _place(row), **level} if level and row.text("Plant") is not None else None


def _cost(row: Node) -> Mapping[str, Any] | None:
    """What one costs: a price is for `PriceUnitQty` of it. Without a procedure the price that is not nought."""
    prices = PRICES.get(row.text("InventoryValuationProcedure") or "")
    for name, method in (prices,) if prices else reversed(PRICES.values()):
        price = row.number(name)
        each = None if not price else exact.product(price, Decimal(1), row.number("PriceUnitQty") or Decimal(1))
        if each is not None:
            return {"amount": each, "currency": row.text("Currency"), "method": method}
    return None
