"""The traps of SAP's purchase orders, stock and vendors."""

from typing import Any

import pytest

from handlers.events import Event
from tests.handlers.sources.reading import event
from tests.handlers.sources.sap import CHANGED, DEFERRED, codes, line, purchase_order, the_line, value


@pytest.mark.parametrize(
    ("properties", "amount"),
    [
        ({"OrderQuantity": "250", "NetPriceAmount": "12.50", "NetPriceQuantity": "100"}, "31.25"),
        ({"OrderQuantity": "2", "NetPriceAmount": "128.00", "NetPriceQuantity": "1"}, "256.00"),
        ({"OrderQuantity": "3", "NetPriceAmount": "1.00"}, "3.00"),
        (
            {
                "OrderQuantity": "200",
                "PurchaseOrderQuantityUnit": "L",
                "OrderPriceUnit": "KG",
                "OrderPriceUnitToOrderUnitNmrtr": "1",
                "OrdPriceUnitToOrderUnitDnmntr": "4",
                "NetPriceAmount": "8",
                "NetPriceQuantity": "10",
            },
            "40",
        ),
        ({"OrderQuantity": "2", "NetPriceAmount": "3", "NetAmount": "5.99"}, "5.99"),
    ],
)
def test_a_price_is_for_so_many_of_its_own_unit(properties: dict[str, str], amount: str) -> None:
    found = event("sap", purchase_order(line(**properties)))

    assert the_line(purchase_order(line(**properties)))["line_amount"] == {"amount": amount, "currency": "EUR"}
    assert found.fields["subtotal"] == {"amount": amount, "currency": "EUR"}


def test_units_that_differ_without_a_conversion_give_no_amount_and_no_sum() -> None:
    units = {"PurchaseOrderQuantityUnit": "L", "OrderPriceUnit": "KG"}
    body = purchase_order(line(OrderQuantity="2", NetPriceAmount="3", **units))

    assert "line_amount" not in the_line(body)
    assert "subtotal" not in event("sap", body).fields


DELIVERED = {"IsCompletelyDelivered": True, "IsFinallyInvoiced": False}
BILLED = {"IsCompletelyDelivered": True, "IsFinallyInvoiced": True}
OPEN = {"IsCompletelyDelivered": False, "IsFinallyInvoiced": False}


@pytest.mark.parametrize(
    ("header", "lines", "word"),
    [
        ({}, [OPEN, OPEN], "approved"),
        ({}, [DELIVERED, OPEN], "in_progress"),
        ({}, [DELIVERED, OPEN | {"PurchasingDocumentDeletionCode": "L"}], "completed"),
        ({}, [DELIVERED, BILLED], "completed"),
        ({}, [BILLED, BILLED], "closed"),
        ({}, [OPEN | {"PurchasingDocumentDeletionCode": "L"}], "cancelled"),
        ({}, [OPEN | {"PurchasingDocumentDeletionCode": "S"}], "on_hold"),
        ({"PurchasingDocumentDeletionCode": "L"}, [OPEN], "cancelled"),
        ({"PurchasingCompletenessStatus": False}, [OPEN], "requested"),
        ({"PurchasingProcessingStatus": "08"}, [DELIVERED], "cancelled"),
        ({"PurchasingProcessingStatus": "03"}, [OPEN], "requested"),
        ({"ReleaseIsNotCompleted": True}, [DELIVERED], "requested"),
        ({"PurchasingProcessingStatus": "77"}, [OPEN], "unknown"),
    ],
)
def test_a_purchase_order_is_as_far_as_its_release_and_then_its_lines_say(
    header: dict[str, Any], lines: list[dict[str, Any]], word: str
) -> None:
    numbered = [line(str(number * 10), **each) for number, each in enumerate(lines, start=1)]
    found = event("sap", purchase_order(*numbered, **header))

    assert value(found) == word
    assert (word == "unknown") == (codes(found) == ["status_unmapped"])


def test_a_released_order_without_its_lines_does_not_say_how_far_it_is() -> None:
    found = event("sap", purchase_order(to_PurchaseOrderItem=DEFERRED))

    assert value(found, "approval_status") == "approved"
    assert not {"status", "lines", "receipt_status", "subtotal"} & found.fields.keys()


def test_only_a_line_assigned_to_an_order_names_one() -> None:
    assigned: dict[str, Any] = {"to_AccountAssignment": {"results": [{"OrderID": "000004001237", "CostCenter": ""}]}}

    found = the_line(purchase_order(line(AccountAssignmentCategory="F", **assigned)))
    assert found["work_order_ref"] == {"key": "4001237", "label": None}
    assert "work_order_ref" not in the_line(purchase_order(line(AccountAssignmentCategory="K", **assigned)))


