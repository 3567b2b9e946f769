"""What one sees while the demonstration runs: a live table on a terminal, now and then a line elsewhere."""

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from worker.cli import output

LINE_SECONDS: Final = 2.0
"""Between two lines where there is no terminal."""
_BAR_COLUMNS: Final = 60


class Row(NamedTuple):
    """One system, as of now.

    Attributes:
        connection: its id.
        scheme: how it signs.
        posted: POSTs that had an end.
        accepted: events answered 200, repeats counted each time.
        refused: POSTs answered 401.
        failed: POSTs that were neither.
        settled: different events that the tables know, by how they ended.
        duplicates: accepted events that had been accepted before.
        behind: different events accepted, and in no table yet.
    """

    connection: str
    scheme: str
    posted: int
    accepted: int
    refused: int
    failed: int
    settled: Mapping[str, int]
    duplicates: int
    behind: int


class Display(Protocol):
    """Shows how far it is."""

    def show(self, rows: Sequence[Row], total: int) -> None:
        """Shows the state as of now; `total` is how many different events there will be."""


@contextlib.contextmanager
def display() -> Iterator[Display]:
    """The one that fits standard error."""
    console = Console(file=sys.stderr, highlight=False)
    if not console.is_terminal:
        yield _Lines()
        return
    with Live(console=console, auto_refresh=False) as live:
        yield _Screen(live)


class _Pace:
    """How fast events settle, and how long the rest will take."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def text(self, done: int, total: int) -> str:
        elapsed = time.monotonic() - self._started
        rate = done / elapsed if elapsed > 0 else 0.0
        left = f", {(total - done) / rate:.0f} s left" if rate > 0 and done < total else ""
        return f"{done:,} of {total:,} events settled, {rate:,.0f}/s, {elapsed:.0f} s{left}"


class _Screen:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._pace = _Pace()

    def show(self, rows: Sequence[Row], total: int) -> None:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in ("upstream", "signs as"):
            table.add_column(name)
        numbers = (
            "posted",
            "accepted",
            "refused",
            "applied",
            "stale",
            "ignored",
            "duplicates",
            "dead letters",
            "behind",
        )
        for name in numbers:
            table.add_column(name, justify="right")
        for row in rows:
            table.add_row(Text(row.connection), Text(row.scheme), *(f"{number:,}" for number in _numbers(row)))
        sums = [sum(column) for column in zip(*(_numbers(row) for row in rows), strict=True)]
        table.add_row(Text("all"), "", *(f"{number:,}" for number in sums), style="bold")
        done = sum(sum(row.settled.values()) for row in rows)
        bar = ProgressBar(total=total, completed=done, width=_BAR_COLUMNS)
        self._live.update(Group(table, bar, Text(self._pace.text(done, total))), refresh=True)


class _Lines:
    def __init__(self) -> None:
        self._pace = _Pace()
        self._next = 0.0

    def show(self, rows: Sequence[Row], total: int) -> None:
        done = sum(sum(row.settled.values()) for row in rows)
        if time.monotonic() < self._next and done < total:
            return
        self._next = time.monotonic() + LINE_SECONDS
        posted, accepted, refused, *_, behind = (sum(column) for column in zip(*map(_numbers, rows), strict=True))
        output.note(
            f"{self._pace.text(done, total)}; {posted:,} posts, {accepted:,} events accepted, {behind:,} behind,"
            f" {refused:,} posts refused"
        )


def _numbers(row: Row) -> tuple[int, ...]:
    """In the order of the columns."""
    ended = (row.settled.get(name, 0) for name in ("applied", "stale", "ignored"))
    return (
        row.posted,
        row.accepted,
        row.refused,
        *ended,
        row.duplicates,
        row.settled.get("dead_letter", 0),
        row.behind,
    )
