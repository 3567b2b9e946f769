"""Business Central's resources and what each becomes; `business_central` cites where they are from. I: INFERRED."""

from typing import Any, Final

from handlers.sources._converters import amount, local_date, text
from handlers.sources._mapping import UNTOLD, Field, Table, rows, used
from handlers.sources._node import Node
from handlers.sources._odata import CONTEXT, ETAG, Names, named, terms, unescaped

ORDER_STATUSES: Final = {"Draft": "requested", "In Review": "requested", "Open": "approved"}
APPROVALS: Final = {"Draft": "draft", "In Review": "in_approval", "Open": "approved"}
LINE_TYPES: Final = {  # I but for Comment
    "Item": "stock",
    "Account": "service",
    "Resource": "service",
    "Fixed Asset": "non_stock",
    "Charge": "charge",
    "Comment": "comment",
}
ITEM_TYPES: Final = {"Inventory": "stock", "Service": "service", "Non-Inventory": "non_stock"}


def _words(table: dict[str, str]) -> Any:
    """As `words`, of values that may be escaped."""

    def convert(value: Any, node: Node, field: Field) -> Any:
        code = unescaped(text(value, node, field) or "")
        return table.get(code, code)

    return convert


def _number_of_item(value: Any, node: Node, field: Field) -> Any:
    """What a line is of is an item's number only where the line is one of an item (I: or does not say)."""
    return text(value, node, field) if node.text("lineType") in {None, "Item"} else UNTOLD


def _prefixed(prefix: str) -> Names:
    return {
        "name": f"{prefix}Name",
        "lines": (f"{prefix}AddressLine1", f"{prefix}AddressLine2"),
        "city": f"{prefix}City",
        "region": f"{prefix}State",
        "postcode": f"{prefix}PostCode",
        "country": f"{prefix}Country",
    }


SHIP_TO: Final = _prefixed("shipTo")
BUY_FROM: Final = {name: given for name, given in _prefixed("buyFrom").items() if name != "name"}
ADDRESS: Final[Names] = {
    "lines": ("addressLine1", "addressLine2"),
    "city": "city",
    "region": "state",
    "postcode": ("postalCode", "postCode"),
    "country": "country",
}

LINE: Final = Table(
    "",
    {
        "id": Field("line_id", text),
        "documentId": used(),
        "sequence": Field("line_number", text),
        "lineType": Field("line_type", _words(LINE_TYPES)),
        "itemId": used("item_ref"),
        "lineObjectNumber": Field("item_number", _number_of_item),
        "description": "description",
        "unitOfMeasureCode": "uom",
        "quantity": "quantity_ordered",
        "receivedQuantity": "quantity_received",
        "invoicedQuantity": "quantity_billed",
        "directUnitCost": Field("unit_price", amount),
        "amountExcludingTax": Field("line_amount", amount),
        "taxCode": "tax_code",
        "totalTaxAmount": Field("tax_amount", amount),
        "expectedReceiptDate": Field("promised_date", local_date),
        "locationId": used("warehouse_ref"),
        ETAG: used(),
    },
)

PURCHASE_ORDER: Final = Table(
    "purchase_order",
    {
        "id": used("source_id"),
        "number": "number",
        "orderDate": Field("order_date", local_date),
        "requestedReceiptDate": Field("required_date", local_date),
        "vendorId": used("vendor_ref"),
        "vendorName": "vendor_name",
        **{name: used("ship_to") for name in named(SHIP_TO)},
        **{name: used("vendor_address") for name in named(BUY_FROM)},
        "currencyCode": used("currency"),
        "currencyId": used(),
        "paymentTermsId": Field("payment_terms", terms),
        "purchaser": "buyer",  # I
        "totalAmountExcludingTax": Field("subtotal", amount),
        "discountAmount": Field("discount_total", amount),
        "totalTaxAmount": Field("tax_total", amount),
        "totalAmountIncludingTax": Field("total", amount),
        "fullyReceived": used("receipt_status"),
        "status": used("status"),
        "lastModifiedDateTime": "source_updated_at",
        "purchaseOrderLines": rows("lines", LINE),
        CONTEXT: used(),
        ETAG: used(),
    },
)

ITEM: Final = Table(
    "inventory_item",
    {
        "id": used("source_id"),
        "number": "number",
        "displayName": "name",
        "displayName2": "description",  # I
        "type": Field("type", _words(ITEM_TYPES)),
        "itemCategoryCode": "category",
        "blocked": used("is_active"),
        "gtin": Field("barcode", text),
        "inventory": used("totals"),  # in all places together
        "unitCost": used("unit_cost"),
        "baseUnitOfMeasureCode": "uom",
        "lastModifiedDateTime": "source_updated_at",
        CONTEXT: used(),
        ETAG: used(),
    },
)

VENDOR: Final = Table(
    "vendor",
    {
        "id": used("source_id"),
        "number": "number",
        "displayName": "name",
        "phoneNumber": used("phones"),
        "email": used("emails"),
        "website": "website",
        "taxRegistrationNumber": used("tax_ids"),
        "currencyCode": used("currency"),
        "paymentTermsId": Field("payment_terms", terms),
        "blocked": used("status"),
        "lastModifiedDateTime": "source_updated_at",
        **{name: used("addresses") for name in named(ADDRESS)},
        CONTEXT: used(),
        ETAG: used(),
    },
)

CLIENT_STATE: Final = "clientState"
"""The subscription's secret: it goes nowhere from here."""
NOTICE: Final = frozenset(
    {CLIENT_STATE, "subscriptionId", "expirationDateTime", "resource", "changeType", "lastModifiedDateTime"}
)
"""The members of a notification."""
