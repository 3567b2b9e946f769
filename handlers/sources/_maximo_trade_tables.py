"""Maximo's columns of orders, storerooms and companies; `maximo` cites where they are from. I: INFERRED."""

from handlers.sources._converters import amount, local_date, moment, text
from handlers.sources._mapping import Field, Table, rows, used
from handlers.sources._maximo_domains import FLAG, LINKS, PLACE, STATUS

LINE = Table(
    "",
    {
        **LINKS,
        "polinenum": Field("line_number", text),
        "polineid": Field("line_id", text),
        "revisionnum": used(),
        "itemnum": "item_number",
        "itemsetid": used(),
        "catalogcode": "vendor_item_number",
        "modelnum": "mpn",
        "description": "description",
        "linetype": used(),
        "linetype_maxvalue": used(),
        "orderqty": "quantity_ordered",
        "orderunit": "uom",
        "conversion": "stock_conversion",
        "unitcost": Field("unit_price", amount),
        "linecost": Field("line_amount", amount),  # without tax; loadedcost has it
        "receivedqty": "quantity_received",
        "rejectedqty": "quantity_rejected",
        "receiptscomplete": Field("is_received_complete", FLAG),
        "reqdeliverydate": Field("required_date", local_date),
        "vendeliverydate": Field("promised_date", local_date),
        "gldebitacct": "cost_center",
        "storeloc": used("warehouse_ref"),
        "refwo": used("work_order_ref"),
        "assetnum": used("asset_ref"),
    },
)

PURCHASE_ORDER = Table(
    "purchase_order",
    {
        **LINKS,
        **STATUS,
        **PLACE,
        "ponum": used("number"),
        "poid": Field("source_id", text),
        "revisionnum": Field("revision", text),
        "description": "title",
        "receipts": used("receipt_status"),
        "receipts_maxvalue": used(),
        "receipts_description": used(),
        "vendor": used("vendor_ref"),
        "vendordesc": "vendor_name",
        "orderdate": Field("order_date", local_date),
        "requireddate": Field("required_date", local_date),
        "vendeliverydate": Field("promised_date", local_date),
        "currencycode": "currency",
        "exchangerate": "exchange_rate",
        "pretaxtotal": Field("subtotal", amount),
        "totalcost": Field("total", amount),
        **{f"totaltax{number}": used("tax_total") for number in range(1, 6)},
        "paymentterms": "payment_terms.code",
        "fob": "incoterms",  # I
        "shipvia": "shipping_method",
        "shipto": "ship_to.code",
        "shiptoattn": "ship_to.name",
        "billto": "bill_to.code",
        "billtoattn": "bill_to.name",
        "purchaseagent": "buyer",
        "poline": rows("lines", LINE),
    },
)

LEVEL = Table(
    "",
    {
        "curbaltotal": "on_hand",
        "avblbalance": "available",
        "reservedqty": "reserved",
        "minlevel": "reorder_point",
        "maxlevel": "maximum",
        "sstock": "safety_stock",
        "orderqty": "reorder_quantity",  # the economic order quantity, not what is on order
        "status": "status",
        "invbalances": "bins",
    },
)
"""The columns of INVENTORY that are about its one storeroom."""

INVENTORY = Table(
    "inventory_item",
    {
        **LINKS,
        **STATUS,
        "changedate": Field("source_updated_at", moment),
        "siteid": used(),
        "orgid": used(),
        "itemnum": used("number"),
        "itemsetid": used(),
        "location": used("stock_levels"),
        **{name: used("stock_levels") for name in (*LEVEL.names, "curbal")},
        "item": used("name"),
        "issueunit": "uom",
        "orderunit": "purchase_uom",
        "costtype": used("unit_cost"),
        "invcost": used("unit_cost"),
        "vendor": used("preferred_vendor_ref"),
        "catalogcode": used("vendors"),
        "deliverytime": used("vendors"),
        "manufacturer": "manufacturer",
        "modelnum": "mpn",
    },
)

VENDOR = Table(
    "vendor",
    {
        **LINKS,
        "changedate": Field("source_updated_at", moment),
        "company": used("number"),
        "companiesid": Field("source_id", text),
        "orgid": used(),
        "name": "name",
        "type": used("roles"),
        "type_description": "type_source",
        **{f"address{number}": used("addresses") for number in range(1, 6)},
        **{f"remitaddress{number}": used("addresses") for number in range(1, 6)},
        "phone": used("phones"),
        "fax": Field("fax", text),
        "contact": used("contacts"),
        "compcontact": used("contacts"),
        "homepage": "website",
        "currencycode": "currency",
        "paymentterms": "payment_terms.code",
        "dunsnum": Field("duns", text),
        "registration1": used("tax_ids"),
        "disabled": used("status"),
        "parentcompany": used("parent_ref"),
    },
)
