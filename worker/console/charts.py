"""Small drawings of the pages, made here as SVG. Pure.

Colours are classes of the style sheet, for light and dark; every drawing says in words what it shows.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import Markup

from worker.report import svg
from worker.telemetry import printable

SPARK_WIDTH, SPARK_HEIGHT = 160, 36
_MARGIN: Final = 2.0
"""Of a sparkline, above and below: half of its line's width and a little."""
BAR_WIDTH, BAR_HEIGHT = 120, 8


def sparkline(values: Sequence[float | None], label: str, class_: str = "spark") -> Markup:
    """A line of equally distant values from 0 up; where one is None it has a gap.

    Args:
        values: the oldest first.
        label: what it shows, for those who cannot see it: name it with its newest and its greatest value.
        class_: of the drawing.
    """
    greatest = max((each for each in values if each is not None), default=0.0) or 1.0
    step = SPARK_WIDTH / max(len(values) - 1, 1)
    room = SPARK_HEIGHT - 2 * _MARGIN

    def point(place: int, value: float) -> str:
        return f"{place * step:.1f},{SPARK_HEIGHT - _MARGIN - room * max(value, 0.0) / greatest:.1f}"

    parts: list[Markup] = []
    for run in _runs(values):
        points = [point(place, value) for place, value in run]
        first, last = run[0][0] * step, run[-1][0] * step
        area = [f"{first:.1f},{SPARK_HEIGHT}", *points, f"{last:.1f},{SPARK_HEIGHT}"]
        parts.append(svg.element("polygon", points=" ".join(area), class_="spark-area"))
        parts.append(svg.element("polyline", points=" ".join(points), class_="spark-line"))
    return _drawn(SPARK_WIDTH, SPARK_HEIGHT, label, parts, class_)


def share_bar(share: float, label: str, class_: str = "") -> Markup:
    """A bar that is full by a share.

    Args:
        share: from 0 to 1; beyond is cut.
        label: what it shows, for those who cannot see it.
        class_: of the full part, such as `bad`.
    """
    full = BAR_WIDTH * min(max(share, 0.0), 1.0)
    parts = [
        svg.element("rect", x=0, y=0, width=BAR_WIDTH, height=BAR_HEIGHT, class_="bar-empty"),
        svg.element("rect", x=0, y=0, width=full, height=BAR_HEIGHT, class_=f"bar-full {class_}".rstrip()),
    ]
    return _drawn(BAR_WIDTH, BAR_HEIGHT, label, parts, "bar")


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Neighbours that are known, with their places."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate(values):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _drawn(width: float, height: float, label: str, parts: Sequence[Markup], class_: str) -> Markup:
    return svg.element(
        "svg",
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        preserveAspectRatio="none",
        role="img",
        aria_label=printable(label),
        class_=class_,
    )
