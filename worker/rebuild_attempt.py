"""One attempt at a rebuild: built beside what stands, caught up with what came meanwhile, put in its place."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from handlers.errors import MaintenworksError, TransientError
from handlers.store import checkpoint, rebuild, standing
from handlers.store.distrust import Distrust
from handlers.store.engine import Database
from handlers.store.noted import Noted
from handlers.store.reading import Held, Readable
from handlers.store.replace import Replacement
from handlers.store.retries import RowId
from handlers.store.rowset import Transaction
from handlers.store.scratch import GROUP
from handlers.store.shadow import Shadow
from handlers.store.standing import Doubt
from worker.rebuild_bulk import Alone, Came, Group, load
from worker.rebuild_hands import Recipe, hands
from worker.rebuilt import Rebuilt
from worker.rereading import Archive, LinedUp, addresses, folding_into, reread

FEW = 100
"""Deliveries that are left for the switch without a turn of their own: they take it a tenth of a second."""
TURNS = 6
"""Turns at most: one that is hardly shorter than the last says that the next would not be either."""

log = structlog.get_logger(__name__)

T = TypeVar("T")
Doubts = dict[int, Doubt]
"""Of one delivery, by index."""


class LeftMeanwhileError(Exception):
    """Something that was folded already has left the set: it must be folded without."""


@dataclass
class Attempt:
    """One attempt, and what was noted on the way to the switch.

    Attributes:
        database: where the archive is, and what stands.
        shadow: where it is built; empty.
        archive: how it is read.
        recipe: by which other processes help with much; None for this one alone.
        asked: what is about to leave the set.
        is_bulk: what is beyond doubt is folded by subject; else one by one, in the order in which it came.
        is_alone: nobody else writes from the beginning, so that nothing can leave the set meanwhile.
    """

    database: Database
    shadow: Shadow
    archive: Archive
    recipe: Recipe | None
    asked: Distrust | None = None
    is_bulk: bool = True
    is_alone: bool = False
    _older: dict[str, int] = field(default_factory=dict)
    _doubts: dict[str, Doubts] = field(default_factory=dict)
    _seen: int = 0
    _compared: int = 0
    _turn: int = 0

    def __post_init__(self) -> None:
        self._dispatcher = folding_into(self.shadow, self.archive)
        self._noted = Noted(self.shadow, self.archive.connection.id, addresses(self.archive.connection))
        self._replacement = Replacement(self.shadow, self.archive.connection.id)

    def made(self, lined_up: LinedUp, switched: "Callable[[Transaction, Attempt], T]") -> T:
        """Builds, catches up, and switches.

        Args:
            lined_up: for whoever watches.
            switched: has `switch` done, in the transaction in which nobody else writes, and what goes with it.

        Raises:
            LeftMeanwhileError: it must be begun again; nothing has changed.
            AmbiguousError: it must be begun again, one by one; nothing has changed.
        """
        connection_id = self.archive.connection.id
        with self.database.read() as session:
            require_whole(Transaction(session), connection_id)
            self._older = standing.older(Transaction(session), connection_id, self.archive.fingerprint)
        if self.is_alone:
            with self._excluding() as tx:
                self._build(Held(tx.connection), lined_up)
                done = switched(tx, self)
            self._relabel()
            return done
        self._build(self.database, lined_up)
        for _ in range(TURNS):
            if self._catch_up() <= FEW:
                break
        self._compared = self.shadow.now()
        if self._compared:
            with self.shadow.standing() as session:
                self._replacement.compare(session)
        with self._excluding() as tx:
            done = switched(tx, self)
        self._relabel()
        return done

    def _relabel(self) -> None:
        """Has events say that they were read by the map of now; what is left of that is no failure of the rebuild."""
        if self._older:
            try:
                self._replacement.relabel(self._older)
            except TransientError as error:
                log.warning("map_labels_left", connection_id=self.archive.connection.id, error=str(error))

    def switch(self, tx: Transaction) -> Rebuilt:
        """Folds what came last, and replaces what is apart.

        Args:
            tx: the transaction that `made` gives.
        """
        began = time.perf_counter()
        session, held = tx.connection, Held(tx.connection)
        changed = self._changed(tx)
        self._turn += 1
        self._noted.add(session, self._turn, self._seen)
        total = self._noted.total(session)
        if total != self._noted.in_set(session):
            raise LeftMeanwhileError
        self._fold_turn(held)
        for first in range(0, len(changed), GROUP):
            self._fold(held, changed[first : first + GROUP])
        if self._compared:
            self._replacement.look_again(session, self._compared)
        else:
            self._replacement.compare(session)
        counts = self._replacement.write_events(session), self._replacement.write_state(session)
        failures = rebuild.write_failures(held, self.shadow, self.archive.connection.id, self.archive.now)
        took = time.perf_counter() - began
        return Rebuilt(total, sum(self._older.values()), dict(counts[0]), dict(counts[1]), dict(failures), took)

    @contextmanager
    def _excluding(self) -> Iterator[Transaction]:
        with self.shadow.switch() as session:
            tx = Transaction(session)
            rebuild.exclude(tx, self.shadow.live)
            yield tx

    def _build(self, standing_in: Readable, lined_up: LinedUp) -> None:
        total = self._note()
        with self.shadow.standing() as session:
            begun = checkpoint.begin(self.shadow, session, self.archive.connection.id)
        if begun or not self.is_bulk:  # in bulk it is folded as if nothing stood before
            self.shadow.finish_loading()
            self._fold_turn(standing_in, lined_up(total))
            return
        with self.shadow.standing() as session:
            doubts = standing.all_doubts(Transaction(session), self.shadow.arrivals)
        self._remember(doubts)
        doubtful = frozenset(self._doubts)
        groups = (Group(ids, doubtful.intersection(ids)) for ids in self._noted.groups(0))
        came = Came(total, self._noted.size(), groups)
        with hands(self.recipe, total, Alone(standing_in, self.archive)) as several:
            left = load(self.shadow, came, self.archive.connection.id, several, lined_up)
        for first in range(0, len(left), GROUP):
            self._fold(standing_in, left[first : first + GROUP])

    def _catch_up(self) -> int:
        """Folds what has come since the last turn; returns how many deliveries those were."""
        self._turn += 1
        came = self._note()
        self._fold_turn(self.database)
        return came

    def _note(self) -> int:
        """Takes note of what has come since that was last done; returns how many deliveries those are."""
        since, self._seen = self._seen, self.shadow.now()
        with self.shadow.standing() as session:
            came = self._noted.add(session, self._turn, since)
            left_out = 0 if self.asked is None else self._noted.leave_out(session, self.asked)
        return came - left_out

    def _fold_turn(self, standing_in: Readable, advance: Callable[[int], object] = bool) -> None:
        for ids in self._noted.groups(self._turn):
            self._fold(standing_in, ids)
            advance(len(ids))

    def _fold(self, standing_in: Readable, ids: Sequence[str]) -> None:
        """Has deliveries take the road that every delivery takes."""
        for each in ids:
            self._doubts.pop(each, None)
        read = reread(standing_in, self._dispatcher, self.archive, ids)
        if not read.is_whole:
            raise LeftMeanwhileError
        self._remember(read.doubts)

    def _remember(self, doubts: Mapping[RowId, Doubt]) -> None:
        for (delivery_id, index), doubt in doubts.items():
            self._doubts.setdefault(delivery_id, {})[index] = doubt

    def _changed(self, tx: Transaction) -> list[str]:
        """The deliveries whose doubts are not what they were when they were read.

        Raises:
            LeftMeanwhileError: one of them may have been folded, and is out of the set now.
        """
        now: dict[str, Doubts] = {}
        for (delivery_id, index), doubt in standing.all_doubts(tx, self.shadow.arrivals).items():
            now.setdefault(delivery_id, {})[index] = doubt
        changed = sorted(each for each in {*now, *self._doubts} if now.get(each) != self._doubts.get(each))
        for each in changed:
            before = self._doubts.get(each, {})
            if any(doubt is Doubt.OUT and before.get(index) is not doubt for index, doubt in now.get(each, {}).items()):
                raise LeftMeanwhileError
        return changed


def require_whole(tx: Transaction, connection_id: str) -> None:
    """Refuses to read an archive that has lost deliveries.

    Raises:
        MaintenworksError: it has; state would lose what they told.
    """
    lost = standing.unarchived(tx, connection_id)
    if lost:
        raise MaintenworksError(
            f"{connection_id}: the archive lacks the deliveries of {lost} events; nothing was changed"
        )
