"""The availability strip: when each asset was up, down and why, or nobody knows; one line an asset."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from handlers.store.read_report import Told
from worker.report import svg
from worker.report.measures import NOTHING, percent
from worker.report.naming import asset_name

NOT_REQUIRED, UP, UNKNOWN, PLANNED, UNPLANNED = "not-required", "up", "unknown", "planned", "unplanned"
STATES = {
    UP: "up",
    PLANNED: "down, planned",
    UNPLANNED: "down, unplanned",
    UNKNOWN: "unknown: before the first known fact or after the last",
    NOT_REQUIRED: "not required, or not over yet",
}
"""What a cell may be, in the order of the legend."""
CELLS = 720
"""Of a strip: a day of a year is two, and a stop is drawn at least one wide, however short."""
WIDTH, NAMES, AXIS = 1000, 200, 22
_RIGHT = 80
_ROW = 22
_HEIGHTS = {UP: 6, UNKNOWN: 6, PLANNED: 11, UNPLANNED: 16, NOT_REQUIRED: 1}
"""Of a state, so that it is told apart without colour too."""
_NAME_CHARACTERS = 24


def cells(told: Told, count: int = CELLS) -> list[str]:
    """An asset's period as so many cells of equal length, each the most striking state that touches it.

    Unplanned stops come before planned ones, those before what is unknown, and that before up; what was not required
    is only where nothing else is.
    """
    sums = told.sums
    length = (sums.until - sums.since) / count
    found = [NOT_REQUIRED] * count
    since, until = told.required
    _paint(found, sums.since, length, (since, until), UP)
    known_from, known_to = sums.observed_from or until, sums.data_as_of or since
    _paint(found, sums.since, length, (since, min(until, known_from)), UNKNOWN)
    _paint(found, sums.since, length, (max(since, known_to), until), UNKNOWN)
    for state, planned in ((PLANNED, True), (UNPLANNED, False)):
        for each in told.segments:
            if bool(each.planned) == planned:
                _paint(found, sums.since, length, (each.started_at, each.ended_at), state)
    return found


def strips(assets: Sequence[Told]) -> Markup:
    """The strips of assets, in the order given; at least one."""
    bottom = AXIS + _ROW * len(assets)
    parts = [*_axis(assets[0], bottom)]
    for number, told in enumerate(assets):
        parts.append(_strip(told, AXIS + _ROW * number))
    about = (
        f"One line for each of {len(assets)} assets from the start of the period at the left to its end at the right."
    )
    return svg.drawing("strips", WIDTH, bottom + 4, ("Availability strips", about), parts)


def _paint(
    found: list[str], start: datetime, length: timedelta, stretch: tuple[datetime, datetime], state: str
) -> None:
    """Every cell that a stretch touches."""
    since, until = stretch
    if since < until:
        first, last = max((since - start) // length, 0), min(-((start - until) // length), len(found))
        found[first:last] = [state] * (last - first)


def _place(told: Told, moment: datetime) -> float:
    """Where a moment is between the left and the right end."""
    sums = told.sums
    return NAMES + (WIDTH - NAMES - _RIGHT) * ((moment - sums.since) / (sums.until - sums.since))


def _axis(told: Told, bottom: float) -> Iterator[Markup]:
    """The parts of the period, as the first asset's zone has them."""
    parts = [part for part, _ in told.parts if part.since < part.until]
    ends = [_place(told, part.since) for part in parts]
    for x in ends:
        yield svg.element("line", x1=x, x2=x, y1=AXIS - 6, y2=bottom, class_="grid")
    for number, x in svg.roomy(ends, [part.label for part in parts], WIDTH - _RIGHT):
        yield svg.text(parts[number].label, x + 2, AXIS - 10, "small")
    yield svg.text("up / required", WIDTH, AXIS - 10, "small", "end")


def _strip(told: Told, top: float) -> Markup:
    name = asset_name(told.sums)
    ratio = told.sums.figures.availability
    scale = (WIDTH - NAMES - _RIGHT) / CELLS
    middle = top + _ROW / 2
    shapes = [
        svg.element(
            "rect",
            x=NAMES + first * scale,
            y=middle - _HEIGHTS[state] / 2,
            width=length * scale,
            height=_HEIGHTS[state],
            class_=state,
        )
        for state, first, length in svg.runs(cells(told))
    ]
    return svg.element(
        "g",
        svg.title(name),
        svg.text(svg.fitted(name, _NAME_CHARACTERS), NAMES - 10, middle + 4, None, "end"),
        *shapes,
        svg.text(NOTHING if ratio is None else percent(ratio), WIDTH, middle + 4, "number", "end"),
    )


def swatch(state: str) -> Markup:
    """A state as the legend shows it."""
    height = _HEIGHTS[state]
    return svg.element("rect", x=0, y=8 - height / 2, width=24, height=height, class_=state)
