"""Fiix' members about parts, purchases and vendors; `fiix` cites where they are from. I: INFERRED."""

from typing import Final

from handlers.sources._converters import amount, date_or_milliseconds, text
from handlers.sources._fiix_tables import ADDRESS, contact
from handlers.sources._mapping import Field, Table, used

ITEM: Final = Table(
    "inventory_item",
    {
        "id": Field("source_id", text),
        "strName": Field("name", text),
        "strCode": Field("number", text),
        "strDescription": Field("description", text),
        "strMake": Field("manufacturer", text),
        "strModel": Field("mpn", text),
        "strBarcode": Field("barcode", text),
        "intCategoryID": used("category"),
        "dblLastPrice": used("unit_cost"),
        "qtyStockCount": "totals.on_hand",
        "qtyMinStockCount": used("stock_levels"),
    },
)
STOCK: Final = Table(
    "inventory_item",
    {
        "id": used(),
        "intAssetID": used("source_id"),
        "intFacilityID": used("stock_levels"),
        "qtyOnHand": used("stock_levels"),
        "qtyMinQty": used("stock_levels"),
        "strAisle": used("stock_levels"),
        "strRow": used("stock_levels"),
        "strBin": used("stock_levels"),
    },
)
PURCHASE_ORDER: Final = Table(
    "purchase_order",
    {
        "id": Field("source_id", text),
        "intPurchaseOrderStatusID": used("status"),
        "intSiteID": Field("site_ref", text),
    },
)
LINE: Final = Table(
    "",
    {
        "id": Field("line_id", text),
        "intPurchaseOrderID": used(),
        "intAssetID": Field("item_ref", text),
        "strDescription": Field("description", text),
        "strBusinessAssetNumber": Field("vendor_item_number", text),
        "qtyOnOrder": "quantity_ordered",
        "qtyRecieved": "quantity_received",  # their spelling
        "dblUnitPrice": Field("unit_price", amount),
        "dblTotalPrice": Field("line_amount", amount),
        "dtmRequiredByDate": Field("required_date", date_or_milliseconds),
        "intSourceWorkOrderID": Field("work_order_ref", text),
        "intSourceAssetID": Field("asset_ref", text),
        "intAccountID": Field("cost_center", text),
        "intShipToLocationID": used("ship_to"),
        "className": used(),
    },
)


class _Line(Table):
    """An order that is told by one of its lines: whatever is wrong in it stood in the line."""

    def source_path(self, path: str, prefix: str = "") -> str:
        """Where a value of the line comes from."""
        return LINE.source_path(path.removeprefix("lines[0]."), prefix)


LINE_OF: Final = _Line("purchase_order", {name: used("lines") for name in LINE.names})
VENDOR: Final = Table(
    "vendor",
    {
        "id": Field("source_id", text),
        "strName": Field("name", text),
        "strCode": Field("number", text),
        **{name: used("addresses") for name in ADDRESS},
        "strPhone": used("phones"),
        "strPhone2": used("phones"),
        "strFax": Field("fax", text),
        "strPrimaryContact": Field("contacts", contact),
        "strPrimaryEmail": used("emails"),
        "strSecondaryEmail": used("emails"),
    },
)
