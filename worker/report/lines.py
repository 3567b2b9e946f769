"""A report as lines for machines: JSON under the contract's names, and CSV that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterator, Sequence

from handlers.rules.reporting import ASSET, CAUSE, CLASS, CUSTOMER, SITE, Row
from handlers.rules.times import kept_instant
from worker.report.making import Report
from worker.report.measures import reason
from worker.report.naming import clean

NAMED = {ASSET: "asset_key", SITE: "site", CLASS: "class", CUSTOMER: "customer", CAUSE: "cause"}
"""What a row is about, by what was asked by."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a spreadsheet may take for the beginning of a formula (OWASP, "CSV Injection", read 2026-11-24), and the mark
that keeps it from doing so, or that mark would be lost."""

Line = dict[str, object]


def json_rows(report: Report) -> Iterator[Line]:
    """A row after the other; what was published of it stands where it is closed, as far as it differs."""
    for row in report.rows:
        closed_at = report.restated.closed_at(row)
        changed = report.restated.rows.get(row.group, {})
        yield {
            **_head(report, row),
            **row.values,
            "closed_at": None if closed_at is None else kept_instant(closed_at),
            "restated": None if closed_at is None else bool(changed),
            "published": {name: change.was for name, change in changed.items()},
            "difference": {name: change.difference for name, change in changed.items()},
        }


def csv_lines(report: Report) -> Iterator[str]:
    """Headings and rows, without line ends; a figure that cannot be is an empty cell, and `notes` says why."""
    names = list(report.rows[0].values)
    yield _line(
        [*_head(report, report.rows[0]), *names, "closed_at", "restated", *(f"{n}_published" for n in names), "notes"]
    )
    for row, told in zip(report.rows, json_rows(report), strict=True):
        published = told["published"]
        assert isinstance(published, dict), "made above"
        was = [published.get(name, row.values[name] if told["restated"] is not None else None) for name in names]
        notes = "; ".join(f"{name}: {reason(name, row.values)}" for name in names if row.values[name] is None)
        cells = [told[name] for name in told if name not in {"published", "difference"}]
        yield _line([*cells, *was, notes])


def _head(report: Report, row: Row) -> Line:
    """What a row is about, and how far the facts behind it reach."""
    connection, name = row.group
    return {
        NAMED[report.wanted.by]: name,
        "label": row.label,
        "connection": connection or (min(row.connections) if len(row.connections) == 1 else None),
        "period": report.wanted.period.label,
        "from": kept_instant(row.since),
        "to": kept_instant(row.until),
        "time_zone": row.zones[0] if len(row.zones) == 1 else None,
        "as_of": kept_instant(report.wanted.as_of),
        "observed_from": None if row.observed_from is None else kept_instant(row.observed_from),
        "data_as_of": None if row.data_as_of is None else kept_instant(row.data_as_of),
        "assets": row.assets,
    }


def _line(cells: Sequence[object]) -> str:
    held = io.StringIO()
    csv.writer(held, lineterminator="").writerow([_cell(each) for each in cells])
    return held.getvalue()


def _cell(value: object) -> object:
    """Text as one line, and never a formula; numbers are ours, and their sign is none of its marks."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if text.startswith(FORMULA) else text
