"""Reads the fields of one table, each by its type, and notes what does not fit."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from handlers.connections.lines import Path
from handlers.connections.problems import Problems
from handlers.rules.durations import HOW, read_duration, write_duration

_RATE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?/ ?(s|min|h)")
_PER: Final[Mapping[str, int]] = {"s": 1, "min": 60, "h": 3600}
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_MAX_TEXT: Final = 200

_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "a boolean"),  # before int, which it is to Python
    (str, "a string"),
    (int, "a number"),
    (float, "a number"),
    (list, "an array"),
    (dict, "a table"),
)


def kind_of(value: object) -> str:
    """What a value is, in TOML's words; never the value."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "a date or time")


def zone_problem(name: str) -> str | None:
    """Why a text names no IANA time zone; None where it does."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # no key, a path out of the folder, a folder's name
        return 'is no IANA time zone; write one like "Europe/Berlin"'
    return None


class Fields:
    """One table's fields.

    Args:
        values: as parsed.
        path: of the table.
        problems: what is wrong goes there, and the default is taken.
    """

    def __init__(self, values: Mapping[str, Any], path: Path, problems: Problems) -> None:
        self._values = values
        self._path = path
        self._problems = problems

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def wrong(self, name: str, message: str, *inside: str | int) -> None:
        """Notes what is wrong with a field, or with something inside it."""
        self._problems.add((*self._path, name, *inside), message)

    def inner(self, values: Mapping[str, Any], *inside: str | int) -> "Fields":
        """The fields of a table inside this one."""
        return Fields(values, (*self._path, *inside), self._problems)

    def only(self, known: Collection[str]) -> None:
        """Notes every field of another name, with the nearest one there is."""
        for name in self._values:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                mend = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
                self.wrong(name, f"is no field here; {mend}")

    def any(self, name: str, *kinds: type, or_else: Any = None) -> Any:
        """A field of one of the types given."""
        value = self._values.get(name)
        if value is None:
            return or_else
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(kind_of(kind()) for kind in kinds)
            self.wrong(name, f"is {kind_of(value)}; write {wanted}")
            return or_else
        return value

    def text(self, name: str, or_else: str | None = None) -> str | None:
        """A printable text of 1 to 200 characters."""
        return self._checked(name, or_else, _text_problem)

    def one_of(self, name: str, choices: Collection[str], or_else: str) -> Any:
        """One of the words given."""

        def problem(value: str) -> str | None:
            return None if value in choices else f"is none of {', '.join(choices)}"

        return self._checked(name, or_else, problem)

    def flag(self, name: str) -> bool:
        """A boolean, false where it is not given."""
        return bool(self.any(name, bool, or_else=False))

    def zone(self, name: str) -> str | None:
        """An IANA time zone's name."""
        return self._checked(name, None, zone_problem)

    def currency(self, name: str) -> str | None:
        """An ISO 4217 code."""

        def problem(value: str) -> str | None:
            return None if _CURRENCY.fullmatch(value) else 'is no ISO 4217 code; write one like "EUR"'

        return self._checked(name, None, problem)

    def rate(self, name: str) -> float | None:
        """A rate such as `200/s`, `600/min` or `5000/h`, in one a second."""
        value = self._checked(name, None, _rate_problem)
        match = _RATE.fullmatch(value) if value is not None else None
        return float(match[1]) / _PER[match[2]] if match else None

    def duration(self, name: str, least: timedelta, most: timedelta) -> timedelta | None:
        """A length of time such as `90s`, `30min`, `24h` or `7d`, between two bounds, themselves included."""

        def problem(value: str) -> str | None:
            try:
                fits = least <= read_duration(value) <= most
            except ValueError:
                return f"is no length of time; {HOW}"
            return None if fits else f"is not between {write_duration(least)} and {write_duration(most)}"

        value = self._checked(name, None, problem)
        return None if value is None else read_duration(value)

    def map(self, name: str, problem: Callable[[str], str | None]) -> dict[str, str]:
        """A table of texts, each without a problem."""
        kept = {}
        for key, value in self.any(name, dict, or_else={}).items():
            wrong = problem(value) if isinstance(value, str) else f"is {kind_of(value)}; write a string"
            if wrong is None:
                kept[key] = value
            else:
                self.wrong(name, wrong, key)
        return kept

    def instant(self, name: str) -> datetime | None:
        """A moment with its offset, in UTC."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            self.wrong(name, "is no moment; write one with its offset and without quotes, as 2026-12-31T00:00:00Z")
            return None
        return value.astimezone(UTC)

    def _checked(self, name: str, or_else: str | None, problem: Callable[[str], str | None]) -> str | None:
        value = self.any(name, str)
        if value is None:
            return or_else
        wrong = problem(value)
        if wrong is not None:
            self.wrong(name, wrong)
            return or_else
        return str(value)


def _text_problem(value: str) -> str | None:
    fits = value.isprintable() and bool(value.strip()) and len(value) <= _MAX_TEXT
    return None if fits else f"is no text of 1 to {_MAX_TEXT} printable characters"


def _rate_problem(value: str) -> str | None:
    match = _RATE.fullmatch(value)
    return None if match and float(match[1]) > 0 else 'is no rate; write one like "200/s", "600/min" or "5000/h"'
