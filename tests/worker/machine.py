"""An installation for the machine of letters: its processes die, its database goes away, its effects and source fail.

Everything but the broker and the clock is real. What is queued, and which bells have rung, the machine holds itself.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa

from handlers import effects
from handlers.connections import Registry
from handlers.effects import Effect
from handlers.errors import TransientError
from handlers.events import Delivery, MappingOptions, Reading
from handlers.rules.facts import Fact
from handlers.sources import Source, load
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from worker.dispatch import Dispatcher
from worker.due import DueRows
from worker.retries import is_last
from worker.streams_leases import Envelope
from worker.units import Reader

START = datetime(2026, 3, 2, tzinfo=UTC)
LATE, NAP, PLANT = "late", "nap", "plant"
"""Connections: one that nobody has registered yet, one that may be paused, and one that is always there."""
FAILS, KILLS, SHAKES = "fails:", "kills:", "shakes:"
"""How a title begins that makes an effect fail, a worker end, or the source of its whole delivery fail, so often."""
MAX_BODY_BYTES = 64 * 1024


class Killed(BaseException):
    """The process ends here; no handler of ours catches it, as none catches SIGKILL."""


class Fuse(NamedTuple):
    """When a process dies, or the database goes away.

    Attributes:
        writes: at which of its next transactions, from 1.
        how: `before` its commit, `after` it, or `away`: the database is.
    """

    writes: int
    how: str


class Mortal(Database):
    """A database whose client may die at a write; it keeps the ledger of what was really applied.

    Attributes:
        fuse: burns with each write; None while nothing is to happen.
        ledger: how often the events of each identity were applied in transactions that were committed.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, pool_size=2)
        sa.event.listen(self.engine, "connect", self._hurries)
        self.fuse: Fuse | None = None
        self.ledger: Counter[tuple[str, str, str]] = Counter()
        self._pending: list[tuple[str, str, str]] = []

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction, unless it is the one that is chosen."""
        self._pending.clear()
        burnt = self._burns()
        if burnt == "away":
            raise TransientError("database_unavailable", "away")
        with super().write() as connection:
            yield connection
            if burnt == "before":
                raise Killed
        self.ledger.update(self._pending)
        if burnt == "after":
            raise Killed

    def note(self, tx: Transaction, facts: Sequence[Fact]) -> None:
        """An effect that does nothing but note what was applied."""
        del tx
        self._pending += [(fact.event.connection_id, fact.event.event_id, fact.event.digest) for fact in facts]

    def _hurries(self, connection: Any, record: object) -> None:
        """Waits for no disk: what dies here is a process, and never the machine."""
        del record
        connection.execute("PRAGMA synchronous=OFF" if self.dialect == "sqlite" else "SET synchronous_commit=off")
        connection.commit()

    def _burns(self) -> str | None:
        if self.fuse is None:
            return None
        burnt = self.fuse.how if self.fuse.writes == 1 else None
        self.fuse = None if burnt else self.fuse._replace(writes=self.fuse.writes - 1)
        return burnt


class Faults:
    """Effects and a source that fail as often as the titles say, each title on its own.

    Attributes:
        effects: those of the product, with the ledger's before and the failing one among them.
        sources: those of the product, with the failing one in place of `unified`.
    """

    def __init__(self, database: Mortal) -> None:
        self._left: dict[str, int] = {}
        everything = frozenset().union(*(effect.types for effect in effects.load()))
        ledger = Effect("ledger", -2, everything, database.note)
        failing = Effect("failing", 1_000, everything, self._fail)
        self.effects = (ledger, *effects.load(), failing)
        unified = load()["unified"]
        self._read = unified.read
        shaking = Source(name="unified", default_scheme=unified.default_scheme, read=self._shake)
        self.sources: Mapping[str, Source] = MappingProxyType({"unified": shaking})

    def _fail(self, tx: Transaction, facts: Sequence[Fact]) -> None:
        del tx
        for fact in facts:
            title = str(fact.event.fields.get("title"))
            if title.startswith(KILLS) and self._once_more(title):
                raise Killed
            if title.startswith(FAILS) and self._once_more(title):
                raise RuntimeError

    def _shake(self, delivery: Delivery, options: MappingOptions) -> Reading:
        _, found, rest = delivery.body.partition(SHAKES.encode())
        if found and self._once_more(found.decode() + rest.partition(b'"')[0].decode()):
            raise TransientError("upstream_busy", "once more")
        return self._read(delivery, options)

    def _once_more(self, title: str) -> bool:
        left = self._left.setdefault(title, int(title.split(":")[1]))
        self._left[title] = max(0, left - 1)
        return left > 0


class Site:
    """The processes around a database.

    Attributes:
        now: the time of everybody.
        database: where everything is.
        registry: of the connections, as the file says now.
    """

    def __init__(self, database: Mortal, folder: Path, faults: Faults) -> None:
        self.now = START
        self.database = database
        self._path = folder / "connections.toml"
        self._options: dict[str, Sequence[str]] = {PLANT: (), NAP: ()}
        self._write()
        self.registry = Registry(self._path, folder)
        self.reader = Reader(self.registry, faults.sources, max_body_bytes=MAX_BODY_BYTES)
        self.bells: list[Sequence[tuple[str, int]]] = []
        self._lives = 0
        self.start()

    def start(self) -> None:
        """New processes, with nothing in their memory."""
        self._lives += 1
        self.dispatcher = Dispatcher(
            self.database, self.reader, clock=lambda: self.now, dice=random.Random(self._lives)
        )
        self.due = DueRows(self.database, self.bells.append, lambda: self.now)

    def connect(self, name: str, *options: str) -> None:
        """Registers a connection, or sets its options anew."""
        self._options[name] = options
        self._write()
        self.registry.refresh()

    def survives(self, act: Callable[[], object], fuse: Fuse | None = None) -> str:
        """Does something that the process may not survive; says `done`, `died` or `away`."""
        self.database.fuse = fuse
        try:
            act()
        except Killed:
            self.start()
            return "died"
        except TransientError:
            return "away"
        finally:
            self.database.fuse = None
        return "done"

    def process(self, batch: Sequence[Delivery], times_delivered: int) -> None:
        """What a worker does with a message."""
        self.dispatcher.process(batch, Envelope("live", "1-0", batch, times_delivered=times_delivered))

    def ring(self, lease: timedelta) -> None:
        """What the scheduler does in a second about due rows."""
        self.due.ring(self.due.lease(100, lease))

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """A table, in the order of its key."""
        with self.database.read() as connection:
            found = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            return [dict(row) for row in found.mappings()]

    def _write(self) -> None:
        head = ['source = "unified"', 'secrets = [{ ref = "env:P" }]']
        self._path.write_text(
            "".join("\n".join([f"[connections.{name}]", *head, *more, ""]) for name, more in self._options.items())
        )


def digest(raw: bytes) -> str:
    """SHA-256, hexadecimal."""
    return sha256(raw).hexdigest()


assert is_last(12), "the machine's failures are counted against twelve attempts"
