"""SAP's maintenance notifications: a request for work, and when the thing stood."""

from collections.abc import Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo

from handlers.sources._converters import text, word
from handlers.sources._mapping import Field, used
from handlers.sources._node import Node
from handlers.sources._sap_orders import put_objects, request_key
from handlers.sources._sap_status import NOTIFICATION, NOTIFICATION_TYPES, put_priority
from handlers.sources._sap_stops import stop
from handlers.sources._sap_tables import Entity, live, rows_of, told
from handlers.sources._sap_values import Clock, alpha, calendar_date, key_of, stamp
from handlers.sources._told import Told

ZONES: Final = {  # I: SAP's zones (table TTZZ) by the place whose clock they are; IANA's EST knows no summer time
    "UTC": "UTC",
    "GMTUK": "Europe/London",
    "WET": "Europe/Lisbon",
    "CET": "Europe/Berlin",
    "EET": "Europe/Helsinki",
    "RUS03": "Europe/Moscow",
    "INDIA": "Asia/Kolkata",
    "JAPAN": "Asia/Tokyo",
    "AUSNSW": "Australia/Sydney",
    "BRAZIL": "America/Sao_Paulo",
    "EST": "America/New_York",
    "CST": "America/Chicago",
    "MST": "America/Denver",
    "MSTNO": "America/Phoenix",
    "PST": "America/Los_Angeles",
}
"""`site_zones` may name one of SAP's zones as if it were a plant, and comes first."""

_TIMES: Final = {
    "source_created_at": ("", "CreationDate", "CreationTime"),
    "planned_start_at": ("", "RequiredStartDate", "RequiredStartTime"),
    "due_at": ("", "RequiredEndDate", "RequiredEndTime"),
    "completed_at": ("", "NotificationCompletionDate", "CompletionTime"),
    "malfunction_start_at": ("", "MalfunctionStartDate", "MalfunctionStartTime"),
    "malfunction_end_at": ("", "MalfunctionEndDate", "MalfunctionEndTime"),
}
_CODES: Final = {
    "object_part": ("MaintNotifObjPrtCode", "MaintNotifObjPrtCodeGroup", "MaintNotifObjPrtCodeName"),
    "mode": ("MaintNotificationDamageCode", "MaintNotifDamageCodeGroup", "MaintNotifDamageCodeName"),
    "cause": ("MaintNotificationCauseCode", "MaintNotifCauseCodeGroup", "MaintNotificationCauseCodeName"),
    "detection_method": (
        "MaintNotifDetectionCode",
        "MaintNotifDetectionCodeGroup",
        "MaintNotifDetectionCodeText",
    ),
}
"""By part of `failure`: its code, the group that the code belongs to, its wording in the caller's language."""

NOTIFICATION_TABLE: Final = Entity(
    "work_order",
    {
        "MaintenanceNotification": used("number"),
        "NotificationText": "title",
        "MaintNotificationLongText": "description",
        "NotificationType": Field("type_source", text),
        "NotifProcessingPhase": used("status"),
        "NotifProcessingPhaseDesc": used(),
        "ConcatenatedActiveSystStsName": used(),
        "MaintPriority": used("priority"),
        "MaintPriorityType": used(),
        "MaintPriorityDesc": used(),
        **{name: used(target) for target, names in _TIMES.items() for name in names if name},
        "NotificationCreationDate": used("requested_at"),
        "NotificationCreationTime": used(),
        "NotificationTimeZone": used(),
        "LastChangeDate": used(),
        "LastChangeTime": used(),
        "LastChangeDateTime": Field("source_updated_at", stamp),
        "LatestAcceptableCompletionDate": Field("due_date", calendar_date),
        "ReportedByUser": used("requested_by"),
        "ReporterFullName": used("requested_by"),
        "Equipment": used("asset_ref"),
        "TechnicalObject": used("asset_ref"),
        "TechnicalObjectLabel": used("asset_ref"),
        "TechnicalObjectDescription": used(),
        "TechObjIsEquipOrFuncnlLoc": used(),
        "FunctionalLocation": used("location_ref"),
        "FunctionalLocationLabelName": used("location_ref"),
        "MaintenancePlant": Field("site_ref", text),
        "CompanyCode": Field("company_ref", text),
        "MaintenanceOrder": Field("converted_to_ref", alpha),
        "MaintenancePlan": Field("pm_plan_ref", alpha),
        "MaintenanceObjectIsDown": used(),
        "MaintObjectDowntimeDuration": used(),
        "MaintObjDowntimeDurationUnit": used(),
        **{name: used("failure") for name in _CODES["detection_method"]},
        "to_Item": used("failure"),
    },
    whole="MaintNotifInternalID",
)


