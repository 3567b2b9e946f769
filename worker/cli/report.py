"""`report`: what a period came to, for people: as a page with plots, as CSV, as JSON, or here in the terminal."""

import os
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from handlers.errors import ConfigurationError
from handlers.rules.reporting import ASSET, CAUSE, GROUPINGS
from handlers.store.reading import Held
from worker.cli import given, looking, output, report_closing
from worker.cli import report_given as asked
from worker.cli.roles import Home
from worker.report import lines, telling
from worker.report.making import Report, make, read
from worker.report.measures import CAUSE_MEANT, CAUSES_MEANT, difference, measures
from worker.report.naming import row_name
from worker.report.page import page
from worker.report.tables import LEAD, cell

By = Annotated[str, typer.Option(metavar="|".join(GROUPINGS), help="What a row is about.")]
STANDARD_OUTPUT = Path("-")


class _Printing(typer.core.TyperGroup):
    """`--html` needs no path: without one it prints, as `--csv` and `--json` do, which typer cannot declare."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = []
        for place, word in enumerate(args):
            words.append(word)
            if word == "--html" and (place + 1 == len(args) or args[place + 1].startswith("--")):
                words.append(str(STANDARD_OUTPUT))
        return super().parse_args(ctx, words)


commands = typer.Typer(cls=_Printing, help="What a period came to, for people.", rich_markup_mode="markdown")
report_closing.register(commands)


@commands.callback(invoke_without_command=True)
def report(
    context: typer.Context,
    *,
    period: asked.Of = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="T", help="Or any stretch: from a date or time")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="T", help="to another, itself excluded.")] = None,
    by: By = ASSET,
    time_zone: asked.Zone = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="T", help="Cut everything there; now otherwise. All known facts count.")
    ] = None,
    connection: looking.Of = None,
    html: Annotated[
        Path | None, typer.Option(metavar="[PATH]", help="A page with plots, written there; else printed.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV, times in seconds.")] = False,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print or draw what a period came to, by asset, site, class, customer or cause of down time.

    Days begin where each site is: `site_zones` of its connection, then its `time_zone`, then UTC. Overlapping down time
    counts once, sums are pooled before ratios. A sandbox connection counts only when it is named.

    `report close` keeps what was published; from then on a report of that period says what later facts restated.

    Example: `maintenworks report --period 2026-10 --by site`

    Example: `maintenworks report --period 2026-Q4 --by cause --html q4.html`

    Example: `maintenworks report --from 2026-10-01 --to 2026-10-15 --time-zone Europe/Berlin --csv`
    """
    if context.invoked_subcommand is not None:
        return
    if by not in GROUPINGS:
        raise ConfigurationError([f"--by: one of {', '.join(GROUPINGS)}; not {by!r}"])
    if sum((html is not None, as_csv, as_json)) > 1:
        raise ConfigurationError(["give one of --html, --csv and --json"])
    cut = datetime.now(UTC) if as_of is None else looking.moment(as_of, "--as-of")
    answer = (asked.period(period, since, until), by, cut, asked.zone(time_zone))
    with ExitStack() as stack:
        settings, database = stack.enter_context(looking.opened(home))
        wanted, left_out = asked.wanted(database, given.registry(settings).all(), connection, answer)
        advance = stack.enter_context(output.progress("reading", None))
        held = Held(stack.enter_context(database.read()))
        told = list(read(held, wanted, advance))
        made = make(held, wanted, told) if told else None
    if made is None:
        hint = f"; sandbox connections count only when named: --connection {left_out[0]}" if left_out else ""
        looking.nothing(f"no asset of {connection or 'any connection'}{hint}")
    if html is not None:
        _write(html, page(made))
    elif as_csv and made.rows:
        looking.each(lines.csv_lines(made), output.line)
    elif as_json:
        looking.json_lines(lines.json_rows(made))
    else:
        _print(made)
    if not made.rows and html is None:
        looking.nothing(f"no down time in {made.wanted.period.label}, so there is no cause of it")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(commands, name="report", rich_help_panel="Looking")


def _print(made: Report) -> None:
    """The rows as a table, and what is to be known of them beside it."""
    names = [name for name in LEAD if made.rows and name in made.rows[0].values]
    columns = measures(names)
    closed = bool(made.restated.rows)
    heads = [made.wanted.by, *(each.title for each in columns), *(["restated"] if closed else [])]
    rows = []
    for row in made.rows:
        cells = [cell(each, row.values) for each in columns]
        marks = [_restated(made, row.group)] if closed else []
        rows.append((row_name(row, made.wanted.by), *(_both(each.text, each.note) for each in cells), *marks))
    looking.rows(heads, rows, right=heads[1:])
    for line in (*telling.about(made), *telling.notices(made)):
        output.note(line)
    for each in columns:
        output.note(f"{each.title}: {each.variant}")
    if made.wanted.by == CAUSE:
        output.note(CAUSE_MEANT)
        output.note(CAUSES_MEANT)


def _both(text: str, note: str) -> str:
    return f"{text} ({note})" if note else text


def _restated(made: Report, group: tuple[str | None, str | None]) -> str:
    changed = made.restated.rows.get(group)
    if changed is None:
        return "not closed"
    if not changed:
        return "no"
    if all(each.was is None for each in changed.values()):
        return "was not there"
    down = changed.get("downtime_s")
    (measure,) = measures(["downtime_s"])
    told = "" if down is None else f"{measure.title} {difference(measure, down.difference)}; "
    return f"{told}{len(changed)} figure{'' if len(changed) == 1 else 's'}"


def _write(path: Path, text: str) -> None:
    """Writes a page whole or not at all: who opens it meanwhile sees the one before."""
    if path == STANDARD_OUTPUT:
        looking.exact(text.encode())
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    output.note(f"wrote {path}")
