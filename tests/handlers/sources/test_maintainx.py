"""The traps of MaintainX, each from its OpenAPI or a captured body; `handlers.sources.maintainx` cites them."""

from typing import Any

import pytest

from handlers.events import Event
from tests.handlers.sources.reading import event, read, refusal

AT = "2026-03-04T13:03:19.905Z"


def webhook(type_: str | None, **members: Any) -> dict[str, Any]:
    named = {} if type_ is None else {"eventType": type_}
    return {**named, "occurredAt": AT, "orgId": 1, **members}


def rest(**members: Any) -> dict[str, Any]:
    return {"workOrder": {"id": 5, "updatedAt": AT, **members}}


def status(found: Event) -> Any:
    told = found.fields["status"]
    assert isinstance(told, dict)
    return told["value"]


@pytest.mark.parametrize(
    ("code", "more", "value"),
    [
        ("DONE", None, "completed"),
        ("DONE", "CANCELED", "cancelled"),
        ("DONE", "SKIPPED", "cancelled"),
        ("ON_HOLD", "WAITING_ON_PARTS", "on_hold"),
        ("OPEN", None, "approved"),
        ("FINISHED", None, "unknown"),
    ],
)
def test_done_with_a_sub_status_may_be_cancelled(code: str, more: str | None, value: str) -> None:
    found = event("maintainx", webhook("WORK_ORDER_STATUS_CHANGE", workOrderId=5, newStatus=code, newSubStatus=more))

    assert status(found) == value
    assert found.thin
    assert "title" not in found.fields


def test_rest_says_canceled_and_skipped_without_done() -> None:
    assert [status(event("maintainx", rest(status=code))) for code in ("CANCELED", "SKIPPED")] == ["cancelled"] * 2


def test_a_completion_survives_a_reopening_and_counts_only_while_it_is_done() -> None:
    done = event("maintainx", rest(status="DONE", completedAt=AT, completerId=3))
    reopened = event("maintainx", rest(status="OPEN", completedAt=AT, completerId=3))

    assert done.fields["completed_at"] == "2026-03-04T13:03:19.905000Z"
    assert (reopened.fields["completed_at"], reopened.fields["completed_by"]) == (None, None)


@pytest.mark.parametrize(
    ("is_day", "day", "moment"),
    [(True, "2026-03-05", None), (False, None, "2026-03-05T00:00:00Z")],
)
def test_a_due_date_of_a_full_day_is_a_date_in_no_zone(*, is_day: bool, day: Any, moment: Any) -> None:
    found = event(
        "maintainx", rest(dueDate="2026-03-05T00:00:00.000Z", dueDateIsFullDay=is_day), time_zone="Asia/Tokyo"
    )

    assert (found.fields["due_date"], found.fields["due_at"]) == (day, moment)


def test_cents_and_hours_and_seconds_and_main_units_are_told_apart() -> None:
    times = [{"type": "TIME", "costPerUnit": 4500, "quantity": 1.5, "rowTotal": 6750, "durationTotal": 5400}]
    order = event("maintainx", rest(estimatedTime=3600, times=times), currency="USD")
    asset = event("maintainx", {"asset": {"id": 1, "updatedAt": AT, "depreciation": {"purchasePrice": 1899}}})

    assert order.fields["estimated_duration"] == 3600
    assert order.fields["labor"] == [
        {
            "rate": {"amount": "45.00", "currency": "USD"},
            "cost": {"amount": "67.50", "currency": "USD"},
            "seconds": 5400,
            "person": None,
        }
    ]
    assert isinstance(asset.fields["purchase_cost"], dict)
    assert asset.fields["purchase_cost"]["amount"] == "1899"


def test_an_event_without_its_type_is_known_by_its_id_and_never_by_a_comments_kind() -> None:
    changed = event("maintainx", webhook(None, workOrderId=5, newStatus="DONE"))
    comment = event("maintainx", webhook("NEW_COMMENT_ON_WORK_ORDER", workOrderId=5, type="TEXT"))

    assert (changed.type, status(changed)) == ("work_order.status_changed", "completed")
    assert comment.type == "maintainx.NEW_COMMENT_ON_WORK_ORDER"


