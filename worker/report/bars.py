"""The plots made of bars: causes by what they took, and the assets that were down the most."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from handlers.rules.reporting import CAUSE, Row, share_of
from worker.report import svg
from worker.report.measures import hours, percent
from worker.report.naming import row_name

WIDTH, NAMES = 1000, 200
_ROW, _AXIS, _BAR = 26, 26, 14
_NAME_CHARACTERS = 24
_PARETO_NOTE, _ACTOR_NOTE = 330, 230
"""Room for the numbers behind the longest bar."""
_QUARTERS = (0.25, 0.5, 0.75, 1.0)
UNPLANNED, PLANNED = "unplanned", "planned"


def pareto(every: Sequence[Row], most: int) -> Markup:
    """Causes by unplanned down time, the greatest first, and how far they make up the whole together.

    Args:
        every: all that took any, at least one.
        most: so many of them are drawn.
    """
    causes, together = every[:most], share_of(every, f"{UNPLANNED}_downtime_s")[:most]
    field = WIDTH - NAMES - _PARETO_NOTE
    bottom = _AXIS + _ROW * len(causes)
    parts = [*_shares(field, bottom)]
    middles = [_AXIS + _ROW * (number + 0.5) for number in range(len(causes))]
    for middle, row, held in zip(middles, causes, together, strict=True):
        share = row.values[f"{UNPLANNED}_downtime_share"] or 0
        note = f"{_hours(row, UNPLANNED)} = {percent(share)}; together {percent(held)}"
        parts += _bar(middle, row_name(row, CAUSE), [(UNPLANNED, field * share)], note, field)
    points = [(NAMES + field * held, middle) for middle, held in zip(middles, together, strict=True)]
    parts.append(svg.element("polyline", points=" ".join(f"{x:.2f},{y:.2f}" for x, y in points), class_="line"))
    parts += [svg.element("circle", cx=x, cy=y, r=3.5, class_="dot") for x, y in points]
    about = f"{len(causes)} causes: a bar is the unplanned down time of one, a dot how much it and those above took."
    return svg.drawing("pareto", WIDTH, bottom + 4, ("Pareto of causes", about), parts)


def actors(rows: Sequence[Row], names: Sequence[str]) -> Markup:
    """Assets by down time, in the order given; at least one.

    Args:
        rows: one an asset.
        names: theirs.
    """
    field = WIDTH - NAMES - _ACTOR_NOTE
    longest = max(float(row.values["downtime_s"] or 0) for row in rows) or 1.0
    parts: list[Markup] = []
    for number, (row, name) in enumerate(zip(rows, names, strict=True)):
        pieces = [
            (kind, field * float(row.values[f"{kind}_downtime_s"] or 0) / longest) for kind in (UNPLANNED, PLANNED)
        ]
        failures = row.values["failures_effective"]
        note = f"{_hours(row, UNPLANNED)}, {failures:,} failure{'' if failures == 1 else 's'}"
        parts += _bar(4 + _ROW * (number + 0.5), name, pieces, note, sum(length for _, length in pieces))
    about = f"{len(rows)} assets, the one with most unplanned down time first; a bar is its down time."
    return svg.drawing("actors", WIDTH, 8 + _ROW * len(rows), ("Bad actors", about), parts)


def _hours(row: Row, kind: str) -> str:
    return hours(row.values[f"{kind}_downtime_s"] or 0)


def _shares(field: float, bottom: float) -> Iterator[Markup]:
    """The quarters of the whole, above and behind the bars."""
    for share in _QUARTERS:
        x = NAMES + field * share
        yield svg.element("line", x1=x, x2=x, y1=_AXIS - 4, y2=bottom, class_="grid")
        yield svg.text(f"{share:.0%}", x, _AXIS - 9, "small", "middle")


def _bar(middle: float, name: str, pieces: Sequence[tuple[str, float]], note: str, note_at: float) -> Iterator[Markup]:
    """One line: a name, pieces end to end, and what they come to, `note_at` behind the names."""
    yield svg.element(
        "g",
        svg.title(name),
        svg.text(svg.fitted(name, _NAME_CHARACTERS), NAMES - 10, middle + 4, None, "end"),
    )
    x = float(NAMES)
    for kind, length in pieces:
        if length > 0:
            yield svg.element("rect", x=x, y=middle - _BAR / 2, width=length, height=_BAR, class_=kind)
        x += length
    yield svg.text(note, NAMES + note_at + 10, middle + 4, "number")
