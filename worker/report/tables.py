"""The tables of a report as a page shows them: text in every cell, and beside a missing figure why it is missing."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from handlers.rules.figures import Figures
from handlers.rules.reporting import Change, Row, Values
from worker.report.measures import KNOWN, NOTHING, Measure, difference, measures, reason, shown
from worker.report.naming import row_name

LEAD = (
    "availability",
    "availability_unplanned",
    "required_s",
    "downtime_s",
    "planned_downtime_s",
    "unplanned_downtime_s",
    "failures_effective",
    "failures_reported",
    "open_downtimes",
    "mtbf_s",
    "mttr_s",
    "downtime_share",
    "unplanned_downtime_share",
)
"""The figures of the first table, in its order, as far as a row has them; a second table has the rest."""
IMPLIED = frozenset({"uptime_s", "mtbf_lower_bound_s", "mttr_restore_s", "confidence"})
"""Figures that stand in no column: one is a difference of two, one stands where MTBF cannot, one is MTTR, and what
bounds are meant is told of them once."""
AT_ONCE = 8
"""Columns of a further table: more would not fit on paper."""
TREND = ("uptime_s", "failures_effective", "mtbf_s", "mttr_s", "availability")
ACTORS = ("unplanned_downtime_s", "planned_downtime_s", "failures_effective", "availability", "mtbf_s", "mttr_s")


class Cell(msgspec.Struct, frozen=True):
    """What stands in a cell, and beneath it in small letters."""

    text: str
    note: str = ""


class Line(msgspec.Struct, frozen=True):
    """A line: what it is about, and its cells."""

    name: str
    cells: Sequence[Cell]


class Table(msgspec.Struct, frozen=True):
    """A table.

    Attributes:
        caption: what it shows.
        about: heading of the first column.
        columns: of the others; the name is where its meaning is told on the page.
        lines: its lines.
    """

    caption: str
    about: str
    columns: Sequence[Measure]
    lines: Sequence[Line]


def by_rows(rows: Sequence[Row], by: str, caption: str, name: Callable[[Row], str] | None = None) -> list[Table]:
    """The rows of a report: the figures that lead, and, where there are more, the others.

    Args:
        rows: at least one.
        by: what they are about.
        caption: of the first table.
        name: what a row is called; by its group otherwise.
    """
    names = list(rows[0].values)
    lead = [each for each in LEAD if each in names]
    more = [each for each in names if each not in LEAD and each not in IMPLIED and not each.endswith(KNOWN)]
    pieces = [more[start : start + AT_ONCE] for start in range(0, len(more), AT_ONCE)]
    tables = [(caption, lead), *((f"{caption}: more figures", piece) for piece in pieces)]
    told = [(row_name(row, by) if name is None else name(row), row.values) for row in rows]
    return [_table(text, by, columns, told) for text, columns in tables if columns]


def of_actors(rows: Sequence[Row], names: Sequence[str]) -> Table:
    """The assets that were down the most."""
    return _table("Bad actors", "asset", ACTORS, [(name, row.values) for name, row in zip(names, rows, strict=True)])


def of_trend(parts: Sequence[tuple[str, Figures]]) -> Table:
    """The parts of a period."""
    return _table("MTBF by part of the period", "part", TREND, [(label, figures.row()) for label, figures in parts])


def of_changes(named: Sequence[tuple[str, Mapping[str, Change]]], about: str) -> Table:
    """What is not as it was published: a line a figure, those of the first table where any of them differs."""
    columns = [Measure(name, title, "", "") for name, title in _CHANGED]
    lines = [
        Line(f"{name}: {measure.title}", _changed(measure, changed[measure.name]))
        for name, changed in named
        for measure in measures([each for each in LEAD if each in changed] or list(changed))
    ]
    return Table("Restated figures", about, columns, lines)


def _changed(measure: Measure, change: Change) -> list[Cell]:
    told = (shown(measure, change.was), shown(measure, change.now), difference(measure, change.difference))
    return [Cell(each) for each in told]


def cell(measure: Measure, values: Values) -> Cell:
    """A figure of a row; a missing one with its reason."""
    value = values.get(measure.name)
    if value is None:
        return Cell(NOTHING, reason(measure.name, values))
    known, failures = values.get(f"{measure.name.removesuffix('_s')}{KNOWN}"), values.get("failures_effective")
    return Cell(shown(measure, value), "" if known is None else f"of {known:,} of {failures or 0:,} failures")


_CHANGED = (("was", "As published"), ("now", "As known now"), ("difference", "Difference"))


def _table(caption: str, about: str, names: Sequence[str], told: Sequence[tuple[str, Values]]) -> Table:
    columns = measures(names)
    lines = [Line(name, [cell(each, values) for each in columns]) for name, values in told]
    return Table(caption, about, columns, lines)
