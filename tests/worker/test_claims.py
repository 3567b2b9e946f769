"""What an unread event says of itself is told where it can be, and nothing is ever raised for it."""

import gzip
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.events import WHOLE_BODY, Delivery
from worker.claims import claimed_type

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _claimed(body: bytes, index: int = 0) -> str | None:
    return claimed_type(Delivery("d", "c", NOON, body), index)


@pytest.mark.parametrize(
    ("body", "index", "type_"),
    [
        (b'{"type":"asset.created","data":7}', 0, "asset.created"),
        (b' {"type":"asset.created"}', WHOLE_BODY, "asset.created"),
        (b'{"type":"com.acme.asset.created"}', 0, "asset.created"),
        (b'{"type":"com.acme.valve.turned"}', 0, "com.acme.valve.turned"),
        (b'[{"type":"asset.created"}, 7, {"type":"vendor.created"}]', 2, "vendor.created"),
        (b'[{"type":"asset.created"}, 7]', 1, None),
        (b'[{"type":"asset.created"}, {}]', 1, None),
        (b'[{"type":"asset.created"}, {}]', WHOLE_BODY, None),
        (b'[{"type":"asset.created"}]', 5, None),
        (b'{"type":7}', 0, None),
        (b'{"type":"asset.created"', 0, None),
        (b"[" * 100_000, 0, None),
        (gzip.compress(b'{"type":"asset.created"}', mtime=0), 0, "asset.created"),
        (b"\x1f\x8brubbish", 0, None),
    ],
)
def test_the_type_is_that_of_the_event_where_it_states_one(body: bytes, index: int, type_: str | None) -> None:
    assert _claimed(body, index) == type_


@given(
    st.binary() | st.recursive(st.text() | st.integers() | st.none(), st.lists).map(lambda each: repr(each).encode())
)
def test_no_bytes_make_it_raise(body: bytes) -> None:
    assert _claimed(body) is None or isinstance(_claimed(body), str)


def test_the_types_of_a_body_are_read_once_for_all_of_its_letters() -> None:
    body = orjson.dumps([{"type": f"t{n}"} for n in range(1_000)])
    delivery = Delivery("d", "c", NOON, body)
    assert [claimed_type(delivery, n) for n in range(1_000)] == [f"t{n}" for n in range(1_000)]