def notification(node: Node) -> Iterator[Told]:
    """MaintenanceNotification: a request, and the down time that it reports.

    The request does not say `asset_down` itself, or one stop would be told twice.
    """
    number = key_of(node, "MaintenanceNotification")
    zone_is_told = _take_zone(node)
    stated = NOTIFICATION_TABLE.tell(node)
    data = stated.data
    data |= {"number": number, "source_id": node.text("MaintenanceNotification"), "record_kind": "request"}
    clock = Clock(stated.custom, zone_is_told=zone_is_told)
    for target, names in _TIMES.items():
        clock.tell(node, data, target, *names)
    entered = "NotificationCreation" if node.get("NotificationCreationDate") is not None else "Creation"
    clock.tell(node, data, "requested_at", "", f"{entered}Date", f"{entered}Time")
    if node.get("NotifProcessingPhase") is not None:
        data["status"] = _status(node)
    type_ = NOTIFICATION_TYPES.get(node.text("NotificationType") or "")
    if type_ is not None:
        data["type"] = type_
    put_priority(node, data)
    put_objects(node, data, node.text("TechnicalObjectDescription"))
    if "ReporterFullName" in node or "ReportedByUser" in node:
        data["requested_by"] = node.text("ReporterFullName") or node.text("ReportedByUser")
    failure = _failure(node)
    if failure:
        data["failure"] = failure
    key = request_key(number) or number
    yield told(node, NOTIFICATION_TABLE, key, stated, "MaintenanceNotification")
    stands = node.flag("MaintenanceObjectIsDown")
    if stands or (stands is False and node.get("MalfunctionStartDate") is not None):
        yield stop(node, key, is_void=not stands or data.get("status", {}).get("source_code") == DELETED, clock=clock)


DELETED: Final = "5"
"""The phase of a notification that is marked for deletion (I)."""


def _take_zone(node: Node) -> bool:
    """Takes the zone that the notification names for its dates and times; the plant's where it names none we know."""
    given, named = node.given, node.text("NotificationTimeZone")
    given.context.at_site(node.text("MaintenancePlant"))
    if named is None:
        return False
    zone = given.options.site_zones.get(named) or ZONES.get(named)
    if zone is None and "/" in named and _is_zone(named):
        zone = named
    if zone is None:
        given.warn(
            "time_zone_unknown", "", f"NotificationTimeZone {named[:16]} is none we know; site_zones may name it"
        )
        return False
    given.context.time_zone = zone
    return True


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # as in `handlers.model.times`
        return False
    return True


def _status(node: Node) -> dict[str, Any]:
    codes = (node.text("ConcatenatedActiveSystStsName") or "").split()
    told = word(NOTIFICATION, node.text("NotifProcessingPhase"), source_label=node.text("NotifProcessingPhaseDesc"))
    return told | ({"sub_codes": codes} if codes else {})


def _failure(node: Node) -> dict[str, Any]:
    """What broke and why: of the first item and its first cause that are not deleted."""
    found = {"detection_method": _coded(node, "detection_method")}
    for item in live(rows_of(node, "Item") or (), "IsDeleted")[:1]:
        found |= {name: _coded(item, name) for name in ("object_part", "mode", "cause")}
        for cause in live(rows_of(item, "ItemCause") or (), "IsDeleted")[:1]:
            found["cause"] = _coded(cause, "cause")
    return {name: coded for name, coded in found.items() if coded is not None}


def _coded(node: Node, part: str) -> dict[str, Any] | None:
    code, group, label = map(node.text, _CODES[part])
    return None if code is None else {"code": code, "group": group, "label": label}
