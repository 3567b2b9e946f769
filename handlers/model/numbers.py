"""Exact numbers: from JSON's text to a Decimal to the text that is kept, never through a float."""

import re
from decimal import Decimal, InvalidOperation

MAX_DIGITS = 60
"""Most digits of a number that is kept, as written, leading zeros apart."""

MAX_EXPONENT = 60
"""Greatest power of ten, either way, of a number's last digit."""

NUMBERS = (int, Decimal)
"""The types of decoded numbers; `bool` is an `int` and none of them."""

_FIRST_TOO_LONG = 10**MAX_DIGITS
_NUMERAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""Narrower than `Decimal`, which takes underscores, blanks, other scripts' digits, NaN and Infinity too."""


def number_from_json(text: str) -> Decimal:
    """Reads a JSON number that is no integer; for msgspec's `float_hook`, so it never raises.

    An exponent that not even `Decimal` holds gives an infinity, which `number_text` refuses with its path.
    """
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


def number_from_text(text: str) -> Decimal | None:
    """Reads a number written in a string, such as `40.00` or `1.728E5`; None where it is none."""
    return number_from_json(text) if _NUMERAL.fullmatch(text) else None


def is_number_text(text: str) -> bool:
    """Whether a text is surely a number as it is kept: digits, none of them a zero too many, and decimals perhaps."""
    return (
        len(text) <= MAX_DIGITS
        and text.replace(".", "", 1).isdigit()
        and text.isascii()
        and text[-1] != "."
        and (text[0] not in "0." or text[1:2] == "." or text == "0")
    )


def number_text(value: int | Decimal) -> str | None:
    """The exact text of a number as it is kept, trailing zeros and all: `40.00`, `172800`.

    Written out where that takes no more digits than are allowed on input, else with an exponent (`1E+60`), so that
    what is kept can be sent back in. Zero has no sign.

    Returns:
        The text; None for a number that is not finite, has more than `MAX_DIGITS` digits, or whose last digit's
        exponent is not within ±`MAX_EXPONENT`.
    """
    if isinstance(value, int):
        return str(value) if -_FIRST_TOO_LONG < value < _FIRST_TOO_LONG else None
    text = str(value)
    if len(text) <= MAX_DIGITS and text.replace(".", "", 1).isdigit():
        return text  # written out and without a sign, as most are
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) > MAX_DIGITS or abs(exponent) > MAX_EXPONENT:
        return None
    if not value:
        value = value.copy_abs()
    return format(value, "f") if len(digits) + exponent <= MAX_DIGITS else str(value)
