"""NetSuite's records and what each becomes; `netsuite` cites where they are from. I: INFERRED."""

from typing import Final

from handlers.sources._converters import amount, text
from handlers.sources._mapping import Field, Table, used
from handlers.sources._netsuite_values import FLAG, code_or_label, date_only, exact, link, money, stamp, terms

ORDER_STATUSES: Final = {
    "A": "requested",
    "B": "approved",
    "C": "cancelled",
    "D": "in_progress",
    "E": "in_progress",
    "F": "completed",
    "G": "closed",
    "H": "closed",
    "P": "requested",
}
"""Letters of purchase orders only; `Y` is in the schema and nobody says what it means, so it is not here."""
STATUS_TEXTS: Final = {
    "pending supervisor approval": "A",
    "pending receipt": "B",
    "rejected by supervisor": "C",
    "partially received": "D",
    "pending billing/partially received": "E",
    "pending bill": "F",
    "pending billing": "F",
    "fully billed": "G",
    "closed": "H",
    "planned": "P",
}
"""In English: they follow the language of whoever asks."""
RECEIPTS: Final = {
    "A": "none",
    "B": "none",
    "D": "partial",
    "E": "partial",
    "F": "complete",
    "G": "complete",
    "P": "none",
}
BILLINGS: Final = {"A": "none", "B": "none", "G": "complete", "P": "none"}
APPROVALS: Final = {"1": "in_approval", "2": "approved", "3": "rejected"}
ITEM_TYPES: Final = {"InvtPart": "stock", "NonInvtPart": "non_stock", "Service": "service"}  # I but for InvtPart
COST_METHODS: Final = {"AVG": ("averageCost", "average")}
LAST_COST: Final = ("lastPurchasePrice", "last")

