"""How every command speaks: data on standard output, all else on standard error, one set of exit codes.

What is printed came from outside as often as not, so it is escaped for its medium: no rich markup, and nothing that
a terminal obeys.
"""

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from handlers.errors import ConfigurationError, MaintenworksError, ServiceUnreachableError, TransientError
from worker.shapes.encoding import encoded
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
_PIECE = 1_000
"""Rows that a table looks ahead for its widths, so that a million neither wait nor fill memory."""
_GAP = "  "
"""Between the columns of a table in a file or a pipe."""


def line(text: str) -> None:
    """Prints one line of data."""
    sys.stdout.write(printable(text) + "\n")


def json_line(value: object) -> None:
    """Prints one line of JSON: decimals as strings, times in UTC with `Z`, nothing in it that a terminal obeys."""
    text = encoded(value).decode()
    # Outside of strings JSON is printable, so whatever is not stands in one, where its escape means the same. orjson
    # escapes C0 alone, as RFC 8259 section 7 demands; C1, DEL and the bidirectional overrides reorder or steer as well.
    if not text.isprintable():
        text = "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
    sys.stdout.write(text + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> int:
    """Prints rows for people; without rows nothing, no headings either.

    On a terminal long cells are folded, and headings come again every thousand rows. Elsewhere a row is one line and
    columns are as wide as the first thousand rows need; a later cell that is wider pushes its own line aside.

    Args:
        columns: the headings.
        rows: cells; None prints as an empty cell, a time to the second.
        right: headings of the columns that are numbers.

    Returns:
        How many rows there were.
    """
    show = _grids if sys.stdout.isatty() else _lines
    return show(columns, iter(rows), [column in right for column in columns])


def _grids(columns: Sequence[str], rows: Iterator[Sequence[object]], numbers: Sequence[bool]) -> int:
    """Prints rows on a terminal, piece by piece: its columns are as wide as the widest cell of the piece."""
    console = Console(file=sys.stdout, highlight=False)
    count = 0
    while piece := list(itertools.islice(rows, _PIECE)):
        grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for column, is_number in zip(columns, numbers, strict=True):
            grid.add_column(Text(column), justify="right" if is_number else "left", overflow="fold")
        for row in piece:
            grid.add_row(*(Text(_cell(value)) for value in row))
        console.print(grid)
        count += len(piece)
    return count


def _lines(columns: Sequence[str], rows: Iterator[Sequence[object]], numbers: Sequence[bool]) -> int:
    """Prints rows into a file or a pipe: without rich, which takes 0.5 ms a row (300,000 rows: 148 s)."""
    first = [[_cell(value) for value in row] for row in itertools.islice(rows, _PIECE)]
    if not first:
        return 0
    widths = [max(map(_width, cells)) for cells in zip(columns, *first, strict=True)]
    layout = list(zip(widths, numbers, strict=True))
    sys.stdout.write(_laid_out(columns, layout))
    count = 0
    for cells in itertools.chain(first, ([_cell(value) for value in row] for row in rows)):
        sys.stdout.write(_laid_out(cells, layout))
        count += 1
    return count


def _laid_out(cells: Sequence[str], layout: Sequence[tuple[int, bool]]) -> str:
    padded = []
    for cell, (width, is_number) in zip(cells, layout, strict=True):
        space = " " * (width - _width(cell))
        padded.append(space + cell if is_number else cell + space)
    return _GAP.join(padded).rstrip() + "\n"


def _width(cell: str) -> int:
    """How many columns of a fixed-width font it takes: Chinese takes two a character, accents none."""
    return len(cell) if cell.isascii() else cell_len(cell)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    text = str(value)
    return text if text.isprintable() else printable(text).replace("\n", "\\n").replace("\t", "\\t")


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


def misused(error: typer.TyperException) -> int:
    """Says in one line what is wrong with how a command was called, and where its help is.

    Args:
        error: what typer raises when it is run with `standalone_mode=False`.

    Returns:
        The exit code, 2.
    """
    context = getattr(error, "ctx", None)  # usage errors carry it; their class is not public in typer
    said = " ".join(error.format_message().split()).rstrip(".")
    if said:
        command = context.command_path if context is not None else "maintenworks"
        note(f"maintenworks: {said}; see `{command} --help`")
    return USAGE


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
