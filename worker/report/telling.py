"""What a report says of itself in words: of what time and assets, how far facts reach, what of it was published."""

from collections.abc import Mapping, Sequence

from handlers.rules.reporting import ASSET, Change, Row, grouped
from handlers.rules.times import kept_instant
from handlers.store.read_report import Told
from worker.report.making import Report
from worker.report.measures import hours
from worker.report.naming import clean, row_name

_MOST_NAMED = 8
"""Names in a sentence; of more their number must do."""


def title(report: Report) -> str:
    """Its heading."""
    return f"Availability report {report.wanted.period.label} by {report.wanted.by}"


def caption(report: Report) -> str:
    """Of the table of its rows."""
    return f"{report.wanted.period.label} by {report.wanted.by}"


def about(report: Report) -> list[str]:
    """What it is made of, a sentence each."""
    total, wanted = report.total, report.wanted
    as_of = wanted.as_of.replace(microsecond=0)
    known = (total.observed_from, total.data_as_of)
    reach = [("nothing yet" if each is None else kept_instant(each)) for each in known]
    return [
        *(_window(report, zone) for zone in total.zones),
        f"{total.assets:,} assets of {listed(sorted(wanted.connections))}, as of {kept_instant(as_of)}.",
        f"First known fact {reach[0]}, newest {reach[1]}. Neither clips a figure; silence is drawn as unknown.",
    ]


def notices(report: Report) -> list[str]:
    """Whether its period is closed, and whether what was published stands."""
    restated = report.restated
    closed = [each.connection for each in restated.closings]
    found = list(restated.problems)
    if closed:
        last = max(restated.closings, key=lambda each: each.computed_at)
        who = f"closed for {listed(closed)}, last at {kept_instant(last.computed_at)} by {clean(last.who)}"
        found.append(f"{report.wanted.period.label} is {who}: {clean(last.reason)}")
        told, gone = sum(1 for each in restated.rows.values() if each), len(restated.gone)
        found.append(
            f"Restated: {told:,} of {len(report.rows):,} rows are not as published, and {gone:,} are gone."
            if told or gone
            else "What was published stands."
        )
    return found


def changed(report: Report) -> list[tuple[str, Mapping[str, Change]]]:
    """Each row that is not as published, by name, all assets together first."""
    restated, by = report.restated, report.wanted.by
    together = [("all together", restated.total)] if restated.total else []
    rows = [(row_name(row, by), restated.rows[row.group]) for row in report.rows if restated.rows.get(row.group)]
    gone = [
        (f"{row_name(row, by)} (no longer there)", {name: Change(was, None) for name, was in row.values.items()})
        for row in restated.gone
    ]
    return [*together, *rows, *gone]


def asset_rows(told: Sequence[Told]) -> list[Row]:
    """A row an asset."""
    return grouped([each.sums for each in told], ASSET)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    if len(names) > _MOST_NAMED:
        return f"{len(names)} connections"
    return ", ".join(map(clean, names))


def _window(report: Report, zone: str) -> str:
    since, until = next((each.sums.since, each.sums.until) for each in report.told if each.sums.zone == zone)
    length = hours((until - since).total_seconds())
    return f"From {kept_instant(since)} to {kept_instant(until)}: {length}, days of {zone}."