def test_stock_that_is_not_ones_own_or_not_free_is_told_apart_and_is_not_available() -> None:
    def level(**properties: str) -> dict[str, Any]:
        row = {"Material": "A", "Plant": "1010", "StorageLocation": "101B", "MatlWrhsStkQtyInMatlBaseUnit": "5"}
        levels = event("sap", row | properties, order="arrival").fields["stock_levels"]
        assert isinstance(levels, list)
        assert isinstance(levels[0], dict)
        return levels[0]

    rows = [
        level(InventoryStockType="01"),
        level(InventoryStockType="02"),
        level(InventoryStockType="07"),
        level(InventoryStockType="04"),
        level(InventoryStockType="01", InventorySpecialStockType="K", Supplier="0010300001"),
        level(InventoryStockType="01", InventorySpecialStockType="K", Supplier="10300002"),
        level(InventoryStockType="02", InventorySpecialStockType="K", Supplier="10300002"),
        level(InventoryStockType="01", InventorySpecialStockType="E", SDDocument="7", SDDocumentItem="000010"),
    ]

    places = [(row.get("stock_type"), row.get("condition")) for row in rows]
    assert places == [
        ("unrestricted", None),
        ("quality", None),
        ("blocked", None),
        (None, "04"),
        ("consignment", "K/10300001"),
        ("consignment", "K/10300002"),
        ("consignment", "02/K/10300002"),
        ("unrestricted", "E/7/10"),
    ]
    assert [row["available"] for row in rows] == ["5", *["0"] * 7]


@pytest.mark.parametrize(
    ("prices", "amount", "method"),
    [
        ({"InventoryValuationProcedure": "S", "StandardPrice": "250", "PriceUnitQty": "1000"}, "0.25", "standard"),
        ({"InventoryValuationProcedure": "V", "MovingAveragePrice": "3", "PriceUnitQty": "1"}, "3", "average"),
        ({"StandardPrice": "0.00", "MovingAveragePrice": "7"}, "7", "average"),
    ],
)
def test_what_one_costs_is_the_price_by_its_price_unit(prices: dict[str, str], amount: str, method: str) -> None:
    body = {
        "Product": "A",
        "ProductType": "SERV",
        "LastChangeDateTime": CHANGED,
        "to_Valuation": {"results": [prices | {"Currency": "EUR"}]},
    }
    found = event("sap", body)

    assert found.fields["unit_cost"] == {"amount": amount, "currency": "EUR", "method": method}
    assert found.fields["type"] == "service"


def test_a_row_of_a_plant_or_of_a_line_alone_leaves_its_siblings() -> None:
    metadata = {"type": "API_PRODUCT_SRV.A_ProductPlantType"}
    planned = {"__metadata": metadata, "Product": "0300412", "Plant": "1010", "ReorderThresholdQuantity": "5"}
    of_item = event("sap", planned, order="arrival")
    of_order = event("sap", line("00010", OrderQuantity="5"), order="arrival")

    assert (of_item.key, of_item.full, of_item.custom_fields) == ("300412", False, {})
    assert of_item.fields["stock_levels"] == [{"warehouse_ref": {"key": "1010", "label": None}, "reorder_point": "5"}]
    assert (of_order.key, of_order.full) == ("4500001742", False)
    assert isinstance(of_order.fields["lines"], list)


def test_a_vendor_is_blocked_once_every_organisation_has_blocked_it_and_terms_are_told_where_all_agree() -> None:
    def told(*organisations: tuple[bool, str], **properties: Any) -> Event:
        rows = [
            {"PurchasingIsBlockedForSupplier": blocked, "PaymentTerms": terms, "PurchaseOrderCurrency": "EUR"}
            for blocked, terms in organisations
        ]
        body = {"Supplier": "0010300001", "SupplierAccountGroup": "SUPL", "PurchasingIsBlocked": False, **properties}
        return event("sap", body | {"to_SupplierPurchasingOrg": {"results": rows}}, order="arrival")

    one = told((True, "0004"), (False, "0001"))
    both = told((True, "0004"), (True, "0004"))
    assert (value(one), "payment_terms" in one.fields) == ("active", False)
    assert (value(both), both.fields["payment_terms"]) == ("blocked", {"code": "0004"})
    assert value(told((True, "0004"), DeletionIndicator=True)) == "inactive"
    assert value(told(PurchasingIsBlocked=True)) == "blocked"


def test_a_partner_is_a_vendor_by_its_suppliers_number_and_without_one_none() -> None:
    partner = {"BusinessPartner": "12345", "BusinessPartnerCategory": "2", "BusinessPartnerFullName": "Nordseal"}
    vendor = event("sap", partner | {"Supplier": "0010300001"}, order="arrival")
    customer = event("sap", partner | {"Supplier": ""})

    assert (vendor.key, vendor.fields["external_id"], vendor.fields["name"]) == ("10300001", "12345", "Nordseal")
    assert (customer.type, customer.key) == ("sap.BusinessPartner", "12345")
