"""Which days a plan names, and which moment a local time of day is.

Days are expanded in the site's own calendar and made instants last, so that a change of clocks moves nothing. Two
meanings of a month that is too short stand side by side: a rule skips it (RFC 5545, 3.3.10), `every` is the anchor plus
k months, clamped to the month's end. Adding month to month, which drifts to the 29th for ever, is neither.
"""

import calendar
import datetime as dt
import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias

import msgspec
from dateutil.rrule import rrulestr

Unit: TypeAlias = Literal["day", "week", "month", "year"]

DAYS: dict[str, int] = {"day": 1, "week": 7, "month": 30, "year": 360}
"""Days that a unit counts in a share of an interval: a month is 30 and a year twelve of those (SMRP 5.4.14, its grace
table as cited at mygeekdaddy.net)."""
MONTHS = {"month": 1, "year": 12}
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY", "BYSETPOS")
"""What a rule may have, beside WKST: a plan is due on a day, so nothing that names hours."""
GREATEST_INTERVAL = 1_000
PROBED_FROM, PROBED_UNTIL = datetime(2000, 1, 1), "20400101T000000"  # noqa: DTZ001  # wall time
"""A rule that names no day in so long a time names none: the rarest, 29 February, comes every four or eight years."""
LONGEST_RULE = 500
"""Characters of a rule."""


class Every(msgspec.Struct, frozen=True):
    """Every so many units, counted from an anchor.

    Attributes:
        count: at least 1.
        unit: of time.
    """

    count: int
    unit: Unit

    @property
    def days(self) -> int:
        """Its length for shares of it, in days."""
        return self.count * DAYS[self.unit]

    def after(self, anchor: date, times: int = 1) -> date:
        """The anchor plus so many intervals, clamped to the end of a month that is too short.

        Raises:
            OverflowError: it is beyond year 9999.
        """
        if self.unit not in MONTHS:
            return anchor + timedelta(days=times * self.days)
        months = anchor.year * 12 + anchor.month - 1 + times * self.count * MONTHS[self.unit]
        year, month = divmod(months, 12)
        if not dt.MINYEAR <= year <= dt.MAXYEAR:
            raise OverflowError("a year beyond the calendar")
        return date(year, month + 1, min(anchor.day, calendar.monthrange(year, month + 1)[1]))


class Rule(msgspec.Struct, frozen=True):
    """An RRULE of RFC 5545; its days are those from the anchor on that it names, and the anchor need not be one.

    Attributes:
        text: such as `FREQ=MONTHLY;BYMONTHDAY=-1`, as `rule_problem` has accepted it.
    """

    text: str


Recurrence: TypeAlias = Every | Rule


def rule_problem(text: str) -> str | None:
    """Why a text is no rule of days, and how to mend it; None where it is one."""
    if len(text) > LONGEST_RULE:
        return f"is longer than {LONGEST_RULE} characters"
    parts = _parts(text)
    unknown = [name for name in parts if name not in (*PARTS, "WKST")]
    interval = parts.get("INTERVAL", "1")
    if unknown:
        return f"has {unknown[0]!r}; leave it out: a rule names days, and `time` the time of day"
    if parts.get("FREQ") not in FREQUENCIES:
        return f"has no FREQ of {', '.join(FREQUENCIES)}; write one like FREQ=MONTHLY;BYMONTHDAY=1"
    if not interval.isascii() or not interval.isdigit() or not 1 <= int(interval) <= GREATEST_INTERVAL:
        return f"has an INTERVAL that is no number from 1 to {GREATEST_INTERVAL}"
    return _days_problem(text, parts)


def _days_problem(text: str, parts: dict[str, str]) -> str | None:
    endless = ";".join(f"{name}={value}" for name, value in parts.items() if name not in {"COUNT", "UNTIL"})
    try:
        rrulestr(_zoneless(text, UTC), dtstart=PROBED_FROM)
        if not any(rrulestr(f"{endless};UNTIL={PROBED_UNTIL}", dtstart=PROBED_FROM)):
            return "names no day at all; a rule such as FREQ=MONTHLY;BYMONTHDAY=1 does"
    except (ValueError, TypeError, OverflowError, IndexError, KeyError, AttributeError) as error:
        return f"is no RRULE ({error}); write one like FREQ=MONTHLY;BYMONTHDAY=1"
    return None


def days(recurrence: Recurrence, anchor: date, until: date, zone: dt.tzinfo = UTC) -> Iterator[date]:
    """The days from the anchor on, in order, up to a last one.

    Args:
        recurrence: what to expand.
        anchor: of `every` the first day; of a rule the day from which it counts (DTSTART).
        until: the last day that may come.
        zone: of the site, for an UNTIL that is told in UTC.
    """
    if isinstance(recurrence, Every):
        for times in itertools.count():
            try:
                day = recurrence.after(anchor, times)
            except OverflowError:
                return
            if day > until:
                return
            yield day
        return
    start = datetime.combine(anchor, time())
    for moment in rrulestr(_zoneless(recurrence.text, zone), dtstart=start):
        if moment.date() > until:
            return  # not by the rule's own UNTIL, which a COUNT forbids; `rule_problem` has seen that days come
        yield moment.date()


def on_grid(recurrence: Recurrence, anchor: date, day: date, zone: dt.tzinfo = UTC) -> bool:
    """Whether a day is one of those that a recurrence names from an anchor on."""
    return any(each == day for each in days(recurrence, anchor, day, zone))


def instant(day: date, clock: time, zone: dt.tzinfo) -> datetime:
    """The moment (UTC) of a local time.

    One that comes twice is the first, one that never comes has the offset from before the gap (RFC 5545, 3.3.5).
    """
    return datetime.combine(day, clock, tzinfo=zone).replace(fold=0).astimezone(UTC)


def end_of_day(day: date, zone: dt.tzinfo) -> datetime:
    """The moment (UTC) at which a local day is over: the midnight behind it."""
    return instant(day + timedelta(days=1), time(), zone)


def local_day(moment: datetime, zone: dt.tzinfo) -> date:
    """The day that it is somewhere at a moment."""
    return moment.astimezone(zone).date()


def _parts(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.upper().split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _zoneless(text: str, zone: dt.tzinfo) -> str:
    """The rule with an UNTIL of local time, as rules without a zone need it."""
    parts = _parts(text)
    until = parts.get("UNTIL", "")
    if until.endswith("Z"):
        moment = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(zone)
        parts["UNTIL"] = moment.strftime("%Y%m%dT%H%M%S")
    elif len(until) == len("20260301"):
        parts["UNTIL"] = f"{until}T000000"
    return ";".join(f"{name}={value}" for name, value in parts.items())
