"""`python -m tests.fuzz --inputs 1000000`: bad inputs for every parser of bytes from outside; exit 1 for any fault."""

import argparse
import faulthandler
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.fuzz import report, shelf
from tests.fuzz.run import Found, run
from tests.servers import MissingServerError
from worker.telemetry import configure_logging

HANG_SECONDS = 60
"""An input that takes as long ends the run with the traceback of every thread."""
NOTED_EVERY = 1_000
"""Drawings between two notes of how far it has come: where to begin again after a hang."""


def main() -> int:
    """Runs it; returns the exit code."""
    names = [parser.name for parser in shelf.load()]
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--inputs", type=int, default=20_000, help="in all, shared among the parsers")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--only", choices=names, help="this parser alone")
    asked.add_argument("--first", type=int, default=0, help="number of the first drawing")
    asked.add_argument("--report", type=Path, help="a file for the report, besides standard output")
    given = asked.parse_args()
    chosen = [parser for parser in shelf.load() if given.only in {None, parser.name}]
    shares = sum(parser.share for parser in chosen)
    faulthandler.register(signal.SIGALRM, chain=True)
    configure_logging(level="error", log_format="console")
    found: list[Found] = []
    for parser in chosen:
        inputs = max(1, given.inputs * parser.share // shares)
        try:
            found.append(run(parser, inputs, given.seed, first=given.first, before_each=_guard(parser.name)))
        except MissingServerError as error:
            sys.stderr.write(f"{parser.name}: left out: {error}\n")
        signal.alarm(0)
    told = report.table(found, given.seed)
    sys.stdout.write(f"{told}\n")
    if given.report is not None:
        given.report.write_text(f"{told}\n")
    return int(any(map(report.faulty, found)))


def _guard(name: str) -> Callable[[int], None]:
    def before_each(number: int) -> None:
        signal.alarm(HANG_SECONDS)
        if number % NOTED_EVERY == 0:
            sys.stderr.write(f"{name}: {number:,}\n")

    return before_each


if __name__ == "__main__":
    sys.exit(main())
