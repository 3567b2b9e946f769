"""Drawings are well formed whatever stands in them, and their axes are in numbers that people count in."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.report import svg
from worker.report.naming import clean


@given(st.text())
def test_text_from_outside_is_text_in_a_drawing(words: str) -> None:
    told = clean(words)

    drawn = svg.drawing("a", 10, 10, (told, told), [svg.text(told, 1, 2), svg.element("g", svg.title(told), x=told)])

    root = ET.fromstring(drawn)
    assert [each.tag for each in root] == ["title", "desc", "text", "g"]
    assert [(each.text or "") for each in root][:3] == [told] * 3
    assert root[3].attrib == {"x": told}


def test_coordinates_are_short_and_never_exponents() -> None:
    drawn = svg.element("rect", x=0.1 + 0.2, y=1e-9, width=1e7, class_="up", text_anchor=None)

    assert drawn == '<rect x="0.3" y="0" width="10000000" class="up"/>'


@pytest.mark.parametrize(
    ("greatest", "marks"),
    [
        (0, [0, 1]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (4.6, [0, 1, 2, 3, 4, 5]),
        (23_900, [0, 5_000, 10_000, 15_000, 20_000, 25_000]),
        (1_000_000, [0, 200_000, 400_000, 600_000, 800_000, 1_000_000]),
    ],
)
def test_ticks_are_round(greatest: float, marks: list[float]) -> None:
    assert svg.ticks(greatest) == pytest.approx(marks)


@given(st.floats(1e-6, 1e12))
def test_ticks_reach_the_greatest_value_and_not_far_beyond(greatest: float) -> None:
    marks = svg.ticks(greatest)

    assert marks[-1] >= greatest * (1 - 1e-9)
    assert marks[-2] < greatest
    assert 3 <= len(marks) <= 7


def test_labels_that_have_no_room_are_left_out() -> None:
    words = ["2026-W01"] * 4

    kept = svg.roomy([0, 30, 70, 140], words, 200)

    assert [number for number, _ in kept] == [0, 2, 3]
    assert svg.roomy([0, 190], words[:2], 200) == [(0, 0)]


def test_equal_neighbours_are_one_run() -> None:
    assert svg.runs(["a", "a", "b", "a"]) == [("a", 0, 2), ("b", 2, 1), ("a", 3, 1)]
    assert svg.runs([]) == []


def test_long_text_is_cut() -> None:
    assert svg.fitted("abcdef", 6) == "abcdef"
    assert svg.fitted("abcd ef", 6) == "abcd\N{HORIZONTAL ELLIPSIS}"
