"""Whose down time is whose: links, hierarchies that change, circles among them."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers.rules.downtime import Span
from handlers.rules.facts import Key
from handlers.rules.reach import Groups, Member, members, part, stays

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _a(key: str, connection: str = "c") -> Key:
    return connection, key


def test_a_group_is_told_by_the_one_that_the_others_are_linked_to() -> None:
    groups = Groups([(_a("3"), _a("2")), (_a("1"), _a("2"))])

    assert [groups.of(_a(key)) for key in ("1", "2", "9")] == [[_a("2"), _a("1"), _a("3")]] * 2 + [(_a("9"),)]
    assert [key for key in "123" if groups.stands(_a(key), lambda each: each != _a("2"))] == ["1"]


def test_the_first_parent_counts_from_the_beginning_and_a_move_ends_it() -> None:
    told = stays([(NOON, "P"), (NOON + HOUR, None), (NOON + 2 * HOUR, "Q")])

    assert [tuple(each) for each in told] == [
        ("P", None, NOON + HOUR),
        (None, NOON + HOUR, NOON + 2 * HOUR),
        ("Q", NOON + 2 * HOUR, None),
    ]


def test_what_is_below_is_below_as_long_as_everything_between_is() -> None:
    children = {
        _a("SITE"): [Member(_a("LINE"), None, NOON + HOUR)],
        _a("LINE"): [Member(_a("PUMP"), NOON, None), Member(_a("OLD"), NOON + 2 * HOUR, None)],
    }

    found = members(_a("SITE"), Groups(), lambda asset: children.get(asset, ()))

    assert found == [
        Member(_a("LINE"), None, NOON + HOUR),
        Member(_a("PUMP"), NOON, NOON + HOUR),
        Member(_a("SITE")),
    ]


def test_a_circle_of_parents_ends_where_it_closes() -> None:
    children = {_a("A"): [Member(_a("B"))], _a("B"): [Member(_a("A")), Member(_a("B"))]}

    assert members(_a("A"), Groups(), lambda asset: children.get(asset, ())) == [Member(_a("A")), Member(_a("B"))]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (-2, -1, None),
        (-1, 0, None),
        (-1, 1, (0, 1, False)),
        (0, 1, (0, 1, True)),
        (1, 9, (1, 2, True)),
        (1, None, (1, 2, True)),
        (-1, None, (0, 2, False)),
        (2, 3, None),
        (0, 0, (0, 0, True)),
    ],
)
def test_a_span_is_cut_to_the_time_and_a_failure_before_it_is_none(
    start: int, end: int | None, expected: tuple[int, int, bool] | None
) -> None:
    span = Span(NOON + start * HOUR, None if end is None else NOON + end * HOUR, failure=True, ref="interval:D")

    found = part(span, Member(_a("PUMP"), NOON, NOON + 2 * HOUR), _a("LINE"))

    told = None if expected is None else (NOON + expected[0] * HOUR, NOON + expected[1] * HOUR, expected[2])
    assert (None if found is None else (found.started_at, found.ended_at, found.failure)) == told


def test_records_of_two_connections_are_told_apart_by_more_than_their_keys() -> None:
    span = Span(NOON, NOON + HOUR, ref="interval:D")

    refs = [part(span, Member(_a("P", name)), _a("P")) for name in ("c", "d")]

    assert [each.ref if each is not None else None for each in refs] == ["interval:D", "d interval:D"]
