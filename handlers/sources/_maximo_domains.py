"""Maximo's domains: its codes, and our words for them; `maximo` cites where they are from. I: INFERRED."""

from typing import Any

from handlers.sources._converters import flags, moment
from handlers.sources._mapping import Field, used

WORK_ORDER_STATUSES = {
    "WAPPR": "requested",
    "APPR": "approved",
    "WSCH": "approved",  # "waiting to be scheduled": status_map may say scheduled
    "WMATL": "on_hold",
    "WPCOND": "on_hold",
    "INPRG": "in_progress",
    "COMP": "completed",
    "CLOSE": "closed",
    "CAN": "cancelled",
    "HISTEDIT": "closed",  # an edit in history, not a reopening
}
HOLD_REASONS = {"WMATL": "material", "WPCOND": "plant_condition"}
TICKET_STATUSES = {  # I
    "NEW": "requested",
    "QUEUED": "requested",
    "PENDING": "on_hold",
    "INPROG": "in_progress",
    "RESOLVED": "completed",
    "CLOSED": "closed",
}
ORDER_STATUSES = {  # names partly I
    "WAPPR": "requested",
    "APPR": "approved",
    "INPRG": "in_progress",
    "HOLD": "on_hold",
    "PNDREV": "requested",  # I: a revision is pending
    "REVISD": "closed",
    "CLOSE": "closed",
    "CAN": "cancelled",
}
RECEIPTS = {"NONE": "none", "PARTIAL": "partial", "COMPLETE": "complete"}
ASSET_STATUSES = {  # I
    "OPERATING": "operating",
    "NOT READY": "not_in_service",
    "BROKEN": "down",
    "INACTIVE": "standby",
    "DECOMMISSIONED": "decommissioned",
    "MISSING": "unknown",
    "SEALED": "unknown",
    "LIMITEDUSE": "unknown",
}
PLAN_STATUSES = {"ACTIVE": "active", "DRAFT": "draft", "INACTIVE": "suspended"}
WORK_TYPES = {  # I beyond PM, CM and EM
    "PM": "preventive",
    "CM": "corrective",
    "EM": "corrective",
    "CAL": "calibration",
    "CP": "project",
}
WORK_CLASSES = {"WORKORDER": "order", "ACTIVITY": "task", "CHANGE": "order", "RELEASE": "order"}
LINE_TYPES = {  # I
    "ITEM": "stock",
    "MATERIAL": "non_stock",
    "SPORDER": "non_stock",
    "TOOL": "non_stock",
    "SERVICE": "service",
    "STDSERVICE": "service",
}
ROLES = {"V": "vendor", "M": "manufacturer", "C": "courier"}
COST_METHODS = {"AVERAGE": ("avgcost", "average"), "STANDARD": ("stdcost", "standard"), "LAST": ("lastcost", "last")}
CYCLE_UNITS = {"DAYS": "day", "WEEKS": "week", "MONTHS": "month", "YEARS": "year"}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

MAX_REVISIONS = 2**15
"""What a purchase order's version has room for above `_rowstamp`."""

FLAG = flags(frozenset({1, "1", "true"}), frozenset({0, "0", "false"}))
"""JSON has true and false; XML turned into JSON has 0 and 1 (I)."""

LINKS = dict.fromkeys(("_rowstamp", "href", "localref", "rdf:about", "_id", "_imagelibref"), used())
STATUS = {"status": used("status"), "status_maxvalue": used(), "status_description": used(), "statusdate": used()}
PLACE: dict[str, Any] = {
    "siteid": used("site_ref"),
    "orgid": used("company_ref"),
    "changedate": Field("source_updated_at", moment),
}
