"""The stops of one asset in a window: as a strip that is drawn, and as the rows of a table that say the same. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from markupsafe import Markup
from msgspec.structs import replace

from handlers.rules.downtime import Segment
from handlers.rules.printing import STATUS_KEY_PREFIX
from handlers.rules.today import spoken
from handlers.store.downtime import INTERVAL, STATUS, WORK_ORDER
from handlers.store.read_causes import stop_key
from handlers.store.read_report import Told
from worker.console import links
from worker.report import strips, svg

HEIGHT: Final = 64
_BASE: Final = 30.0
"""Where the strip's lower edge is; the axis is below it."""
HEIGHTS: Final = {strips.UP: 10, strips.UNKNOWN: 10, strips.NOT_REQUIRED: 2, strips.PLANNED: 18, strips.UNPLANNED: 28}
"""Told apart without colour, too."""
_LEAST: Final = 0.25
"""Per cent of the width that the shortest stop takes: one is seen in a year."""
_LABEL: Final = 21.0
"""Per cent of the width that a label of the axis takes, on a phone."""
_LAST_LABEL: Final = 82.0
"""Per cent from which on a label of the axis would run out of it."""
UNKNOWN_CLASS: Final = "not said whether planned"


class Stop(NamedTuple):
    """A stretch of down time with one owner.

    Attributes:
        since: its start.
        until: its end; None while it lasts.
        length: how long it is, so far.
        is_planned: None where nobody said, which counts as unplanned.
        is_failure: whether its owner is a failure.
        cause: as the most exact source gives it; None where nobody gave one.
        name: what told of it.
        href: the page of that; None where it has none.
    """

    since: datetime
    until: datetime | None
    length: timedelta
    is_planned: bool | None
    is_failure: bool
    cause: str | None
    name: str
    href: str | None

    @property
    def state(self) -> str:
        """How it is drawn."""
        return strips.PLANNED if self.is_planned else strips.UNPLANNED

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return UNKNOWN_CLASS if self.is_planned is None else "planned" if self.is_planned else "unplanned"

    @property
    def told(self) -> str:
        """All of it in a sentence."""
        end = "until now" if self.until is None else f"to {_minute(self.until)}"
        parts = [f"{self.kind}, {spoken(self.length)}, from {_minute(self.since)} {end}", self.cause, self.name]
        return "; ".join(each for each in parts if each)


def stops(told: Told) -> list[Stop]:
    """The stops of an asset, oldest first."""
    return [_stop(each, told) for each in told.segments]


def strip(told: Told, found: Sequence[Stop]) -> Markup:
    """When an asset was up, down and why, or nobody knows; as wide as its place, whatever that is.

    Args:
        told: the asset; its required time and how far facts reach are drawn below the stops.
        found: its stops.
    """
    sums = told.sums
    bare = strips.cells(replace(told, segments=()))
    parts = [block(state, 100 * first / len(bare), 100 * count / len(bare)) for state, first, count in svg.runs(bare)]
    length = (sums.until - sums.since).total_seconds()
    for each in sorted(found, key=lambda stop: stop.state == strips.UNPLANNED):  # unplanned ones over planned ones
        begin = 100 * (each.since - sums.since).total_seconds() / length
        drawn = block(each.state, begin, 100 * each.length.total_seconds() / length)
        about = svg.title(each.told)
        # The table has the same links; two hundred stops must not be two hundred steps of a keyboard.
        parts.append(
            svg.element("g", about, drawn)
            if each.href is None
            else svg.element("a", about, drawn, href=each.href, tabindex="-1")
        )
    label = f"Availability strip from {_minute(sums.since)} to {_minute(sums.until)}: {len(found)} stops, listed below"
    return svg.element(
        "svg", *parts, *_axis(told), role="group", aria_label=label, class_="asset-strip", height=HEIGHT, width="100%"
    )


def block(state: str, begin: float, width: float, *, base: float = _BASE, scale: float = 1.0) -> Markup:
    """A part of a strip.

    Args:
        state: one of `worker.report.strips`.
        begin: per cent of the strip's width.
        width: likewise; less than a stop that can be seen is drawn as one.
        base: where its lower edge is.
        scale: of its height.
    """
    height = scale * HEIGHTS[state]
    drawn = max(width, _LEAST)
    return svg.element(
        "rect",
        x=f"{min(begin, 100 - drawn):.3f}%",
        width=f"{drawn:.3f}%",
        y=base - height,
        height=height,
        class_=f"state-{state}",
    )


def _stop(segment: Segment, told: Told) -> Stop:
    connection, origin, key = stop_key(told.sums.connection, segment.ref)
    name, href = f"{origin} {key}", None
    if origin == WORK_ORDER:
        name, href = f"work order {key}", links.record("work_order", connection, key)
    elif origin == INTERVAL:
        name, href = f"down time {key}", links.record("downtime", connection, key)
    elif origin == STATUS:
        name = "status of the asset"
        if connection == told.sums.connection and not told.linked:
            href = links.record("downtime", connection, f"{STATUS_KEY_PREFIX}{told.sums.key}:{key}")
    return Stop(
        since=segment.started_at,
        until=None if segment.open else segment.ended_at,
        length=segment.ended_at - segment.started_at,
        is_planned=segment.planned,
        is_failure=segment.failure,
        cause=told.causes.get(segment.ref),
        name=name,
        href=href,
    )


def _axis(told: Told) -> Iterator[Markup]:
    """Where the parts of the window begin, a handful of them named."""
    sums = told.sums
    length = (sums.until - sums.since).total_seconds()
    parts = [part for part, _ in told.parts if part.since < part.until]
    free = 0.0
    yield svg.element("line", x1=0, x2="100%", y1=_BASE + 2, y2=_BASE + 2, class_="axis")
    for part in parts:
        place = max(0.0, 100 * (part.since - sums.since).total_seconds() / length)
        yield svg.element("line", x1=f"{place:.3f}%", x2=f"{place:.3f}%", y1=_BASE + 2, y2=_BASE + 8, class_="axis")
        if free <= place <= _LAST_LABEL:
            free = place + _LABEL
            yield svg.element("text", part.label, x=f"{place:.3f}%", y=_BASE + 24, class_="axis-label")


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
