"""Atlas' events: whose they are, what they say happened, and by which member one without its header is known."""

from typing import Final, NamedTuple

from handlers.sources import _atlas_records as records
from handlers.sources._atlas_records import Entity


class AtlasEvent(NamedTuple):
    """One event.

    Attributes:
        entity: the kind of its subject.
        verb: what happened to it.
        subject: how its members begin: `workOrder` of `workOrderId` and `workOrderTitle`.
        inside: the member that holds the object, or null.
    """

    entity: Entity
    verb: str
    subject: str
    inside: str


EVENTS: Final = {
    "NEW_WORK_ORDER": AtlasEvent(records.WORK_ORDER, "created", "workOrder", "newWorkOrder"),
    "WORK_ORDER_CHANGE": AtlasEvent(records.WORK_ORDER, "updated", "workOrder", "changedWorkOrder"),
    "WORK_ORDER_STATUS_CHANGE": AtlasEvent(records.WORK_ORDER, "status_changed", "workOrder", "changedWorkOrder"),
    "NEW_CATEGORY_ON_WORK_ORDER": AtlasEvent(records.WORK_ORDER, "updated", "workOrder", "changedWorkOrder"),
    "WORK_ORDER_DELETE": AtlasEvent(records.WORK_ORDER, "deleted", "workOrder", "deleteWorkOrder"),
    "NEW_ASSET": AtlasEvent(records.ASSET, "created", "asset", "newAsset"),
    "ASSET_STATUS_CHANGE": AtlasEvent(records.ASSET, "status_changed", "asset", "changedAsset"),
    "NEW_PART": AtlasEvent(records.PART, "created", "part", "newPart"),
    "PART_CHANGE": AtlasEvent(records.PART, "updated", "part", "changedPart"),
    "PART_DELETE": AtlasEvent(records.PART, "deleted", "part", "deletePart"),
    "PART_QUANTITY_CHANGED": AtlasEvent(records.PART, "updated", "part", "changedPart"),
    "NEW_VENDOR": AtlasEvent(records.VENDOR, "created", "vendor", "newVendor"),
    "NEW_REQUEST": AtlasEvent(records.REQUEST, "created", "request", "newRequest"),
    "WORK_REQUEST_STATUS_CHANGE": AtlasEvent(records.REQUEST, "status_changed", "request", "changedRequest"),
}
"""Those that say something about a record of ours, besides METER_TRIGGER_STATUS_CHANGE."""
TRIGGERED: Final = "METER_TRIGGER_STATUS_CHANGE"
BY_MEMBERS: Final = (
    ("meterTriggerId", TRIGGERED),
    ("deletePart", "PART_DELETE"),
    ("newQuantity", "PART_QUANTITY_CHANGED"),
    ("newPart", "NEW_PART"),
    ("changedPart", "PART_CHANGE"),
    ("newRequest", "NEW_REQUEST"),
    ("requestId", "WORK_REQUEST_STATUS_CHANGE"),
    ("newAsset", "NEW_ASSET"),
    ("changedAsset", "ASSET_STATUS_CHANGE"),
    ("vendorId", "NEW_VENDOR"),
    ("locationId", "NEW_LOCATION"),
    ("deleteWorkOrder", "WORK_ORDER_DELETE"),
    ("newWorkOrder", "NEW_WORK_ORDER"),
    ("newCategoryId", "NEW_CATEGORY_ON_WORK_ORDER"),
    ("newStatus", "WORK_ORDER_STATUS_CHANGE"),
    ("changedWorkOrder", "WORK_ORDER_CHANGE"),
)
"""What a webhook without its header is, by a member that it has; the first wins."""
