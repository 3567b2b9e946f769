"""Entities of Finance & Supply Chain Management and what each becomes; `dynamics_fo` cites them. I: INFERRED."""

from typing import Final

from handlers.sources._converters import amount, coded, hours, local_date, text, words
from handlers.sources._dynamics_fo_values import number_text
from handlers.sources._mapping import Field, Table, rows, used
from handlers.sources._odata import CONTEXT, ETAG, Names, named, terms

WORK_TYPES: Final = {
    name.capitalize(): name
    for name in ("corrective", "preventive", "predictive", "inspection", "calibration", "project")
}
"""Types are ids that the customer types in; those that read like a word of ours are that (I)."""
ASSET_STATES: Final = {  # I
    "new": "not_in_service",
    "active": "operating",
    "inservice": "operating",
    "standby": "standby",
    "maintenance": "maintenance",
    "inactive": "not_in_service",
    "ended": "decommissioned",
    "retired": "decommissioned",
    "scrapped": "decommissioned",
}
APPROVALS: Final = {
    "Draft": "draft",
    "InReview": "in_approval",
    "Rejected": "rejected",
    "Approved": "approved",
    "InExternalReview": "approved",
    "Confirmed": "approved",
    "Finalized": "approved",
}
LINE_STATUSES: Final = {
    "None": "requested",
    "Backorder": "approved",
    "Received": "completed",
    "Invoiced": "closed",
    "Canceled": "cancelled",
}
ITEM_TYPES: Final = {"Item": "stock", "Service": "service"}


def _address(prefix: str) -> Names:
    return {
        "name": (f"{prefix}Name", f"{prefix}Description"),
        "lines": (f"{prefix}Street",),
        "city": f"{prefix}City",
        "region": f"{prefix}StateId",
        "postcode": f"{prefix}ZipCode",
        "country": f"{prefix}CountryRegionId",
    }


DELIVERY: Final = _address("DeliveryAddress")
INVOICE: Final = _address("InvoiceAddress")  # I: it may be the vendor's own
ADDRESS: Final = _address("Address")  # I
_OWN: Final[dict[str, str | Field]] = {
    "dataAreaId": used(),
    "ModifiedDateTime": "source_updated_at",  # I: only where the customer has added it
    CONTEXT: used(),
    ETAG: used(),
}