LINE: Final = Table(
    "",
    {
        "line": Field("line_number", text),
        "item": used("item_ref"),
        "description": Field("description", text),
        "vendorName": Field("vendor_item_number", text),
        "quantity": Field("quantity_ordered", exact),
        "quantityReceived": Field("quantity_received", exact),
        "quantityBilled": Field("quantity_billed", exact),
        "units": used("uom"),
        "rate": Field("unit_price", money),
        "amount": Field("line_amount", money),  # trusted, whatever the rate says
        "expectedReceiptDate": Field("promised_date", date_only),
        "isOpen": used("status"),
        "isClosed": used("status"),
        "location": Field("warehouse_ref", link),
        "department": used("cost_center"),
        "class": used("cost_center"),
        "links": used(),
    },
)
EXPENSE: Final = Table(
    "",
    {
        "line": used("line_id"),
        "amount": Field("line_amount", money),
        "memo": Field("description", text),
        "department": used("cost_center"),
        "class": used("cost_center"),
        "isClosed": used("status"),
        "links": used(),
    },
)
PURCHASE_ORDER: Final = Table(
    "purchase_order",
    {
        "id": used("source_id"),
        "tranId": Field("number", text),
        "externalId": Field("external_id", text),
        "entity": used("vendor_ref"),
        "status": used("status"),
        "orderStatus": used("status"),
        "approvalStatus": used("approval_status"),
        "tranDate": Field("order_date", date_only),
        "dueDate": Field("required_date", date_only),
        "shipDate": Field("promised_date", date_only),  # I
        "createdDate": Field("source_created_at", stamp),
        "lastModifiedDate": Field("source_updated_at", stamp),
        "currency": used("currency"),
        "exchangeRate": "exchange_rate",
        "subtotal": Field("subtotal", amount),
        "taxTotal": Field("tax_total", amount),
        "total": Field("total", amount),
        "terms": Field("payment_terms", terms),
        "incoTerm": Field("incoterms", code_or_label),
        "memo": Field("description", text),
        "subsidiary": Field("company_ref", link),
        "location": Field("site_ref", link),
        "employee": Field("buyer", code_or_label),
        "shippingAddress": used("ship_to"),
        "shipAddress": used("ship_to"),
        "billingAddress": used("vendor_address"),  # I: on a purchase order it is the vendor's
        "billAddress": used("vendor_address"),  # I
        "item": used("lines"),
        "expense": used("lines"),
        "links": used(),
    },
)
VENDOR: Final = Table(
    "vendor",
    {
        "id": used("source_id"),
        "entityId": Field("number", text),
        "externalId": Field("external_id", text),
        "isPerson": Field("is_person", FLAG),
        "companyName": used("name"),
        "firstName": used("name"),
        "lastName": used("name"),
        "legalName": "legal_name",
        "email": used("emails"),
        "altEmail": used("emails"),
        "phone": used("phones"),
        "altPhone": used("phones"),
        "fax": Field("fax", text),
        "url": "website",
        "addressBook": used("addresses"),
        "currency": used("currency"),
        "terms": Field("payment_terms", terms),
        "taxIdNum": used("tax_ids"),
        "vatRegNumber": used("tax_ids"),
        "accountNumber": Field("our_account_number", text),
        "category": Field("type_source", code_or_label),
        "isInactive": used("status"),
        "dateCreated": Field("source_created_at", stamp),
        "lastModifiedDate": Field("source_updated_at", stamp),
        "links": used(),
    },
)
LEVEL: Final = Table(
    "",
    {
        "location": Field("warehouse_ref", link),
        "locationId": used("warehouse_ref"),
        "quantityOnHand": Field("on_hand", exact),
        "quantityAvailable": Field("available", exact),
        "quantityCommitted": Field("reserved", exact),
        "quantityOnOrder": Field("on_order", exact),
        "reorderPoint": Field("reorder_point", exact),
        "preferredStockLevel": Field("maximum", exact),
        "safetyStockLevel": Field("safety_stock", exact),
        "links": used(),
    },
)
ITEM: Final = Table(
    "inventory_item",
    {
        "id": used("source_id"),
        "itemId": Field("number", text),
        "externalId": Field("external_id", text),
        "displayName": used("name"),
        "description": used("name"),
        "purchaseDescription": Field("description", text),
        "manufacturer": "manufacturer",
        "mpn": Field("mpn", text),
        "upcCode": Field("barcode", text),
        "vendor": used("preferred_vendor_ref"),
        "vendorName": used("vendors"),
        "cost": used("vendors"),
        "averageCost": used("unit_cost"),
        "lastPurchasePrice": used("unit_cost"),
        "costingMethod": used("unit_cost"),
        "quantityOnHand": used("totals"),
        "quantityAvailable": used("totals"),
        "quantityCommitted": used("totals"),
        "quantityOnOrder": used("totals"),
        "stockUnit": used("uom"),
        "purchaseUnit": used("purchase_uom"),
        "itemType": used("type"),
        "locations": used("stock_levels"),
        "isInactive": used("is_active"),
        "createdDate": Field("source_created_at", stamp),
        "lastModifiedDate": Field("source_updated_at", stamp),
        "links": used(),
    },
)

JOINT: Final = {
    "purchase_order": frozenset[str](),
    "vendor": frozenset(
        {"firstName", "lastName", "email", "altEmail", "phone", "altPhone", "taxIdNum", "vatRegNumber"}
    ),
    "inventory_item": frozenset(
        {
            *("vendor", "vendorName", "cost", "averageCost", "lastPurchasePrice", "costingMethod"),
            *("quantityOnHand", "quantityAvailable", "quantityCommitted", "quantityOnOrder"),
        }
    ),
}
"""By kind: members of which several make one field of ours. A body that has only what changed may lack the others, so
it leaves the field alone and they are kept as they are."""
CURRENCIES: Final = {"us dollar": "USD", "canadian dollar": "CAD", "british pound": "GBP", "euro": "EUR"}
"""By the names that a new account's currencies have (I), in lower case; the ids are each account's own."""
