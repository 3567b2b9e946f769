"""Maximo's columns of work, assets, meters and plans; `maximo` cites where they are from. I: INFERRED."""

from typing import Any

from handlers.sources._converters import amount, hours, local_date, moment, moment_or_date, text, words
from handlers.sources._mapping import Field, Table, rows, used
from handlers.sources._maximo_domains import DAYS, FLAG, LINKS, PLACE, STATUS, WORK_CLASSES


def _cost(prefix: str, side: str) -> dict[str, Field]:
    kinds = {"lab": "labor", "mat": "material", "serv": "service", "tool": "tool"}
    return {f"{prefix}{short}cost": Field(f"costs.{kind}.{side}", amount) for short, kind in kinds.items()}


TASK = Table(
    "",
    {  # I: columns of WOACTIVITY
        **LINKS,
        "taskid": Field("sequence", text),
        "description": "title",
        "status": "status",
        "status_maxvalue": used(),
        "status_description": used(),
        "estdur": Field("planned_labor", hours),
        "actstart": Field("started_at", moment),
        "actfinish": Field("ended_at", moment),
    },
)

WORK_ORDER = Table(
    "work_order",
    {
        **LINKS,
        **STATUS,
        **PLACE,
        **_cost("est", "planned"),
        **_cost("act", "actual"),
        "wonum": used("number"),
        "workorderid": Field("source_id", text),
        "description": "title",
        "description_longdescription": "description_html",
        "worktype": used("type"),
        "woclass": Field("record_kind", words(WORK_CLASSES)),
        "woclass_maxvalue": used(),
        "istask": used(),
        "wopriority": used("priority"),
        "wopriority_description": used(),
        "assetnum": used("asset_ref"),
        "location": used("location_ref"),
        "parent": used("parent_ref"),
        "pmnum": used("pm_plan_ref"),
        "origrecordid": used("request_ref"),
        "origrecordclass": used(),
        "reportdate": Field("requested_at", moment),
        "reportedby": "requested_by",
        "targstartdate": Field("planned_start_at", moment),
        "targcompdate": Field("planned_end_at", moment),
        "schedstart": Field("scheduled_start_at", moment),
        "schedfinish": Field("scheduled_end_at", moment),
        "actstart": Field("actual_start_at", moment),
        "actfinish": Field("actual_end_at", moment),
        "estdur": Field("estimated_duration", hours),
        "estlabhrs": Field("estimated_labor", hours),
        "actlabhrs": Field("actual_labor", hours),
        "lead": used("assignees"),
        "owner": used("assignees"),
        "supervisor": used("supervisor"),
        "persongroup": used("team_ref"),
        "failurecode": "failure.class",
        "problemcode": "failure.mode",
        "faildate": Field("failure.detected_at", moment),
        "failurereport": used("failure"),
        "downtime": Field("requires_downtime", FLAG),
        "woactivity": rows("tasks", TASK),
    },
)

TICKET = Table(
    "work_order",
    {  # I: columns of SR
        **LINKS,
        **STATUS,
        **PLACE,
        "ticketid": used("number"),
        "class": used(),
        "description": "title",
        "description_longdescription": "description_html",
        "reportdate": Field("requested_at", moment),
        "reportedby": "requested_by",
        "assetnum": used("asset_ref"),
        "location": used("location_ref"),
    },
)

ASSET = Table(
    "asset",
    {
        **LINKS,
        **STATUS,
        **PLACE,
        "assetnum": used("number"),
        "assetuid": Field("source_id", text),
        "description": "name",
        "assettag": "tag",
        "location": used("location_ref"),
        "parent": used("parent_ref"),
        "serialnum": Field("serial_number", text),
        "manufacturer": "manufacturer",
        "vendor": used("vendor_ref"),
        "assettype": "type_source",
        "itemnum": used("model_ref"),
        "itemsetid": used(),
        "priority": used("criticality"),
        "purchaseprice": Field("purchase_cost", amount),
        "replacecost": Field("replacement_cost", amount),
        "installdate": Field("installed_date", local_date),
        "warrantyexpdate": Field("warranty_end_date", local_date),
        "isrunning": Field("is_up", FLAG),
        "serviceaddress": "address",
        "assetmeter": used(),
        "assetstatus": used(),
        "assetspec": used("attributes"),
    },
)

_METER: dict[str, Any] = {
    **LINKS,
    "assetnum": used("asset_ref"),
    "siteid": used(),
    "orgid": used(),
    "location": used("location_ref"),
    "metername": "meter_name",
    "measureunitid": "unit_source",  # unreliable: a real RUNHOURS meter is in FT
    "readingtype": used("kind"),
}
READING = Table(
    "meter_reading",
    {
        **_METER,
        "reading": used("value"),
        "readingdate": Field("read_at", moment),
        "delta": "delta",
        "didrollover": Field("rollover", FLAG),
        "inspector": "read_by",
    },
)
"""METERREADING."""

LAST_READING = Table(
    "meter_reading", {**_METER, "lastreading": used("value"), "lastreadingdate": Field("read_at", moment)}
)
"""ASSETMETER."""

PLAN = Table(
    "pm_plan",
    {
        **LINKS,
        **STATUS,
        "changedate": Field("source_updated_at", moment),
        "pmnum": used("number"),
        "pmuid": Field("source_id", text),
        "siteid": used(),
        "orgid": used(),
        "description": "name",
        "assetnum": used("asset_refs"),
        "location": used("location_refs"),
        "jpnum": Field("job_plan_ref", text),
        "frequency": used("cycles"),
        "frequnit": used("cycles"),
        "nextdate": used("next_due_at"),
        "extdate": used("next_due_at"),
        "firstdate": Field("start_date", local_date),
        "laststartdate": Field("last_generated_at", moment_or_date),
        "lastcompdate": Field("last_completed_at", moment_or_date),
        "usetargetdate": used("recurrence_basis"),
        "leadtime": "lead_time_days",
        "worktype": used("generates"),
        "priority": used("generates"),
        "wopriority": used("generates"),
        "wostatus": used("generates"),
        "pmmeter": used("meter_ref"),
        "pmcounter": "counter",
        **{day: used("days_of_week") for day in DAYS},
    },
)