TASK: Final = Table(
    "",
    {
        "dataAreaId": used(),
        "WorkOrderId": used(),
        "LineNumber": Field("sequence", number_text),
        "Description": "title",
        "MaintenanceAssetId": used("asset_ref"),
        "ForecastHourQty": Field("planned_labor", hours),
        ETAG: used(),
    },
)
WORK_ORDER: Final = Table(
    "work_order",
    {
        **_OWN,
        "WorkOrderId": used("number"),
        "Description": "title",
        "WorkOrderTypeId": Field("type", words(WORK_TYPES)),
        "WorkOrderLifecycleStateId": used("status"),
        "ParentWorkOrderId": used("parent_ref"),
        "MaintenanceRequestId": used("request_ref"),  # I
        "ExpectedStart": "planned_start_at",
        "ExpectedEnd": "planned_end_at",
        "ScheduledStart": "scheduled_start_at",
        "ScheduledEnd": "scheduled_end_at",
        "ActualStart": "actual_start_at",
        "ActualEnd": "actual_end_at",
        "ServiceLevel": Field("priority", coded({})),
        "ResponsibleWorkerPersonnelNumber": used("assignees"),
        "ScheduledWorkerPersonnelNumber": used("assignees"),
        "WorkerGroupId": Field("team_ref", text),
        "WorkOrderLines": rows("tasks", TASK),  # I: that lines come inside
    },
)
ASSET: Final = Table(
    "asset",
    {
        **_OWN,
        "MaintenanceAssetId": used("number"),
        "Name": "name",
        "MaintenanceAssetTypeId": "category",
        "ModelId": Field("model", text),
        "SerialId": Field("serial_number", text),
        "FunctionalLocationId": used("location_ref"),
        "ParentMaintenanceAssetId": used("parent_ref"),
        "VendAccount": used("vendor_ref"),
        "AcquisitionCost": Field("purchase_cost", amount),
        "AcquisitionDate": Field("purchase_date", local_date),
        "ReplacementValue": Field("replacement_cost", amount),
        "MaintenanceAssetLifecycleStateId": used("status"),
        "ActiveFrom": Field("in_service_date", local_date),
        "ActiveTo": Field("decommissioned_date", local_date),
        "Notes": "description",
        **{name: used("address") for name in named(ADDRESS)},
    },
)
LINE: Final = Table(
    "",
    {
        "dataAreaId": used(),
        "PurchaseOrderNumber": used(),
        "LineNumber": Field("line_number", number_text),
        "ItemNumber": Field("item_number", text),
        "ExternalItemNumber": Field("vendor_item_number", text),
        "LineDescription": "description",
        "OrderedPurchaseQuantity": "quantity_ordered",
        "PurchaseUnitSymbol": "uom",
        "PurchasePrice": Field("unit_price", amount),
        "PurchasePriceQuantity": "price_basis_quantity",
        "LineAmount": Field("line_amount", amount),
        "RequestedDeliveryDate": Field("required_date", local_date),
        "ConfirmedDeliveryDate": Field("promised_date", local_date),
        "PurchaseOrderLineStatus": Field("status", coded(LINE_STATUSES)),
        "ReceivingWarehouseId": used("warehouse_ref"),
        ETAG: used(),
    },
)
PURCHASE_ORDER: Final = Table(
    "purchase_order",
    {
        **_OWN,
        "PurchaseOrderNumber": used("number"),
        "PurchaseOrderName": "title",
        "OrderVendorAccountNumber": used("vendor_ref"),
        "PurchaseOrderStatus": used("status"),
        "DocumentApprovalStatus": Field("approval_status", coded(APPROVALS)),
        "CurrencyCode": "currency",
        "PaymentTermsName": Field("payment_terms", terms),
        "AccountingDate": used("order_date"),
        "CreatedDateTime": "source_created_at",
        "RequestedDeliveryDate": used("required_date"),
        "RequestedShipDate": used("required_date"),
        "ConfirmedDeliveryDate": used("promised_date"),
        "ConfirmedShipDate": used("promised_date"),
        **{name: used("ship_to") for name in named(DELIVERY)},
        **{name: used("bill_to") for name in named(INVOICE)},
        "DeliveryTermsId": "incoterms",
        "DefaultReceivingSiteId": used("site_ref"),
        "RequesterPersonnelNumber": Field("requester", text),
        "OrdererPersonnelNumber": Field("buyer", text),
        "PurchaseOrderLinesV2": rows("lines", LINE),  # I: that lines come inside
    },
)
ITEM: Final = Table(
    "inventory_item",
    {
        **_OWN,
        "ItemNumber": used("number"),
        "ProductName": used("name"),
        "SearchName": used("name"),
        "ProductType": Field("type", words(ITEM_TYPES)),
        "InventoryUnitSymbol": "uom",
        "PurchaseUnitSymbol": "purchase_uom",
        "PurchasePrice": used("unit_cost"),
        "PurchasePriceQuantity": used("unit_cost"),
    },
)
ON_HAND: Final = Table(
    "inventory_item",
    {
        **_OWN,
        "ItemNumber": used("number"),
        "InventoryWarehouseId": used("stock_levels"),
        "OnHandQuantity": used("stock_levels"),  # I
        "AvailableOnHandQuantity": used("stock_levels"),
        "ReservedOnHandQuantity": used("stock_levels"),  # I
    },
)
VENDOR: Final = Table(
    "vendor",
    {
        **_OWN,
        "VendorAccountNumber": used("number"),
        "VendorOrganizationName": "name",
        "VendorGroupId": Field("type_source", text),
        "CurrencyCode": "currency",  # I from here
        "DefaultPaymentTermsName": Field("payment_terms", terms),
        "OnHoldStatus": used("status"),
        "PrimaryEmailAddress": used("emails"),
        "PrimaryPhoneNumber": used("phones"),
        "TaxExemptNumber": used("tax_ids"),
        **{name: used("addresses") for name in named(ADDRESS)},
    },
)
