"""SAP's properties of purchase orders; `sap` cites where they are from. I: INFERRED."""

from typing import Final

from handlers.sources._converters import text
from handlers.sources._mapping import Field, used
from handlers.sources._sap_tables import Entity, listed
from handlers.sources._sap_values import calendar_date, stamp

ADDRESS: Final = {
    "name": "Name",
    "street": "StreetName",
    "house": "HouseNumber",
    "city": "CityName",
    "region": "Region",
    "postcode": "PostalCode",
    "country": "Country",
    "phone": "PhoneNumber",
}
"""By our part of an address: SAP's, after `Address` (the vendor's) or `DeliveryAddress` (ours)."""

SCHEDULE: Final = Entity(
    "",
    {
        "PurchasingDocument": used(),
        "PurchasingDocumentItem": used(),
        "ScheduleLineDeliveryDate": Field("date", calendar_date),
        "ScheduleLineOrderQuantity": "quantity",
    },
)

LINE: Final = Entity(
    "",
    {
        "PurchaseOrder": used(),
        "PurchaseOrderItem": used("line_number"),
        "Material": used("item_ref"),
        "SupplierMaterialNumber": Field("vendor_item_number", text),
        "PurchaseOrderItemText": "description",
        "OrderQuantity": "quantity_ordered",
        "PurchaseOrderQuantityUnit": "uom",
        "NetPriceAmount": used("unit_price"),
        "NetPriceQuantity": "price_basis_quantity",
        "OrderPriceUnit": "price_uom",
        "NetAmount": used("line_amount"),
        "DocumentCurrency": used(),
        "TaxCode": Field("tax_code", text),
        "IsCompletelyDelivered": "is_received_complete",
        "PurchasingDocumentDeletionCode": used("status"),
        "Plant": used("ship_to"),
        "StorageLocation": used("warehouse_ref"),
        **{f"DeliveryAddress{name}": used("ship_to") for name in ADDRESS.values()},
        "AccountAssignmentCategory": used("work_order_ref"),
        "to_AccountAssignment": used("work_order_ref"),
        "to_ScheduleLine": listed("schedules", SCHEDULE),
    },
)

ORDER: Final = Entity(
    "purchase_order",
    {
        "PurchaseOrder": used("number"),
        "LastChangeDateTime": Field("source_updated_at", stamp),
        "PurchaseOrderDate": Field("order_date", calendar_date),
        "PurchasingDocumentDeletionCode": used("status"),
        "PurchasingProcessingStatus": used("status"),
        "PurchasingCompletenessStatus": used("status"),
        "ReleaseIsNotCompleted": used("approval_status"),
        "Supplier": used("vendor_ref"),
        **{f"Address{name}": used("vendor_address") for name in ADDRESS.values()},
        "DocumentCurrency": "currency",
        "ExchangeRate": "exchange_rate",
        "PaymentTerms": used("payment_terms"),
        "NetPaymentDays": used("payment_terms"),
        "IncotermsClassification": used("incoterms"),
        "IncotermsLocation1": used("incoterms"),
        "CompanyCode": Field("company_ref", text),
        "PurchasingOrganization": used("buyer"),
        "PurchasingGroup": used("buyer"),
        "to_PurchaseOrderItem": listed("lines", LINE),
    },
    whole="Language",
)
"""The type of order and the date it was created (no instant) are kept as they are."""
