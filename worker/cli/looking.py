"""What the commands that look at kept things share: the database opened, times read, lists of any length printed."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from handlers.errors import ConfigurationError, PermanentError
from handlers.events import MappingOptions
from handlers.model.reading import Context
from handlers.model.times import instant
from handlers.rules.times import is_date, parse_moment
from handlers.settings import load
from handlers.store.engine import Database
from handlers.store.reading import open_database
from worker.cli import output
from worker.settings import WorkerSettings

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


def moment(text: str, option: str) -> datetime:
    """A date, which is its midnight UTC, or an instant with its offset.

    Raises:
        ConfigurationError: it is neither.
    """
    try:
        if is_date(text):
            found = parse_moment(text)
            assert found is not None, "a date always has a midnight"
            return found
        return instant(text, option, Context(MappingOptions()))
    except (PermanentError, ValueError):
        problem = f"{option}: give a date, 2026-03-01 (its midnight UTC), or a time, 2026-03-01T08:00:00Z; not {text!r}"
        raise ConfigurationError([problem]) from None


def bounds(since: str | None, until: str | None, names: tuple[str, str]) -> tuple[datetime | None, datetime | None]:
    """A stretch of time, open where no end was given.

    Raises:
        ConfigurationError: one is no time, or they are the wrong way round.
    """
    start = None if since is None else moment(since, names[0])
    end = None if until is None else moment(until, names[1])
    if start is not None and end is not None and start >= end:
        raise ConfigurationError([f"{names[0]} must be before {names[1]}: {since} is not before {until}"])
    return start, end


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
