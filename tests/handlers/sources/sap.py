"""What SAP sends, in as few properties as tell it apart, and what the tests of its traps look at."""

from typing import Any

from handlers.events import Event
from tests.handlers.sources.reading import event, read

CHANGED = "/Date(1772538129000+0000)/"  # 2026-03-03T11:42:09Z
FEBRUARY_27 = "/Date(1772150400000)/"
BERLIN = "Europe/Berlin"
DEFERRED = {"__deferred": {"uri": "https://s4.example.com/x"}}


def order(**properties: Any) -> dict[str, Any]:
    return {
        "MaintenanceOrder": "4001237",
        "MaintenanceOrderType": "YBA1",
        "LastChangeDateTime": CHANGED,
        **properties,
    }


def notification(**properties: Any) -> dict[str, Any]:
    return {
        "MaintenanceNotification": "10000412",
        "NotificationType": "M2",
        "NotificationTimeZone": "UTC",
        "LastChangeDateTime": CHANGED,
        "Equipment": "7",
        **properties,
    }


def breakdown(**properties: Any) -> dict[str, Any]:
    return notification(
        MaintenanceObjectIsDown=True,
        MalfunctionStartDate=FEBRUARY_27,
        MalfunctionStartTime="PT11H43M53S",
        MalfunctionEndDate="/Date(1772323200000)/",
        MalfunctionEndTime="PT11H43M53S",
        **properties,
    )


def purchase_order(*lines: dict[str, Any], **properties: Any) -> dict[str, Any]:
    header = {"PurchaseOrder": "4500001742", "PurchaseOrderType": "NB", "DocumentCurrency": "EUR"}
    items = {"to_PurchaseOrderItem": {"results": list(lines)}} if lines else {}
    return {**header, "PurchasingProcessingStatus": "05", "LastChangeDateTime": CHANGED, **items, **properties}


def line(number: str = "10", **properties: Any) -> dict[str, Any]:
    return {"PurchaseOrder": "4500001742", "PurchaseOrderItem": number, **properties}


def document(**properties: Any) -> dict[str, Any]:
    return {
        "MeasurementDocument": "1",
        "MeasuringPoint": "3",
        "MsmtRdngDate": "2026-02-20",
        "MsmtRdngTime": "16:04:23",
        **properties,
    }


def point(**properties: Any) -> dict[str, Any]:
    return {
        "MeasuringPoint": "3",
        "MeasuringPointDescription": "Odometer",
        "CharcValueUnit": "KM",
        "LastChangeDateTime": CHANGED,
        **properties,
    }


def equipment(**properties: Any) -> dict[str, Any]:
    return {"Equipment": "210100094", "EquipmentName": "Pump", "LastChangeDateTime": CHANGED, **properties}


def value(found: Event, field: str = "status") -> Any:
    told = found.fields[field]
    assert isinstance(told, dict)
    return told["value"]


def codes(found: Event) -> list[str]:
    return [each["code"] for each in found.warnings]


def stop(body: dict[str, Any], **options: Any) -> Event:
    _, found = read("sap", body, **options)
    assert isinstance(found, Event)
    return found


def the_line(body: dict[str, Any]) -> dict[str, Any]:
    lines = event("sap", body).fields["lines"]
    assert isinstance(lines, list)
    [found] = lines
    assert isinstance(found, dict)
    return found
