"""The demonstration itself: plants are simulated, their systems post to a real `up`, and the balance is drawn."""

import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from handlers.connections import Registry, edits
from handlers.store import balance as tables
from handlers.store.reading import open_database
from worker.address import SQLITE_FILE
from worker.cli import output
from worker.demo.balance import Balance, Comparison, balance, compared
from worker.demo.disorder import traffic
from worker.demo.display import display
from worker.demo.plant import Manner, Plant
from worker.demo.running import Running, command, running
from worker.demo.spelling import Outgoing
from worker.demo.told import BEGIN, END
from worker.demo.upstream import Upstream
from worker.demo.watch import Watch

DAIRY_SIGNATURE: Final = {
    "header": "X-Dairy-Signature",
    "hash": "sha512",
    "encoding": "base64",
    "timestamp_header": "X-Dairy-Time",
    "signed": "{timestamp}.{body}",
}
MANNERS: Final = (
    Manner("north-mill", "makini", "intervals", "plain", "M"),
    Manner("harbor-foundry", "standard-webhooks", "statuses", "bundled", "F"),
    Manner("valley-dairy", {"hmac": DAIRY_SIGNATURE}, "orders", "cloud", "D"),
)
"""One for each way to tell down time, each with its own signature and spelling."""

LEAST_EVENTS: Final = 10 * len(MANNERS)
"""So that each system has one of every oddity, and something to tell besides."""
CONNECTIONS_FILE: Final = "connections.toml"


@dataclass(frozen=True)
class Result:
    """How it went.

    Attributes:
        balance: of events.
        comparison: of the figures; None where it was ended early.
        posted: POSTs that had an end.
        refused: forged ones that were answered 401.
        believed: forged ones that were answered 200; must be none.
        failed: POSTs that were neither accepted nor refused, by what happened.
        seconds: from the first post until all was settled.
    """

    balance: Balance
    comparison: Comparison | None
    posted: int
    refused: int
    believed: int
    failed: Mapping[str, int]
    seconds: float

    @property
    def good(self) -> bool:
        """Whether nothing was lost, no forgery believed, and the figures are right as far as they were compared."""
        figures_agree = self.comparison is None or self.comparison.agrees
        return self.balance.lost == 0 and self.believed == 0 and figures_agree


def play(home: Path, events: int, seed: int) -> Result:
    """Runs it from beginning to end; Ctrl-C ends the sending early, a second one everything.

    Args:
        home: an empty folder.
        events: how many different ones, `LEAST_EVENTS` at least.
        seed: the same seed, the same plants.

    Raises:
        MaintenworksError: `up` did not get ready, or a figure could not be had.
    """
    plants, lines = _simulated(events, seed)
    registry = _connected(home)
    with (
        running(home) as up,
        _stopping() as stopped,
        contextlib.closing(open_database(f"sqlite:///{home / SQLITE_FILE}")) as database,
    ):
        upstreams = [_upstream(registry, each, up, seed) for each in plants]
        watch = Watch(upstreams, database, home)
        began = time.monotonic()
        with display() as shown, ThreadPoolExecutor(1) as pool:
            sending = pool.submit(_send_all, upstreams, lines, stopped)
            watch.until_settled(sending, lambda rows: shown.show(rows, events))
        seconds = time.monotonic() - began
        accepted = [each for upstream in upstreams for each in upstream.figures.accepted]
        drawn = balance(accepted, frozenset(tables.archived(database)), tables.fates(database))
        comparison = None if stopped() else compared(plants, _uptime(home))
    figures = [upstream.figures for upstream in upstreams]
    failed: dict[str, int] = {}
    for each in figures:
        for what, count in each.failed.items():
            failed[what] = failed.get(what, 0) + count
    return Result(
        balance=drawn,
        comparison=comparison,
        posted=sum(each.posted for each in figures),
        refused=sum(each.refused for each in figures),
        believed=sum(each.believed for each in figures),
        failed=failed,
        seconds=seconds,
    )


def _simulated(events: int, seed: int) -> tuple[dict[str, Plant], list[list[Outgoing]]]:
    """The plants by connection, and what each one's system will send; the events are shared out evenly."""
    plants, lines = {}, []
    for place, manner in enumerate(MANNERS):
        share = events // len(MANNERS) + (place < events % len(MANNERS))
        plants[manner.connection], line = traffic(manner, share, seed)
        lines.append(line)
    return plants, lines


def _connected(home: Path) -> Registry:
    """Registers a connection for each plant, with a secret made for it."""
    path = home / CONNECTIONS_FILE
    for manner in MANNERS:
        edits.add(path, home, manner.connection, {"source": "unified", "scheme": manner.scheme})
    return Registry(path, home)


def _upstream(registry: Registry, connection_id: str, up: Running, seed: int) -> Upstream:
    connection = registry.all()[connection_id]
    secret, *_ = registry.secrets(connection, datetime.now(UTC))
    dice = random.Random(f"{seed} {connection_id} answers")  # noqa: S311  # a simulation
    return Upstream(connection_id, connection.scheme, secret, f"{up.receiver}/webhooks/{connection_id}", dice)


def _uptime(home: Path) -> list[dict[str, Any]]:
    return command(home, ["uptime", "--from", BEGIN.isoformat(), "--to", END.isoformat(), "--json"])


@contextlib.contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Tells whether Ctrl-C or SIGTERM came; the second one is a `KeyboardInterrupt`."""
    told: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        if told:
            raise KeyboardInterrupt
        told.append(number)
        output.note("nothing more is sent; what is on its way is awaited (once more, and it is not)")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _send_all(upstreams: Sequence[Upstream], lines: Sequence[Sequence[Outgoing]], stopped: Callable[[], bool]) -> None:
    with ThreadPoolExecutor(len(upstreams)) as pool:
        for sending in [pool.submit(each.send, line, stopped) for each, line in zip(upstreams, lines, strict=True)]:
            sending.result()
