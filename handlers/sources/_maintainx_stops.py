"""MaintainX's changes of an asset's status as stops: intervals with ids and starts of their own."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from handlers.sources import _maintainx_records as records
from handlers.sources import _maintainx_tables as tables
from handlers.sources._converters import reference
from handlers.sources._node import Node
from handlers.sources._told import Told


def stops(node: Node, asset: str, happened: datetime | None, event_id: str) -> Iterator[Told]:
    """An asset's change of status: the stop that ends, the stop that begins, and how the asset stands now.

    Stops are told by their own ids and times, so the asset's status is a plain update and no second stream of them.
    """
    old, new = node.node("oldStatus"), node.node("newStatus")
    if new is None:
        raise node.error("missing_field", "newStatus", "nothing", "an object")
    if old is not None and old.text("status") == "OFFLINE":
        data = _stop(old, asset)
        data["ended_at"] = old.first("endedAt") or new.first("startedAt") or node.get("occurredAt")
        yield _stop_told("ended", old, data, happened, event_id)
    if new.text("status") == "OFFLINE":
        yield _stop_told("started", new, _stop(new, asset), happened, event_id)
    stated: dict[str, Any] = {"status": records.asset_status(new), "source_id": asset}
    if node.text("orgId") is not None:
        stated["site_ref"] = reference(node.text("orgId"))
    yield Told(
        type="asset.updated",
        key=asset,
        data=stated,
        table=tables.ASSET,
        occurred_at=happened,
        event_id=event_id,
        completeness="thin",
        entity="asset",
    )


def _stop(node: Node, asset: str) -> dict[str, Any]:
    custom = node.node("customStatus")
    data = {
        "asset_ref": reference(asset),
        "started_at": node.get("startedAt"),
        "planned": tables.DOWNTIMES.get(node.text("downtimeType") or ""),
        "reason": node.text("description"),
        "reason_code": node.text("customStatusId"),
        "category": None if custom is None else custom.text("label"),
        "source_id": node.text("id"),
    }
    return {name: value for name, value in data.items() if value is not None or name == "planned"}


def _stop_told(verb: str, node: Node, data: dict[str, Any], happened: datetime | None, event_id: str) -> Told:
    return Told(
        type=f"downtime.{verb}",
        key=node.key("id"),
        data=data,
        occurred_at=happened,
        event_id=event_id,
        entity="assetStatus",
    )
