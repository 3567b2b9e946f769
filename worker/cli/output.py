"""How every command speaks: data on standard output, all else on standard error, one set of exit codes.

What is printed came from outside as often as not, so it is escaped for its medium: no rich markup, and nothing that
a terminal obeys.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import orjson
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from handlers.errors import ConfigurationError, MaintenworksError, ServiceUnreachableError, TransientError
from worker.telemetry import printable

OK = 0
FAILURE = 1
USAGE = 2
PARTLY = 3
NOTHING = 4
UNREACHABLE = 69
"""EX_UNAVAILABLE of sysexits.h."""
INTERRUPTED = 130
"""128 + SIGINT, as a shell would say it."""

_PATIENCE_SECONDS = 1.0
"""What ends sooner needs no progress bar."""
_UNBROKEN_COLUMNS = 100_000
"""The width of a table that goes into a file or a pipe: its lines are for other programs, so none is folded."""


def line(text: str) -> None:
    """Prints one line of data."""
    sys.stdout.write(printable(text) + "\n")


def json_line(value: object) -> None:
    """Prints one line of JSON: decimals as strings, times in UTC with `Z`."""
    sys.stdout.write(orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS).decode())
    sys.stdout.write("\n")


def _plain(value: object) -> object:
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Prints rows for people; on a terminal long cells are folded, elsewhere a row is a line.

    Args:
        columns: the headings.
        rows: cells; None prints as an empty cell, a time to the second.
        right: headings of the columns that are numbers.
    """
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = _UNBROKEN_COLUMNS
    grid = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(Text(column), justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(_cell(value)) for value in row))
    console.print(grid)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return printable(str(value)).replace("\n", "\\n").replace("\t", "\\t")


def note(text: str) -> None:
    """Says something on standard error that is no data."""
    sys.stderr.write(printable(text) + "\n")


def refuse(error: MaintenworksError) -> int:
    """Says why a command cannot go on, without a traceback, a line a problem.

    Returns:
        The exit code that goes with it.
    """
    problems = error.problems if isinstance(error, ConfigurationError) else (str(error),)
    for problem in problems:
        note(f"maintenworks: {problem}")
    if isinstance(error, ConfigurationError):
        return USAGE
    # A store or a broker that fails while a command uses it is as unreachable as one that never answered.
    return UNREACHABLE if isinstance(error, ServiceUnreachableError | TransientError) else FAILURE


@contextlib.contextmanager
def progress(description: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar with rate and remaining time on standard error, on a terminal, for what takes longer than a second.

    Args:
        description: what is being done.
        total: of how many; None where nobody knows.

    Yields:
        A function to call with how many are done since the last call.
    """
    console = Console(file=sys.stderr, highlight=False)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task(printable(description), total=total, rate="")
    started = time.monotonic()
    done = 0

    def advance(count: int = 1) -> None:
        nonlocal done
        done += count
        elapsed = time.monotonic() - started
        if console.is_terminal and elapsed > _PATIENCE_SECONDS:
            bar.update(task, completed=done, rate=f"{done / elapsed:,.0f}/s")
            bar.start()

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()
