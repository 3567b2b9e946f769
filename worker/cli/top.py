"""`top`: the overview in a terminal."""

import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.live import Live

from handlers.settings import load
from worker.cli import output
from worker.cli.roles import Home
from worker.settings import WorkerSettings
from worker.top.drawing import drawn
from worker.top.reading import Watch

FIRST_SECONDS: Final = 1.0
"""Between the two readings that a single frame takes: what is a second needs both."""
QUIT: Final = frozenset(b"qQ\x04")
PLAIN_COLUMNS: Final = 120
"""Of a frame in a file or a pipe."""


def top(
    *,
    every: Annotated[float, typer.Option(min=0.5, max=3600, metavar="N", help="Seconds between frames.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="One frame, then end; so it is without a terminal.")] = False,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="One frame as a JSON object.")] = False,
) -> None:
    """Show how things stand, again and again: what flows, what waits, what failed, who is silent, what is down.

    Reads the broker and the database; what is away is said, and the rest is shown. q ends it.

    Example: `maintenworks top --every 5`

    Example: `maintenworks top --json | jq .dead_letters_open`
    """
    watch = Watch(load(WorkerSettings, home=home))
    try:
        if as_json or once or not sys.stdout.isatty():
            watch.frame()
            time.sleep(FIRST_SECONDS)
            frame = watch.frame()
            if as_json:
                output.json_line(frame.row())
            else:
                width = None if sys.stdout.isatty() else PLAIN_COLUMNS
                Console(file=sys.stdout, highlight=False, width=width).print(drawn(frame))
        else:
            _live(watch, every)
    finally:
        watch.close()


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Looking")(top)


def _live(watch: Watch, every: float) -> None:
    console = Console(file=sys.stdout, highlight=False)
    # Ctrl-C is how many end it.
    with (
        contextlib.suppress(KeyboardInterrupt),
        _keys(),
        Live(console=console, auto_refresh=False, screen=True) as live,
    ):
        pause = min(every, FIRST_SECONDS)
        while True:
            live.update(drawn(watch.frame()), refresh=True)
            if _ended_within(pause):
                return
            pause = every


def _ended_within(seconds: float) -> bool:
    """Waits for so long; whether somebody ended it meanwhile."""
    if not sys.stdin.isatty():
        time.sleep(seconds)
        return False
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([sys.stdin], [], [], left)[0]:
            typed = os.read(sys.stdin.fileno(), 64)
            if not typed or QUIT.intersection(typed):
                return True
    return False


@contextlib.contextmanager
def _keys() -> Iterator[None]:
    """Keys come at once and are not shown, where somebody can type at all."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
