"""What the commands that look at kept things share: the database opened, times read, lists of any length printed."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from handlers.settings import load
from handlers.store.engine import Database
from handlers.store.reading import open_database
from worker.cli import output
from worker.moments import bounds, moment
from worker.settings import WorkerSettings

__all__ = [
    "Json",
    "Limit",
    "Of",
    "bounds",
    "each",
    "exact",
    "json_lines",
    "moment",
    "nothing",
    "opened",
    "rows",
]

Json = Annotated[bool, typer.Option("--json", help="JSON lines.")]
Of = Annotated[str | None, typer.Option("--connection", metavar="C", help="Only of this connection.")]
Item = TypeVar("Item")
Limit = Annotated[int | None, typer.Option(min=1, help="Stop after so many; everything otherwise.")]


@contextlib.contextmanager
def opened(home: Path | None) -> Iterator[tuple[WorkerSettings, Database]]:
    """The settings, and the database they name, which must be there.

    Raises:
        ServiceUnreachableError: it is not, or has another schema; says what to run.
    """
    settings = load(WorkerSettings, home=home)
    database = open_database(settings.database)
    try:
        yield settings, database
    finally:
        database.close()


def rows(columns: Sequence[str], lines: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> int:
    """Prints rows for people as they come; returns how many there were."""
    return output.table(columns, lines, right=right)


def json_lines(records: Iterable[object]) -> int:
    """Prints a JSON line a record; returns how many there were."""
    return each(records, output.json_line)


def each(found: Iterable[Item], tell: Callable[[Item], None]) -> int:
    """Tells one after the other; returns how many there were."""
    count = 0
    for one in found:
        tell(one)
        count += 1
    return count


def exact(data: bytes, end: bytes = b"") -> None:
    """Writes bytes as they are; on a terminal, which would obey some, as text with control characters spelt out."""
    if sys.stdout.isatty():
        output.line(data.decode(errors="backslashreplace"))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data + end)
    sys.stdout.buffer.flush()


def nothing(why: str) -> NoReturn:
    """Says that nothing matched, and ends the command."""
    output.note(f"maintenworks: {why}")
    raise typer.Exit(output.NOTHING)
