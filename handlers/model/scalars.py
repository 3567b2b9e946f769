"""Plain values: text, keys, exact numbers, seconds; and the annotated types that records use for them.

`ReadBy` ties a type to its reader. Where a field is annotated with one of these, its model reads it accordingly.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, TypeAlias

from msgspec import Meta

from handlers.model.numbers import NUMBERS, is_number_text, number_from_text
from handlers.model.reading import GREATEST_INTEGER, Context, Reader, keep, number
from handlers.model.times import read_date, read_instant, read_instant_or_date

MAX_KEY_BYTES = 512
"""Longest key, in bytes of UTF-8: it stands in primary keys and indexes on both databases."""

MONDAY, SUNDAY = 1, 7
"""The first and last day of a week as ISO 8601 numbers the days."""

_SURELY_SHORT = MAX_KEY_BYTES // 4
"""Characters: none takes more than four bytes of UTF-8."""

KEY_EXPECTED = f"a string of 1 to {MAX_KEY_BYTES} bytes"


class ReadBy(NamedTuple):
    """Ties an annotated type to the reader of its values."""

    reader: Reader


def read_text(value: Any, path: str, context: Context) -> str:
    """Reads plain text; an integer serves as its digits, since numbers of things often come as JSON numbers."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return number(value, path, context)
    raise context.wrong_type(path, value, "a string")


def read_flag(value: Any, path: str, context: Context) -> bool:
    """Reads true or false; no word and no number serves as one."""
    if isinstance(value, bool):
        return value
    raise context.wrong_type(path, value, "true or false")


def is_surely_key(value: Any) -> bool:
    """Whether a value is a text that is short enough for a key whatever its characters are, as nearly all are."""
    return isinstance(value, str) and 0 < len(value) <= _SURELY_SHORT


def read_key(value: Any, path: str, context: Context) -> str:
    """Reads the key of a record: 1 to 512 bytes of UTF-8; an integer serves as its digits.

    Raises:
        PermanentError: `wrong_type`, or `out_of_range` for one that is empty or too long.
    """
    if is_surely_key(value):
        return str(value)
    if isinstance(value, str):
        text = value
    elif isinstance(value, int) and not isinstance(value, bool):
        text = number(value, path, context)
    else:
        raise context.wrong_type(path, value, KEY_EXPECTED)
    if not text or len(text) > MAX_KEY_BYTES or (not text.isascii() and len(text.encode()) > MAX_KEY_BYTES):
        raise context.error("out_of_range", path, "string", KEY_EXPECTED)
    return text


def read_decimal(value: Any, path: str, context: Context) -> str:
    """Reads an exact number from a JSON number or from text; see `numbers.number_text` for how it is kept."""
    if isinstance(value, str):
        if is_number_text(value):
            return value
        read = number_from_text(value)
        if read is None:
            raise context.error("malformed_value", path, "string", "a number")
        return number(read, path, context)
    if isinstance(value, NUMBERS) and not isinstance(value, bool):
        return number(value, path, context)
    raise context.wrong_type(path, value, "a number")


def read_duration(value: Any, path: str, context: Context) -> int:
    """Reads a duration in whole seconds, from 0 to 2^63 - 1; a number or its text."""
    return _whole(value, path, context, "seconds")


def read_count(value: Any, path: str, context: Context) -> int:
    """Reads a whole number of things, such as days, from 0 to 2^63 - 1; a number or its text."""
    return _whole(value, path, context, "a number")


def read_weekday(value: Any, path: str, context: Context) -> int:
    """Reads a day of the week as ISO 8601 numbers them: 1 is Monday, 7 is Sunday."""
    day = _whole(value, path, context, "a number")
    if not MONDAY <= day <= SUNDAY:
        raise context.error("out_of_range", path, "number", "a weekday from 1, Monday, to 7, Sunday")
    return day


def _whole(value: Any, path: str, context: Context, what: str) -> int:
    if type(value) is int and 0 <= value <= GREATEST_INTEGER:
        return value
    whole = Decimal(read_decimal(value, path, context))
    if whole != whole.to_integral_value():
        raise context.error("malformed_value", path, "number", f"whole {what.removeprefix('a ')}")
    if not 0 <= whole <= GREATEST_INTEGER:
        raise context.error("out_of_range", path, "number", f"{what} from 0 to 2^63 - 1")
    return int(whole)


KeptType: TypeAlias = type[str] | type[bool]
KEPT_TYPES: Mapping[Reader, KeptType] = {read_text: str, read_flag: bool}
"""By reader: the type whose every value it gives back as it is, so that whoever reads many need not ask it."""

Text: TypeAlias = Annotated[str, ReadBy(read_text)]
Flag: TypeAlias = Annotated[bool, ReadBy(read_flag)]
Key: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_KEY_BYTES), ReadBy(read_key)]
Number: TypeAlias = Annotated[str, Meta(description="an exact decimal"), ReadBy(read_decimal)]
Seconds: TypeAlias = Annotated[int, Meta(ge=0, description="seconds"), ReadBy(read_duration)]
Count: TypeAlias = Annotated[int, Meta(ge=0), ReadBy(read_count)]
Weekday: TypeAlias = Annotated[
    int, Meta(ge=MONDAY, le=SUNDAY, description="1 is Monday, 7 is Sunday"), ReadBy(read_weekday)
]
Instant: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "date-time"}), ReadBy(read_instant)]
Date: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "date"}), ReadBy(read_date)]
InstantOrDate: TypeAlias = Annotated[str, Meta(description="a date-time or a date"), ReadBy(read_instant_or_date)]
Anything: TypeAlias = Annotated[Any, ReadBy(keep)]
