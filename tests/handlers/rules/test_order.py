"""The order of facts is total, the same everywhere, and nothing of arrival is in it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.events import Action, Event
from handlers.rules.order import EPOCH, MICROSECOND, occurred_at, rank, stamp
from tests import folding

versions = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))
times = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # bounds are naive
ids = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
digests = st.sampled_from(("0" * 64, "f" * 64))


@st.composite
def events(draw: st.DrawFn) -> Event:
    return Event(
        connection_id="c",
        index=0,
        event_id=draw(ids),
        digest=draw(digests),
        type="work_order.updated",
        action=draw(st.sampled_from(Action)),
        kind="work_order",
        key="WO-1",
        occurred_at=draw(times),
        version=draw(versions),
        fields=draw(st.sampled_from(({}, {"status": {"value": "completed"}}, {"status": None}))),
    )


def parts(event: Event) -> tuple[int, datetime, int, bytes, str]:
    """The order key as design and contract name it."""
    version = -1 if event.version is None else event.version
    return (version, event.occurred_at, rank(event), event.event_id.encode(), event.digest)


@given(one=events(), other=events())
def test_stamps_compare_as_the_order_keys_do(one: Event, other: Event) -> None:
    assert (stamp(one) < stamp(other)) == (parts(one) < parts(other))
    assert (stamp(one) == stamp(other)) == (parts(one) == parts(other))


@given(event=events())
def test_the_time_is_read_back_from_a_stamp(event: Event) -> None:
    assert occurred_at(stamp(event)) == event.occurred_at


@pytest.mark.parametrize(
    ("type_", "fields", "expected"),
    [
        ("work_order.created", {"status": {"value": "closed"}}, 0),
        ("work_order.updated", {}, 1),
        ("work_order.updated", {"status": None}, 1),
        ("work_order.updated", {"status": {"value": "unknown"}}, 10),
        ("work_order.status_changed", {"status": {"value": "requested"}}, 11),
        ("work_order.status_changed", {"status": {"value": "approved"}}, 12),
        ("work_order.status_changed", {"status": {"value": "scheduled"}}, 13),
        ("work_order.status_changed", {"status": {"value": "in_progress"}}, 14),
        ("work_order.status_changed", {"status": {"value": "on_hold"}}, 15),
        ("work_order.completed", {"status": {"value": "completed"}}, 16),
        ("work_order.status_changed", {"status": {"value": "closed"}}, 17),
        ("work_order.reopened", {"status": {"value": "in_progress"}}, 18),
        ("work_order.cancelled", {"status": {"value": "cancelled"}}, 19),
        ("work_order.deleted", {}, 90),
        ("work_order.restored", {}, 91),
        ("asset.status_changed", {"status": {"value": "down"}}, 11),
        ("asset.status_changed", {"status": {"value": "maintenance"}}, 12),
        ("asset.status_changed", {"status": {"value": "standby"}}, 13),
        ("asset.status_changed", {"status": {"value": "operating"}}, 14),
        ("downtime.started", {}, 11),
        ("downtime.ended", {}, 12),
        ("downtime.corrected", {}, 13),
        ("downtime.voided", {}, 90),
        ("downtime.restored", {}, 91),
    ],
)
def test_of_equal_times_the_lower_rank_comes_first(type_: str, fields: dict[str, object], expected: int) -> None:
    event = folding.event(type_, "K-1", fields)  # type: ignore[arg-type]  # a literal is not read as Json
    assert rank(event) == expected


def test_nothing_below_a_microsecond_decides() -> None:
    early = folding.event("work_order.updated", "WO-1", at=0, id_="a")
    assert occurred_at(stamp(early)) - EPOCH == (folding.NOON - EPOCH) // MICROSECOND * timedelta(microseconds=1)
