"""The MTBF trend: all assets together, part by part of the period, with how sure one can be of it."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from handlers.rules.confidence import TWO_SIDED, mtbf_bounds
from handlers.rules.figures import SECOND, Figures
from worker.report import svg
from worker.report.measures import HOUR_S

WIDTH, LEFT = 1000, 84
_TOP, _BOTTOM, _FOOT = 12, 252, 44
_HEADROOM = 1.3
"""Of the axis above the greatest MTBF: bounds far above run out of the field, as those of a single failure do."""
ABOUT = (
    f"Bars reach from the lower to the upper {TWO_SIDED:.0%} confidence bound (chi-square, NIST e-Handbook 8.4.5.1)."
)


def trend(parts: Sequence[tuple[str, Figures]]) -> Markup:
    """MTBF in each part; at least one part.

    A part without failures has none: a triangle stands at its lower bound, and the line is broken.
    """
    known = [(figures.mtbf_s, figures.mtbf_lower_bound_s) for _, figures in parts]
    greatest = max((each for pair in known for each in pair if each is not None), default=0.0)
    marks = svg.ticks(_HEADROOM * greatest / HOUR_S)
    step = (WIDTH - LEFT) / len(parts)
    centres = [LEFT + step * (number + 0.5) for number in range(len(parts))]
    drawn = [*_grid(marks), *_labels(parts, centres), *_lines([mtbf for mtbf, _ in known], centres, marks[-1])]
    for (label, figures), x in zip(parts, centres, strict=True):
        drawn += _mark(label, figures, x, marks[-1])
    about = (
        f"MTBF of all assets together in each of {len(parts)} parts of the period, hours; n is the failures. {ABOUT}"
    )
    return svg.drawing("trend", WIDTH, _BOTTOM + _FOOT, ("MTBF trend", about), drawn)


def _height(seconds: float, top_h: float) -> float:
    """Where a time is on the axis, which ends at `top_h` hours."""
    return _BOTTOM - (_BOTTOM - _TOP) * min(seconds / HOUR_S / top_h, 1.0)


def _grid(marks: Sequence[float]) -> Iterator[Markup]:
    for mark in marks:
        y = _height(mark * HOUR_S, marks[-1])
        yield svg.element("line", x1=LEFT, x2=WIDTH, y1=y, y2=y, class_="grid")
        yield svg.text(f"{mark:,.10g} h", LEFT - 8, y + 4, "small", "end")


def _labels(parts: Sequence[tuple[str, Figures]], centres: Sequence[float]) -> Iterator[Markup]:
    """Below each part its label and its failures; of more parts than fit below only some have them."""
    words = [label for label, _ in parts]
    for number, x in svg.roomy(centres, words, float("inf")):
        yield svg.text(words[number], x, _BOTTOM + 18, "small", "middle")
        yield svg.text(f"n = {parts[number][1].failures_effective:,}", x, _BOTTOM + 34, "small", "middle")


def _lines(known: Sequence[float | None], centres: Sequence[float], top_h: float) -> Iterator[Markup]:
    """A line through neighbours that both have an MTBF."""
    for is_known, first, count in svg.runs(["" if each is None else "known" for each in known]):
        if is_known and count > 1:
            points = zip(centres[first : first + count], known[first : first + count], strict=True)
            told = " ".join(f"{x:.2f},{_height(each or 0, top_h):.2f}" for x, each in points)
            yield svg.element("polyline", points=told, class_="line")


def _mark(label: str, figures: Figures, x: float, top_h: float) -> Iterator[Markup]:
    mtbf, bound = figures.mtbf_s, figures.mtbf_lower_bound_s
    if mtbf is not None:
        bounds = mtbf_bounds(figures.uptime / SECOND, figures.failures_effective)
        low, high = (mtbf if each is None else each for each in (bounds.lower_s, bounds.upper_s))
        yield svg.element(
            "line", x1=x, x2=x, y1=_height(low, top_h), y2=_height(high, top_h), class_="bounds", stroke_width=5
        )
        told = f"{label}: MTBF {mtbf / HOUR_S:,.2f} h, between {low / HOUR_S:,.2f} and {high / HOUR_S:,.2f} h"
        yield svg.element("circle", svg.title(told), cx=x, cy=_height(mtbf, top_h), r=4, class_="dot")
    elif bound is not None:
        y = _height(bound, top_h)
        told = f"{label}: no failure, MTBF above {bound / HOUR_S:,.2f} h"
        yield svg.element("path", svg.title(told), d=f"M{x - 5:.2f} {y:.2f}h10l-5 -9z", class_="open")
