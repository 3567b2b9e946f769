"""Templates: one environment for every page, in which nothing from outside is markup or hidden.

Whatever stands in `{{ }}` is escaped, and control characters and what turns the direction of text are spelt out, as
`worker.logs.printable` does it for terminals. Only `exact` leaves a text as it is, for what is sent back as it was.
"""

import functools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from handlers.rules.times import parse_instant
from handlers.store import letter
from worker.console import charts, links
from worker.console.navigation import NAVIGATION
from worker.console.statics import Statics
from worker.telemetry import printable, version

FOLDER: Final = Path(__file__).parent / "templates"
NOTHING: Final = "\N{EM DASH}"
"""What stands where nothing is known."""
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS: Final = ((_DAY, "d", _HOUR, "h", 10), (_HOUR, "h", _MINUTE, "min", 24), (_MINUTE, "min", 1, "s", 10))
"""A unit of time in seconds and its name, those of its parts, and from how many on parts are not told."""
_SPELT: Final = {"pm": "PM", "json": "JSON", "uom": "unit", "qty": "quantity"}
"""Words that are written otherwise than in a slug."""
_UUID: Final = re.compile(r"([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}([0-9a-f]{8})")
_JUST_NOW_SECONDS: Final = 1


@functools.cache
def statics() -> Statics:
    """The style sheets and scripts that templates name."""
    return Statics()


@functools.cache
def environment() -> Environment:
    """What makes pages of templates; changed files are seen by a new process."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        when=when,
        ago=ago,
        seconds=seconds,
        number=number,
        exact=exact,
        words=words,
        heading=heading,
        json=laid_out,
        short=short,
        brief=brief,
        made=letter.made,
    )
    made.globals.update(
        static=statics().url,
        to=links.to,
        link=links,
        sparkline=charts.sparkline,
        share_bar=charts.share_bar,
        navigation=NAVIGATION,
        with_query=lambda ask, changes: links.changed(ask.address, ask.query, changes),
        version=version(),
        NOTHING=NOTHING,
    )
    return made


def visible(value: object) -> object:
    """A value as it may stand on a page."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


def exact(text: str) -> Markup:
    """Text as it is, escaped: for form fields, whose content comes back."""
    return escape(text)


def when(value: datetime | str | None) -> Markup | str:
    """A moment in UTC, to the second; an em dash for none."""
    if value is None:
        return NOTHING
    moment = parse_instant(value) if isinstance(value, str) else value
    if moment is None:
        return NOTHING
    stamp = moment.astimezone(UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    return Markup('<time datetime="{}Z">{}</time>').format(stamp.replace(" ", "T"), stamp)


def ago(value: datetime | str | None, now: datetime) -> str:
    """How long ago a moment was, or how far ahead it is, to the second or minute."""
    moment = parse_instant(value) if isinstance(value, str) else value
    if moment is None:
        return NOTHING
    age = (now - moment).total_seconds()
    if abs(age) < _JUST_NOW_SECONDS:
        return "just now"
    unit = 1 if abs(age) < _MINUTE else _MINUTE
    told = seconds(abs(age) // unit * unit)
    return f"{told} ago" if age > 0 else f"in {told}"


def seconds(value: float | timedelta | None) -> str:
    """A duration for people, in one or two units; an em dash for none."""
    if value is None:
        return NOTHING
    total = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if total < 0:
        return f"-{seconds(-total)}"
    for unit, name, part, part_name, whole_from in _UNITS:
        if total >= unit:
            whole, rest = divmod(total, unit)
            more = "" if rest < part or whole >= whole_from else f" {rest // part:.0f} {part_name}"
            return f"{whole:,.0f} {name}{more}"
    if 0 < total < 1:
        return f"{total * 1000:.0f} ms"
    return f"{total:.0f} s" if total >= 10 or total == int(total) else f"{total:.1f} s"  # noqa: PLR2004  # digits shown


def number(value: float | None, places: int = 0) -> str:
    """A number with thousands apart; an em dash for none."""
    return NOTHING if value is None else f"{value:,.{places}f}"


def words(slug: str | None) -> str:
    """A slug as words: `missing_field` is `missing field`."""
    told = "" if slug is None else slug.replace("_", " ").replace(".", " ")
    return " ".join(_SPELT.get(each, each) for each in told.split(" "))


def heading(slug: str) -> str:
    """The name of a field as a heading: `asset_ref` is `Asset`."""
    told = words(slug.removesuffix("_refs") + "s" if slug.endswith("_refs") else slug.removesuffix("_ref"))
    return told[:1].upper() + told[1:]


def short(text: str, most: int = 60) -> str:
    """Text, cut to so many characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def brief(id_: str) -> str:
    """An id of ours without the middle of its UUID, which tells nothing; any other as it is, cut."""
    match = _UUID.match(id_)
    return short(id_, 40) if match is None else f"{match[1]}\N{HORIZONTAL ELLIPSIS}{match[2]}{id_[match.end() :]}"


def laid_out(value: object) -> str:
    """A value as JSON for people; its characters are made visible like any other text."""
    return orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
