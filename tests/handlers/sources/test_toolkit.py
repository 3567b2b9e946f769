"""What the toolkit does around a mapper, shown on a toy source."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.events import MAX_ELEMENTS, WHOLE_BODY, Delivery, Event, MappingOptions, Reading, Unmapped, element_of
from handlers.model.reading import GREATEST_INTEGER
from handlers.sources._converters import (
    amount,
    cents,
    coded,
    epoch_milliseconds,
    epoch_seconds,
    flags,
    hours,
    joined,
    local_date,
    minutes,
    moment,
    moment_or_date,
    text,
    words,
)
from handlers.sources._mapping import UNTOLD, Field, Table, rows, used
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled

RECEIVED = datetime(2026, 4, 1, tzinfo=UTC)
PART = Table("", {"item": "item_ref", "price": Field("unit_cost", cents), "qty": "used_qty"})
ORDER = Table(
    "work_order",
    {
        "id": used("source_id"),
        "when": used(),
        "version": used(),
        "title": Field("title", text),
        "kind": Field("type", words({"C": "corrective"})),
        "state": Field("status", coded({"O": "approved"})),
        "due": Field("due_at", moment),
        "plan": Field("planned_start_at", moment_or_date),
        "hours": Field("estimated_duration", hours),
        "minutes": Field("actual_duration", minutes),
        "seconds": Field("scheduled_start_at", epoch_seconds),
        "millis": Field("scheduled_end_at", epoch_milliseconds),
        "down": Field("asset_down", flags(frozenset({"Yes"}), frozenset({"No"}))),
        "day": Field("due_date", local_date),
        "cause": "failure.cause",
        "parts": rows("parts", PART),
        "hidden": Field("description", lambda *_: UNTOLD),
    },
)


def _map(node: Node) -> Iterator[Told]:
    if "id" not in node:
        yield unhandled("toy", "unknown", node)
        return
    node.given.context.at_site(node.text("site"))
    stated = ORDER.tell(node)
    version = node.number("version")
    for _ in range(2 if node.flag("twice") else 1):
        yield Told(
            type="work_order.updated",
            key=node.key("id"),
            data=dict(stated.data),
            custom=stated.custom,
            table=ORDER,
            occurred_at=node.instant("when"),
            version=None if version is None else int(version),
            completeness="full" if node.flag("whole") else "partial",
            entity="Order",
        )


READ = reader(_map, envelopes=("value", "d/results", "d", "all/*/objects"), is_null=lambda value: value == "~")


def read(body: Any, headers: dict[str, str] | None = None, **options: Any) -> Reading:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return READ(Delivery("d-1", "acme", RECEIVED, raw, headers or {}), MappingOptions(**options))


def order(**members: Any) -> dict[str, Any]:
    return {"id": "1", "when": "2026-03-01T08:00:00Z", **members}


def told(body: Any = None, /, **options: Any) -> Event:
    (found,) = read(body, **options)
    assert isinstance(found, Event), found.error
    return found


def refused(**members: Any) -> Unmapped:
    (found,) = read(order(**members))
    assert isinstance(found, Unmapped)
    return found


@pytest.mark.parametrize(
    ("body", "roots"),
    [
        ({"id": 1.5}, ["$"]),
        ([{"id": 1.5}, {"id": 1.5}], ["$[0]", "$[1]"]),
        ({"value": [{"id": 1.5}]}, ["$.value[0]"]),
        ({"d": {"results": [{"id": 1.5}]}}, ["$.d.results[0]"]),
        ({"d": {"id": 1.5}}, ["$.d"]),
        (
            {"all": [{"objects": [{"id": 1.5}]}, {"none": 1}, {"objects": [{"id": 1.5}]}]},
            ["$.all[0].objects[0]", "$.all[2].objects[0]"],
        ),
    ],
)
def test_an_element_is_found_in_its_envelope_and_its_path_says_where(body: Any, roots: list[str]) -> None:
    assert [f"{root}.id" for root in roots] == [item.error.path for item in read(body) if isinstance(item, Unmapped)]


def test_more_elements_than_a_body_may_have_are_one_dead_letter_wherever_they_stand() -> None:
    many = {"all": [{"objects": [order()] * MAX_ELEMENTS}, {"objects": [order()]}]}

    (found,) = read(many)

    assert isinstance(found, Unmapped)
    assert (found.index, found.error.code) == (WHOLE_BODY, "too_many_events")


def test_one_bad_element_costs_only_itself() -> None:
    bad, good = read({"value": [order(hours="many"), order()]})

    assert isinstance(bad, Unmapped)
    assert (bad.error.path, bad.error.found, bad.error.expected) == ("$.value[0].hours", "string", "a number")
    assert isinstance(good, Event)


def test_a_value_that_our_model_refuses_is_told_by_the_sources_path() -> None:
    assert refused(due=7).error.path == "$.due"
    assert refused(cause={"code": []}).error.path == "$.cause"
    assert refused(parts=[{"qty": 1}, {"qty": "x"}]).error.path == "$.parts[1].qty"
    assert refused(parts=[{"price": True}]).error.path == "$.parts[0].price"
    assert refused(parts=["x"]).error.path == "$.parts[0]"


def test_a_mappers_bug_is_a_dead_letter_that_can_be_replayed_once_it_is_mended() -> None:
    def broken(node: Node) -> Iterator[Told]:
        yield Told(type="work_order.updated", key=node.values["nothing of the kind"])

    (found,) = reader(broken)(Delivery("d-1", "acme", RECEIVED, b"{}"), MappingOptions())

    assert isinstance(found, Unmapped)
    assert (found.error.code, found.error.path) == ("map_failed", "$")
    assert "KeyError" in str(found.error)


def test_what_one_element_tells_has_ids_and_places_that_do_not_move_its_siblings() -> None:
    first, again, sibling = read([order(twice=True), order(id="2")])

    assert isinstance(first, Event)
    assert isinstance(again, Event)
    assert isinstance(sibling, Event)
    assert [first.index, again.index, sibling.index] == [0, MAX_ELEMENTS, 1]
    assert [element_of(each.index) for each in (first, again, sibling)] == [0, 0, 1]
    assert [first.digest, f"{first.digest}~1"] == [first.event_id, again.event_id]


def test_the_headers_id_is_told_apart_by_element_and_number() -> None:
    read_by = read([order(), order(twice=True)], {"webhook-id": "m-1"})

    assert [item.event_id for item in read_by if isinstance(item, Event)] == ["m-1#0", "m-1#1", "m-1#1~1"]


def test_unlisted_members_are_kept_under_their_own_names_with_exact_numbers() -> None:
    found = told(b'{"id": 1, "when": "2026-03-01T08:00:00Z", "zz": 1.10, "yy": {"a": [1e2]}, "hidden": "x"}')

    assert {"zz": "1.10", "yy": {"a": ["1E+2"]}, "hidden": "x"}.keys() == found.custom_fields.keys()
    assert found.custom_fields["zz"] == "1.10"
    assert "description" not in found.fields


def test_null_and_the_sources_own_null_clear_a_field_and_an_absent_member_touches_nothing() -> None:
    found = told(order(title=None, due="~", cause=None))

    assert (found.fields["title"], found.fields["due_at"]) == (None, None)
    assert not {"failure", "status"} & found.fields.keys()


def test_a_full_record_lists_everything_its_table_can_give() -> None:
    found = told(order(whole=True))

    assert found.full
    assert {"source_id", "status", "failure", "parts"} <= set(found.full_fields)


def test_without_time_or_version_an_event_states_nothing_and_asks_for_a_fetch() -> None:
    found = told({"id": "1", "title": "x", "zz": 1})

    assert (found.thin, found.occurred_at, found.custom_fields) == (True, RECEIVED, {})
    assert found.fields.keys() == {"source_entity"}


def test_without_time_a_version_orders_it_and_the_doubt_is_noted() -> None:
    found = told({"id": "1", "title": "x", "version": 7})

    assert (found.thin, found.version, found.fields["title"]) == (False, 7, "x")
    assert [each["code"] for each in found.warnings] == ["time_assumed"]


def test_in_order_of_arrival_a_sources_own_order_is_dropped() -> None:
    late = told({"id": "1", "title": "x"}, order="arrival")
    versioned = told(order(title="x", version=7), order="arrival")

    assert (late.thin, late.fields["title"]) == (False, "x")
    assert {(RECEIVED, None)} == {(each.occurred_at, each.version) for each in (late, versioned)}


def test_a_version_beyond_64_bits_is_refused() -> None:
    assert refused(version=GREATEST_INTEGER + 1).error.code == "out_of_range"


def test_an_event_from_the_future_waits_and_is_judged_by_when_it_is_read_again() -> None:
    ahead = RECEIVED + timedelta(hours=1)
    body = json.dumps(order(when=ahead.isoformat())).encode()
    delivery = Delivery("d-1", "acme", RECEIVED, body)

    (early,) = READ(delivery, MappingOptions())
    (later,) = READ(Delivery("d-1", "acme", RECEIVED, body, read_at=ahead), MappingOptions())

    assert isinstance(early, Unmapped)
    assert (early.error.code, early.error.retry_at) == ("clock_skew", ahead - timedelta(minutes=5))
    assert isinstance(later, Event)
    assert later.occurred_at == ahead


def test_a_custom_field_that_the_connection_maps_becomes_ours_and_is_refused_by_its_own_name() -> None:
    options: dict[str, Any] = {"field_map": {"zz": "work_order.category", "yy": "asset.name"}}

    found = told(order(zz="B2", yy="kept"), **options)
    (bad,) = read(order(zz=[]), **options)

    assert (found.fields["category"], found.custom_fields) == ("B2", {"yy": "kept"})
    assert isinstance(bad, Unmapped)
    assert bad.error.path == "$.zz"


@pytest.mark.parametrize(
    ("members", "target", "value"),
    [
        ({"hours": 1.5}, "estimated_duration", 5400),
        ({"hours": "0.25"}, "estimated_duration", 900),
        ({"hours": 2}, "estimated_duration", 7200),
        ({"minutes": 90}, "actual_duration", 5400),
        ({"seconds": 0}, "scheduled_start_at", "1970-01-01T00:00:00Z"),
        ({"millis": 1772409600123}, "scheduled_end_at", "2026-03-02T00:00:00.123000Z"),
        ({"down": "Yes"}, "asset_down", True),
        ({"down": False}, "asset_down", False),
        ({"day": "2001-12-12T00:00:00+08:00"}, "due_date", "2001-12-12"),
        ({"plan": "2001-12-12T00:00:00+08:00"}, "planned_start_at", None),
        ({"title": 7}, "title", "7"),
        ({"due": "2026-03-01T08:00:00+0100"}, "due_at", "2026-03-01T07:00:00Z"),
        ({"kind": "C"}, "type", "corrective"),
        ({"kind": "Z"}, "type", "unknown"),
    ],
)
def test_a_value_is_turned_into_ours(members: dict[str, Any], target: str, value: Any) -> None:
    if value is None:
        assert refused(**members).error.path == "$.plan"
    else:
        assert told(order(**members)).fields[target] == value


def test_a_unit_price_in_cents_is_exact_and_in_the_currency_that_is_known() -> None:
    found = told(order(parts=[{"price": 1899}, {"price": 5}, {"price": "12.5"}]), currency="EUR")

    parts = found.fields["parts"]
    assert isinstance(parts, list)
    costs = [each["unit_cost"] for each in parts if isinstance(each, dict)]
    assert [{"amount": each, "currency": "EUR"} for each in ("18.99", "0.05", "0.125")] == costs
    assert {"currency_assumed"} == {each["code"] for each in found.warnings}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),  # the gap: the offset before it
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),  # the overlap: the earlier one
        ("2026-07-01T08:00:00", "2026-07-01T06:00:00Z"),
    ],
)
def test_a_time_without_a_zone_is_of_the_connections_and_says_so(written: str, meant: str) -> None:
    found = told(order(due=written), time_zone="Europe/Berlin")

    assert found.fields["due_at"] == meant
    assert {"tz_assumed"} <= {each["code"] for each in found.warnings}


def test_a_sites_zone_comes_before_the_connections() -> None:
    found = told(
        order(due="2026-07-01T08:00:00", site="tx"),
        time_zone="Europe/Berlin",
        site_zones={"tx": "America/Chicago"},
    )

    assert found.fields["due_at"] == "2026-07-01T13:00:00Z"


def test_a_time_without_any_zone_is_kept_unread_and_never_guessed() -> None:
    found = told(order(due="2026-07-01T08:00:00"))

    assert found.custom_fields["due"] == "2026-07-01T08:00:00"
    assert "due_at" not in found.fields
    assert [each["code"] for each in found.warnings] == ["time_zone_missing"]


def test_nul_in_names_and_values_is_replaced_with_a_warning() -> None:
    found = told(b'{"id": "1", "when": "2026-03-01T08:00:00Z", "title": "a\\u0000b", "z\\u0000": 1}')

    assert found.fields["title"] == "a\N{REPLACEMENT CHARACTER}b"
    assert found.custom_fields == {"z\N{REPLACEMENT CHARACTER}": 1}
    assert [each["code"] for each in found.warnings] == ["nul_replaced", "nul_replaced"]


def test_a_table_in_which_two_members_claim_one_field_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="title"):
        Table("work_order", {"a": "title", "b": Field("title", amount)})


def test_parts_of_a_key_stay_apart() -> None:
    assert joined("A", "1/2") != joined("A/1", "2")
    assert joined("A", None) == "A/"


def test_what_stands_beside_the_elements_is_theirs_to_ask_for() -> None:
    def mapper(node: Node) -> Iterator[Told]:
        yield Told(type=f"{node.given.beside('kind')}.updated", key=node.key("id"), occurred_at=node.given.received_at)

    body = b'{"kind": "vendor", "value": [{"id": 1}, {"id": 2}]}'
    found = reader(mapper, envelopes=("value",))(Delivery("d-1", "acme", RECEIVED, body), MappingOptions())

    assert [(each.kind, each.key) for each in found if isinstance(each, Event)] == [("vendor", "1"), ("vendor", "2")]


def test_no_sender_may_use_the_keys_of_down_time_that_orders_make() -> None:
    def mapper(node: Node) -> Iterator[Told]:
        yield Told(type="downtime.started", key=node.key("id"), occurred_at=node.given.received_at)

    (found,) = reader(mapper)(Delivery("d-1", "acme", RECEIVED, b'{"id": "work_order:1"}'), MappingOptions())

    assert isinstance(found, Unmapped)
    assert found.error.code == "reserved_key"
