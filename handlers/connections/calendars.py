"""The text of `calendars.toml` into operating calendars and who follows which, with every mistake at once.

[calendars.two-shift]
time_zone = "Europe/Berlin"
shifts = [{ days = "mon-fri", from = "06:00", to = "22:00" },
          { rrule = "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", anchor = 2026-01-03, from = "06:00", to = "14:00" }]
holidays = [2026-12-25, "2026-12-27/2026-12-31"]

[connections.acme]
calendar = "two-shift"
sites = { NORTH = "always" }
assets = { "PUMP-7" = "two-shift" }
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final

import msgspec

from handlers.connections.fields import Fields, kind_of
from handlers.connections.parsing import read_toml
from handlers.connections.problems import Problems
from handlers.errors import ConfigurationError
from handlers.rules.calendars import Calendar, Shift
from handlers.rules.recurrence import Rule, rule_problem

CALENDARS, CONNECTIONS = "calendars", "connections"
ALWAYS: Final = "always"
"""The calendar of what operates around the clock; nobody need write it."""
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_DAYS: Final = 10_000
"""Days of one stretch of holidays, over 27 years."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_MIDNIGHT: Final = "24:00"
_AROUND_THE_CLOCK: Final = Calendar(ALWAYS, "UTC", (Shift(time(), time(), frozenset(range(7))),))


class Followed(msgspec.Struct, frozen=True):
    """Which calendars one connection's assets follow.

    Attributes:
        calendar: of all that has none of its own; None for none.
        sites: by a site's key.
        assets: by an asset's key.
    """

    calendar: Calendar | None = None
    sites: Mapping[str, Calendar] = MappingProxyType({})
    assets: Mapping[str, Calendar] = MappingProxyType({})

    def of(self, asset: str, site: str | None) -> Calendar | None:
        """The calendar of an asset: its own, else its site's, else the connection's."""
        return self.assets.get(asset) or self.sites.get(site or "") or self.calendar


def parse_calendars(text: str, name: str) -> dict[str, Followed]:
    """Reads the file.

    Args:
        text: of the file; a byte order mark is none of it.
        name: the file, as the messages call it.

    Returns:
        What each connection's assets follow, by the connection's id.

    Raises:
        ConfigurationError: one line a problem, `FILE:LINE: calendars.NAME.FIELD: what is wrong; how to mend it`.
    """
    root = read_toml(text, name)
    problems = Problems(name, text)
    top = Fields(root, (), problems)
    top.only((CALENDARS, CONNECTIONS))
    read = {each: _calendar(each, fields) for each, fields in _tables(top, CALENDARS, problems)}
    if ALWAYS in read:
        top.wrong(CALENDARS, "is the calendar that goes around the clock; give yours another name", ALWAYS)
    known = {**read, ALWAYS: _AROUND_THE_CLOCK}
    followed = {each: _followed(fields, known) for each, fields in _tables(top, CONNECTIONS, problems)}
    if problems.told():
        raise ConfigurationError(problems.told())
    return followed


def _tables(top: Fields, kind: str, problems: Problems) -> Iterator[tuple[str, Fields]]:
    for name, values in top.any(kind, dict, or_else={}).items():
        if not _NAME.fullmatch(name):
            top.wrong(kind, "is no name; use up to 64 letters, digits and . _ -, a letter or digit first", name)
        elif not isinstance(values, dict):
            top.wrong(kind, f"is {kind_of(values)}; write [{kind}.{name}]", name)
        else:
            yield name, Fields(values, (kind, name), problems)


def _followed(fields: Fields, known: Mapping[str, Calendar]) -> Followed:
    fields.only(("calendar", "sites", "assets"))

    def problem(name: str) -> str | None:
        return None if name in known else f"is no calendar; there are {', '.join(known)}; write [calendars.NAME]"

    whole = fields.text("calendar")
    if whole is not None and problem(whole):
        fields.wrong("calendar", str(problem(whole)))
    sites, assets = (
        {key: known[name] for key, name in fields.map(each, problem).items()} for each in ("sites", "assets")
    )
    return Followed(known.get(whole or ""), sites, assets)


def _calendar(name: str, fields: Fields) -> Calendar:
    fields.only(("time_zone", "shifts", "holidays"))
    if "time_zone" not in fields:
        fields.wrong("time_zone", 'is missing; write one like "Europe/Berlin"')
    if not fields.any("shifts", list):
        fields.wrong("shifts", 'is missing; write [{ days = "mon-fri", from = "06:00", to = "22:00" }]')
    shifts = (_shift(fields, given, index) for index, given in enumerate(fields.any("shifts", list, or_else=[])))
    return Calendar(
        name=name,
        zone=fields.zone("time_zone") or "UTC",
        shifts=tuple(each for each in shifts if each is not None),
        holidays=frozenset(_holidays(fields)),
    )


def _shift(calendar: Fields, given: object, index: int) -> Shift | None:
    if not isinstance(given, dict):
        calendar.wrong("shifts", f"is {kind_of(given)}; write a table", index)
        return None
    fields = calendar.inner(given, "shifts", index)
    fields.only(("days", "rrule", "anchor", "from", "to"))
    start, end = _clock(fields, "from"), _clock(fields, "to")
    if "rrule" not in fields:
        return Shift(start, end, _weekdays(fields))
    if "days" in fields:
        fields.wrong("days", "goes without rrule, which names the days itself; drop one of the two")
    rule = fields.text("rrule", "")
    problem = rule_problem(rule or "")
    if problem is not None:
        fields.wrong("rrule", problem)
    anchor = fields.any("anchor", date)
    if not isinstance(anchor, date) or isinstance(anchor, datetime):
        fields.wrong("anchor", "is the day from which the rule counts; write one without quotes, as 2026-01-03")
        anchor = date.min
    return Shift(start, end, rule=Rule(rule or ""), anchor=anchor)


def _clock(fields: Fields, name: str) -> time:
    """A time of day; `24:00` is the next midnight, which as an end is the same as `00:00`."""
    text = fields.text(name, "")
    match = _CLOCK.fullmatch(text or "")
    if match is None and not (name == "to" and text == _MIDNIGHT):
        fields.wrong(name, 'is no time of day; write one like "06:00"')
    return time(int(match[1]), int(match[2])) if match else time()


def _weekdays(fields: Fields) -> frozenset[int]:
    """Days such as `mon-fri`, `sat` or `mon, wed, fri`; a range may run over the end of the week."""
    found: set[int] = set()
    for part in (fields.text("days", "") or "").lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            fields.wrong("days", f'are no days; write them like "mon-fri" or "mon, wed, sat", of {", ".join(DAYS)}')
            break
        start, end = DAYS.index(first), DAYS.index(last or first)
        found |= {(start + step) % len(DAYS) for step in range((end - start) % len(DAYS) + 1)}
    return frozenset(found)


def _holidays(calendar: Fields) -> Iterator[date]:
    for index, given in enumerate(calendar.any("holidays", list, or_else=[])):
        days = _days(given)
        if days is None:
            message = 'is no day; write one like 2026-12-25, or a stretch like "2026-12-24/2027-01-01", both ends in it'
            calendar.wrong("holidays", message, index)
        else:
            yield from days


def _days(given: Any) -> list[date] | None:
    if isinstance(given, date) and not isinstance(given, datetime):
        return [given]
    if not isinstance(given, str):
        return None
    first, _, last = given.partition("/")
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        return None
    length = (end - start).days
    return [start + timedelta(days=each) for each in range(length + 1)] if 0 <= length < MOST_DAYS else None