def test_the_two_ids_of_a_request_are_one_letter_apart_and_one_record() -> None:
    made = event("maintainx", webhook("NEW_WORK_REQUEST", workRequestId=7))
    turned = event("maintainx", webhook("WORK_REQUEST_STATUS_CHANGE", requestId=7, newStatus="REJECTED"))

    assert made.key == turned.key == "request/7"
    assert (status(made), status(turned)) == ("requested", "cancelled")
    assert made.fields["record_kind"] == "request"


def test_a_subset_blanks_nothing_and_its_status_is_the_envelopes() -> None:
    found = event("maintainx", webhook("WORK_ORDER_CHANGE", workOrderId=5, newWorkOrder={"title": "x"}))

    assert (found.key, found.full, found.thin) == ("5", False, False)
    assert not {"status", "type", "completed_at", "priority"} & found.fields.keys()


def test_a_bare_change_states_nothing_and_asks_for_a_fetch() -> None:
    found = event("maintainx", webhook("WORK_ORDER_CHANGE", workOrderId=5))

    assert found.thin
    assert found.fields.keys() == {"source_id", "source_entity", "site_ref"}


def test_a_stop_begins_when_its_status_says_and_not_when_it_was_told() -> None:
    offline = {"id": 2, "status": "OFFLINE", "startedAt": "2026-03-04T08:55:00.000Z", "downtimeType": "PLANNED"}
    stop, asset = read("maintainx", webhook("ASSET_STATUS_CHANGE", assetId=9, newStatus=offline))

    assert isinstance(stop, Event)
    assert (stop.type, stop.key, stop.fields["started_at"], stop.fields["planned"]) == (
        "downtime.started",
        "2",
        "2026-03-04T08:55:00Z",
        True,
    )
    assert isinstance(asset, Event)
    assert asset.type == "asset.updated", "a status change would be the same stop once more"


def test_from_offline_to_offline_one_stop_ends_and_another_begins() -> None:
    old = {"id": 2, "status": "OFFLINE", "startedAt": "2026-03-04T08:00:00.000Z", "endedAt": None}
    new = {"id": 3, "status": "OFFLINE", "startedAt": "2026-03-04T09:00:00.000Z"}
    ended, began, _ = read("maintainx", webhook("ASSET_STATUS_CHANGE", assetId=9, oldStatus=old, newStatus=new))

    assert isinstance(ended, Event)
    assert isinstance(began, Event)
    assert (ended.type, ended.key, ended.fields["ended_at"]) == ("downtime.ended", "2", "2026-03-04T09:00:00Z")
    assert (began.type, began.key) == ("downtime.started", "3")
    assert (ended.fields["planned"], "reason" in ended.fields) == (None, False)


def test_a_difference_alone_is_never_added_up() -> None:
    found = event("maintainx", webhook("PART_QUANTITY_CHANGE", partId=4, quantityDiff=2, newQuantity=None))

    assert found.thin
    assert not {"totals", "stock_levels"} & found.fields.keys()


def test_the_price_of_a_line_is_the_whole_lines_and_a_percentage_leaves_the_total_open() -> None:
    line = {"id": 1, "quantityOrdered": 4, "unitCost": 1899, "price": 7596}
    tax = {"name": "Tax", "type": "PERCENT_TAXABLE", "amount": 7}
    body = {"purchaseOrder": {"id": 1, "updatedAt": AT, "status": "APPROVED", "items": [line], "costs": [tax]}}
    found = event("maintainx", body, currency="USD")

    assert isinstance(found.fields["lines"], list)
    first, charge = found.fields["lines"]
    assert isinstance(first, dict)
    assert isinstance(charge, dict)
    assert first["line_amount"] == {"amount": "75.96", "currency": "USD"}
    assert "line_amount" not in charge
    assert "total" not in found.fields


def test_deleted_is_an_event_or_a_time() -> None:
    assert event("maintainx", webhook("WORK_ORDER_DELETE", workOrderId=5)).type == "work_order.deleted"
    assert event("maintainx", rest(deletedAt=AT)).type == "work_order.deleted"


def test_custom_fields_go_by_their_labels() -> None:
    found = event(
        "maintainx", rest(extraFields={"SAP Order No.": "4001237"}), field_map={"SAP Order No.": "external_id"}
    )

    assert found.fields["external_id"] == "4001237"


def test_a_wrong_type_inside_an_object_is_told_with_its_path() -> None:
    found = refusal("maintainx", rest(estimatedTime="soon"))

    assert (found.error.code, found.error.found) == ("malformed_value", "string")
