"""The traps of Atlas, each from its server's code; `handlers.sources.atlas` cites it."""

from typing import Any

import pytest

from handlers.events import Event, Json
from handlers.rules.purchasing import derived
from tests.handlers.sources.reading import event, read, refusal, samples

AT = "2026-03-04T10:00:00.000+00:00"


def webhook(**members: Any) -> dict[str, Any]:
    return {"occurredAt": AT, "companyId": 5, **members}


def named(name: str) -> dict[str, str]:
    return {"x-webhook-event": name, "x-webhook-id": "8d7e"}


def status(found: Event) -> Any:
    told = found.fields["status"]
    assert isinstance(told, dict)
    return told["value"]


def test_the_events_name_is_in_a_header_alone_and_equal_bytes_under_two_names_are_two_events() -> None:
    body = webhook(workOrderId=5, workOrderTitle="x", previousStatus="OPEN", newStatus="OPEN", changedWorkOrder=None)

    change = event("atlas", body, headers=named("WORK_ORDER_CHANGE"))
    status_change = event("atlas", body, headers=named("WORK_ORDER_STATUS_CHANGE"))

    assert (change.type, status_change.type) == ("work_order.updated", "work_order.status_changed")
    assert change.digest == status_change.digest
    assert change.event_id != status_change.event_id
    assert status(change) == status(status_change) == "approved"


@pytest.mark.parametrize(
    ("members", "type_"),
    [
        ({"workOrderId": 5, "newWorkOrder": None}, "work_order.created"),
        ({"workOrderId": 5, "changedWorkOrder": None}, "work_order.updated"),
        ({"workOrderId": 5, "changedWorkOrder": None, "newStatus": "OPEN"}, "work_order.status_changed"),
        ({"workOrderId": 5, "deleteWorkOrder": None}, "work_order.deleted"),
        ({"partId": 5, "deletePart": None}, "inventory_item.deleted"),
        ({"partId": 5, "changedPart": None, "newQuantity": 3, "workOrderId": 5}, "inventory_item.updated"),
        ({"assetId": 5, "newAsset": None}, "asset.created"),
        (
            {"requestId": 5, "changedRequest": None, "workOrderId": 6, "newStatus": "APPROVED"},
            "work_order.status_changed",
        ),
        ({"vendorId": 5, "newVendor": None}, "vendor.created"),
        ({"workOrderId": 5}, "atlas.unknown"),
    ],
)
def test_without_its_header_an_event_is_known_by_its_members(members: dict[str, Any], type_: str) -> None:
    assert event("atlas", webhook(**members)).type == type_


def test_no_renamed_header_makes_a_deletion_of_anything_else() -> None:
    found = refusal("atlas", webhook(workOrderId=5, changedWorkOrder=None), headers=named("WORK_ORDER_DELETE"))

    assert (found.error.code, found.error.path) == ("missing_field", "$.deleteWorkOrder")


@pytest.mark.parametrize("name", ["PART_QUANTITY_CHANGE", "METER_TRIGGER_STATE_CHANGE", "WORK_ORDER_OVERDUE"])
def test_names_that_are_one_letter_apart_are_maintainxs_and_handled_by_nothing(name: str) -> None:
    found = event("atlas", webhook(partId=71, newQuantity=3), headers=named(name))

    assert (found.type, found.key, found.thin) == (f"atlas.{name}", "71", False)


def test_a_null_object_blanks_nothing_and_asks_for_a_fetch() -> None:
    found = event("atlas", webhook(partId=71, partName="Bearing", changedPart=None), headers=named("PART_CHANGE"))

    assert (found.thin, found.full) == (True, False)
    assert found.fields.keys() == {"name", "source_id", "source_entity"}


@pytest.mark.parametrize(("before", "now", "stated", "meant"), [(4, 14, 10, "10"), (14, 12, 2, "-2")])
def test_the_changed_amount_is_computed_anew(before: int, now: int, stated: int, meant: str) -> None:
    told = {"previousQuantity": before, "newQuantity": now, "changedAmount": stated}

    found = event("atlas", webhook(partId=71, changedPart=None, **told), headers=named("PART_QUANTITY_CHANGED"))

    assert str(found.custom_fields["changedAmount"]) == meant
    assert found.fields["totals"] == {"on_hand": {"value": str(now), "unit": None}}


def test_an_asset_is_up_in_every_status_but_two_and_a_stop_ends_with_an_inspection() -> None:
    def edges(code: str, **options: Any) -> list[tuple[str, Any]]:
        told = webhook(assetId=1, newStatus=code, changedAsset=None)
        found = read("atlas", told, named("ASSET_STATUS_CHANGE"), **options)
        return [(each.type, status(each)) for each in found if isinstance(each, Event)]

    assert edges("EMERGENCY_SHUTDOWN") == [("asset.status_changed", "down")]
    assert edges("COMMISSIONING") == [("asset.status_changed", "not_in_service")]
    assert edges("MODERNIZATION") == [("asset.status_changed", "operating"), ("asset.updated", "maintenance")]
    planned = edges("MODERNIZATION", status_map={"MODERNIZATION": "down_planned"})
    assert planned == [("asset.status_changed", "maintenance"), ("asset.updated", "maintenance")]


def test_an_archived_order_is_given_up_unless_it_was_complete_or_the_connection_says_otherwise() -> None:
    def order(code: str) -> dict[str, Any]:
        inside = {"id": 5, "status": code, "archived": True}
        return webhook(workOrderId=5, changedWorkOrder=inside)

    told = [status(event("atlas", order(code))) for code in ("OPEN", "COMPLETE", "PAUSED")]
    kept = status(event("atlas", order("OPEN"), status_map={"OPEN/archived": "on_hold"}))

    assert (told, kept) == (["cancelled", "completed", "unknown"], "on_hold")


def test_a_stop_of_no_seconds_goes_on() -> None:
    stop = {"id": 1, "startsOn": AT, "endsOn": AT, "createdAt": AT, "duration": 0}

    going, over = event("atlas", stop), event("atlas", stop | {"duration": 90})

    assert (going.fields["ended_at"], over.fields["ended_at"]) == (None, "2026-03-04T10:01:30Z")


def test_the_total_of_an_order_is_the_sum_of_its_lines_and_in_no_currency() -> None:
    (sample,) = (each for each in samples("atlas") if each.name.startswith("06"))
    (found,) = sample.read()
    assert isinstance(found, Event)

    shown, _ = derived(found.fields)

    total: Json = {"amount": "95.00", "currency": None}
    assert (shown["total"], shown["total_derived"], "receipt_status" in shown) == (total, True, False)


def test_a_date_may_be_milliseconds_and_a_day_is_never_shifted() -> None:
    order = {"id": 1, "partQuantities": [], "createdAt": AT, "shippingDueDate": "2026-03-06T23:30:00.000-05:00"}

    days = [event("atlas", order | more).fields["required_date"] for more in ({}, {"shippingDueDate": 1772755200000})]

    assert days == ["2026-03-06", "2026-03-06"]
