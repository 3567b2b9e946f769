"""Exact numbers, in and out."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.model.numbers import (
    MAX_DIGITS,
    MAX_EXPONENT,
    is_number_text,
    number_from_json,
    number_from_text,
    number_text,
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("40.00", "40.00"),
        ("1.728E5", "172800"),
        ("0.1", "0.1"),
        ("1e-7", "0.0000001"),
        ("-0.0", "0.0"),
        ("0E+10", "0"),
        ("1E60", "1E+60"),
        ("1E59", "1" + "0" * 59),
        ("123456789012345678901234567890.123456789012345678901234567891",) * 2,
        ("00012", "12"),
        ("+1.", "1"),
        (".5", "0.5"),
    ],
)
def test_a_number_is_kept_as_written_less_its_exponent(written: str, kept: str) -> None:
    number = number_from_text(written)

    assert number is not None
    assert kept == number_text(number)


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "1_000", "1,5", "NaN", "Infinity", "-", ".", "e5", "0x10", "١٢", "1e"]
)
def test_other_texts_are_no_numbers(text: str) -> None:
    assert number_from_text(text) is None


@pytest.mark.parametrize("text", ["1" * 61, "1e61", "1e-61", "0." + "1" * 61, "1e9999999999999999999", "0e-61"])
def test_numbers_beyond_the_bounds_have_no_kept_form(text: str) -> None:
    assert number_text(number_from_json(text)) is None


def test_integers_of_sixty_digits_are_the_last_that_are_kept() -> None:
    for integer in (10**60 - 1, -(10**60) + 1):
        assert number_text(integer) == str(integer)
    for integer in (10**60, -(10**60), 10**5000):
        assert number_text(integer) is None


@given(
    st.integers(min_value=-(10**MAX_DIGITS) + 1, max_value=10**MAX_DIGITS - 1),
    st.integers(min_value=-MAX_EXPONENT, max_value=MAX_EXPONENT),
)
def test_a_kept_number_is_the_number_and_can_be_sent_back_in(digits: int, exponent: int) -> None:
    number = Decimal(f"{digits}E{exponent}")

    kept = number_text(number)

    assert kept is not None
    again = number_from_text(kept)
    assert again is not None
    assert number.compare(again) == 0
    assert kept == number_text(again)


@given(st.text("0019.-+e٣", max_size=6))
def test_a_text_that_surely_is_a_kept_number_is_kept_as_it_is(text: str) -> None:
    if is_number_text(text):
        number = number_from_text(text)
        assert number is not None
        assert text == number_text(number)


@pytest.mark.parametrize(
    ("text", "surely"), [("40.00", True), ("0", True), ("0.5", True), ("05", False), (".5", False)]
)
def test_few_texts_are_surely_kept_numbers(text: str, *, surely: bool) -> None:
    assert surely == is_number_text(text)
