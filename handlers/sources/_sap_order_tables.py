"""SAP's properties of maintenance orders; `sap` cites where they are from. I: INFERRED."""

from typing import Final

from handlers.sources._converters import text
from handlers.sources._mapping import Field, used
from handlers.sources._sap_tables import Entity, listed
from handlers.sources._sap_values import alpha, calendar_date, stamp

TASK: Final = Entity(
    "",
    {
        "MaintenanceOrder": used(),
        "MaintenanceOrderOperation": used("sequence"),
        "MaintenanceOrderSubOperation": used(),
        "OperationDescription": "title",
        "SystemStatusText": "status",
        "WorkCenter": "work_center",
        "Equipment": Field("asset_ref", alpha),
        "MaintOrdOperationWorkDuration": used("planned_labor"),
        "MaintOrdOpWorkDurationUnit": used(),
        "ActualWorkQuantity": used("actual_labor"),
        "OpActualExecutionStartDateTime": used("started_at"),
        "OpActualExecutionStartDate": used("started_at"),
        "OpActualExecutionStartTime": used(),
        "OpActualExecutionEndDateTime": used("ended_at"),
        "OpActualExecutionEndDate": used("ended_at"),
        "OpActualExecutionEndTime": used(),
        "to_MaintOrderOpComponent": used(),
    },
)
"""An operation: its planned duration, its earliest and latest dates are kept as they are."""

PART: Final = Entity(
    "",
    {
        "MaintenanceOrder": used(),
        "Product": used("item_ref"),
        "MaintOrdOperationComponentText": "description",
        "MaintOrdOpCompRequiredQuantity": used("planned_qty"),
        "BaseUnit": used(),
        "MaintOrderOpComponentPrice": used("unit_cost"),
        "MaintOrdOpComponentCurrency": used(),
        "Plant": used("warehouse_ref"),
        "StorageLocation": used(),
        "Reservation": used("reservation"),
        "ReservationItem": used(),
    },
)
"""A component; the quantity in the unit of entry is kept beside the one in the base unit, never mixed with it."""

TIMES: Final = {
    "requested_at": ("MaintOrderCreationDateTime", "MaintOrderReferenceDate", "MaintOrderReferenceTime"),
    "planned_start_at": ("MaintOrdBasicStartDateTime", "MaintOrdBasicStartDate", "MaintOrdBasicStartTime"),
    "planned_end_at": ("MaintOrdBasicEndDateTime", "MaintOrdBasicEndDate", "MaintOrdBasicEndTime"),
    "scheduled_start_at": ("MaintOrdSchedldBscStrtDateTime", "ScheduledBasicStartDate", "ScheduledBasicStartTime"),
    "scheduled_end_at": ("MaintOrdSchedldBscEndDateTime", "ScheduledBasicEndDate", "ScheduledBasicEndTime"),
}
"""By our field: the timestamp, which is often empty, and the date and the time of day."""

ORDER: Final = Entity(
    "work_order",
    {
        "MaintenanceOrder": used("number"),
        "MaintenanceOrderDesc": "title",
        "MaintenanceOrderType": Field("type_source", text),
        "SystemStatusText": used("status"),
        "UserStatusText": used(),
        "MaintOrdProcessPhaseCode": used(),
        "MaintOrdProcessSubPhaseCode": used(),
        "MaintPriority": used("priority"),
        "MaintPriorityType": used(),
        **{name: used(target) for target, names in TIMES.items() for name in names},
        "MaintOrderReferenceDateTime": used("requested_at"),
        "LatestAcceptableCompletionDate": Field("due_date", calendar_date),
        "MainWorkCompletedDateTime": used("actual_end_at"),
        "LastChangeDateTime": Field("source_updated_at", stamp),
        "Equipment": used("asset_ref"),
        "EquipmentName": used(),
        "FunctionalLocation": used("location_ref"),
        "TechnicalObject": used("asset_ref"),
        "TechnicalObjectLabel": used("asset_ref"),
        "TechObjIsEquipOrFuncnlLoc": used(),
        "MaintenancePlant": used("site_ref"),
        "CompanyCode": Field("company_ref", text),
        "MainWorkCenter": used("team_ref"),
        "MainWorkCenterPlant": used(),
        "MaintOrdPersonResponsible": used("assignees"),
        "MaintenanceNotification": used("request_ref"),
        "MaintenancePlan": Field("pm_plan_ref", alpha),
        "LeadingOrder": Field("parent_ref", alpha),
        "to_MaintenanceOrderLongText": used("description"),
        "to_MaintenanceOrderOperation": listed("tasks", TASK),
        "to_MaintOrderObjectListItem": used("asset_refs"),
    },
    whole="MaintenanceOrderInternalID",
)
