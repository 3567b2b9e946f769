"""`audit`: what operators did, and whether anybody has tampered with the record of it."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from handlers.store import audit as log
from handlers.store.engine import Database
from worker import audit
from worker.cli import looking, output
from worker.cli.roles import Home
from worker.shapes.acts import told

COLUMNS = ("no", "at", "who", "act", "reason", "plan", "outcome")

File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="An exported log; the database's own otherwise.")]

commands = typer.Typer(help="What operators did: who, when, what and why.", no_args_is_help=True)


@commands.command("list")
def list_(
    *,
    who: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Only what this operator did.")] = None,
    act: Annotated[str | None, typer.Option(help="Only acts of this name, such as dead_letters.replay.")] = None,
    since: Annotated[str | None, typer.Option(metavar="T", help="From a date or a time on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="T", help="Before.")] = None,
    limit: looking.Limit = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print the acts of operators, oldest first.

    Example: `maintenworks audit list --act dead_letters.discard --since 2026-03-01`
    """
    start, end = looking.bounds(since, until, ("--since", "--until"))
    with looking.opened(home) as (_, database):
        found = itertools.islice(log.entries(database, log.Wanted(who, act, start, end)), limit)
        count = looking.json_lines(map(told, found)) if as_json else looking.rows(COLUMNS, map(_line, found))
    if count == 0:
        looking.nothing("no such act")


@commands.command()
def export(home: Home = None) -> None:
    """Write the whole log as JSON lines, which `audit verify FILE` checks without the database.

    Example: `maintenworks audit export > audit.jsonl`
    """
    with looking.opened(home) as (_, database):
        verdict = audit.verify(_printed(database), log.head(database))
    output.note(f"{verdict.entries} rows; keep the head elsewhere, `audit verify FILE --head` asks for it:")
    output.note(_text(verdict.head))
    if verdict.findings:
        output.note("maintenworks: the log has been tampered with; see `maintenworks audit verify`")
        raise typer.Exit(output.FAILURE)


@commands.command()
def verify(
    file: File = None,
    *,
    head: Annotated[
        list[str] | None, typer.Option(metavar="N:HASH", help="A head noted earlier, which must still be there.")
    ] = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Check the hash chain: any row changed, removed, added or moved since it was written is found.

    A log that was cut off together with its noted head is whole in itself: keep the head that this prints somewhere
    else, and give it the next time.

    Example: `maintenworks audit verify audit.jsonl --head "$(cat noted-head)"`
    """
    known = [audit.read_head(text) for text in head or ()]
    if file is not None:
        with file.open("rb") as lines:
            verdict = audit.verify(audit.exported(lines), *known)
    else:
        with looking.opened(home) as (_, database):
            noted = log.head(database)
            verdict = audit.verify(log.entries(database), noted, *known)
    if as_json:
        output.json_line(
            {
                "entries": verdict.entries,
                "head": _text(verdict.head),
                "ok": not verdict.findings,
                "findings": [finding._asdict() for finding in verdict.findings],
            }
        )
    else:
        for finding in verdict.findings:
            output.line(f"row {finding.sequence}: {finding.problem}")
        state = "the chain is broken" if verdict.findings else "the chain is whole"
        output.line(f"{state}: {verdict.entries} rows, head {_text(verdict.head)}")
    if verdict.findings:
        raise typer.Exit(output.FAILURE)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(commands, name="audit", rich_help_panel="Looking")


def _printed(database: Database) -> Iterator[log.Entry]:
    for entry in log.entries(database):
        output.json_line(told(entry))
        yield entry


def _line(entry: log.Entry) -> tuple[object, ...]:
    told = (_told(entry.plan), _told(entry.outcome))
    return (entry.sequence, entry.at, entry.who, entry.act, entry.reason, *told)


def _told(document: dict[str, Any]) -> str:
    """A document in a cell: lists are left to `--json`."""
    members = [(name, _told(value) if isinstance(value, dict) else value) for name, value in document.items()]
    return ", ".join(f"{name} {value}" for name, value in members if value is not None and not isinstance(value, list))


def _text(head: log.Head) -> str:
    return f"{head.sequence}:{head.hash}"
