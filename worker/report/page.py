"""A report as one HTML file: no script, nothing fetched, and every text from outside escaped."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from handlers.rules.reporting import CAUSE, Row
from handlers.store.read_report import Told
from worker.report import bars, strips, tables, telling, trend
from worker.report.making import Report
from worker.report.measures import CAUSE_MEANT, CAUSES_MEANT, KNOWN, measures
from worker.report.naming import asset_name
from worker.report.tables import Table

CARDS = (
    "availability",
    "availability_unplanned",
    "downtime_s",
    "failures_effective",
    "mtbf_s",
    "mttr_s",
)
"""The figures that come first."""
MOST_STRIPS, MOST_CAUSES, MOST_ACTORS = 40, 12, 15
"""So many an eye takes in; the tables have all."""
MOST_ROWS_FIRST = 25
"""A table of more rows stands behind the plots, or nobody would scroll that far."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A plot and the tables beside it.

    Attributes:
        id: unique on the page.
        title: its heading.
        about: what stands before the plot, a paragraph each.
        plot: the drawing; None where there is nothing to draw.
        tables: the same in numbers.
        legend: states of the plot, and what they mean.
        swatch: draws a state in a box of 24 by 16.
    """

    id: str
    title: str
    about: Sequence[str] = ()
    plot: Markup | None = None
    tables: Sequence[Table] = ()
    legend: Mapping[str, str] = {}
    swatch: Callable[[str], Markup] = strips.swatch


def page(report: Report) -> str:
    """The whole file."""
    by = report.wanted.by
    held = tables.by_rows(report.rows, by, telling.caption(report)) if report.rows else []
    names = dict.fromkeys([*report.total.values, *(name for row in report.causes for name in row.values)])
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        title=telling.title(report),
        about=telling.about(report),
        notices=telling.notices(report),
        by=by,
        cards=[(each, tables.cell(each, report.total.values)) for each in measures(CARDS)],
        changed=_changed(report),
        rows=held,
        rows_last=len(report.rows) > MOST_ROWS_FIRST,
        sections=[_strips(report), _causes(report), _trend(report), _actors(report)],
        meant=measures([name for name in names if _is_shown(name)]),
        footing=[CAUSE_MEANT, CAUSES_MEANT],
    )


def _is_shown(name: str) -> bool:
    """Whether a figure stands in a column of some table."""
    return name in tables.TREND or not (name in tables.IMPLIED or name.endswith(KNOWN))


def _changed(report: Report) -> Table | None:
    named = telling.changed(report)
    return tables.of_changes(named, report.wanted.by) if named else None


def _strips(report: Report) -> Section:
    shown = sorted(report.told, key=_most_down)[:MOST_STRIPS]
    about = (
        "Each line is one asset. A stop is drawn at least one step wide (1/720 of the period), however short it was."
    )
    left_out = f"The {len(shown)} of {len(report.told):,} assets that were down the most, those first."
    return Section(
        id="strip",
        title="Availability strips",
        about=[about] if len(shown) == len(report.told) else [about, left_out],
        plot=strips.strips(shown),
        legend=strips.STATES,
    )


def _causes(report: Report) -> Section:
    drawn = [row for row in report.causes if row.values["unplanned_downtime_s"]]
    about = [CAUSE_MEANT, "A bar is the unplanned down time of a cause, a dot what it and those above it come to."]
    if len(drawn) > MOST_CAUSES:
        about.append(f"The {MOST_CAUSES} greatest of {len(drawn)} are drawn.")
    is_told = report.wanted.by == CAUSE or not report.causes
    return Section(
        id="causes",
        title="Causes of down time",
        about=about if drawn else ["No unplanned down time in the period."],
        plot=bars.pareto(drawn, MOST_CAUSES) if drawn else None,
        tables=[] if is_told else tables.by_rows(report.causes, CAUSE, "Causes of down time"),
    )


def _trend(report: Report) -> Section:
    about = "Up time / effective failures of all assets together, part by part; n is the failures."
    return Section(
        id="mtbf",
        title="MTBF trend",
        about=[f"{about} {trend.ABOUT} An open triangle is the lower bound of a part without failures."],
        plot=trend.trend(report.trend) if report.trend else None,
        tables=[tables.of_trend(report.trend)],
    )


def _actors(report: Report) -> Section:
    shown = [each for each in sorted(report.told, key=_most_down) if each.sums.figures.downtime][:MOST_ACTORS]
    names = [asset_name(each.sums) for each in shown]
    rows: list[Row] = telling.asset_rows(shown)
    about = "The assets with most unplanned down time." if rows else "No asset was down in the period."
    return Section(
        id="actors",
        title="Bad actors",
        about=[about],
        plot=bars.actors(rows, names) if rows else None,
        tables=[tables.of_actors(rows, names)] if rows else [],
        legend={bars.UNPLANNED: "down, unplanned", bars.PLANNED: "down, planned"} if rows else {},
    )


def _most_down(told: Told) -> tuple[float, float, str, str]:
    figures = told.sums.figures
    return (
        -figures.unplanned_downtime.total_seconds(),
        -figures.planned_downtime.total_seconds(),
        told.sums.connection,
        told.sums.key,
    )
