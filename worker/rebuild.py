"""State computed anew from the archive, while everybody goes on: built beside what stands, then put in its place.

The deliveries that are there at first are folded in bulk into tables of their own; then those that came meanwhile, in
turns, each shorter than the last. Then writers are kept out for the switch: what came since is folded too, whatever
rows are apart are replaced, and all of it is committed at once. Whoever reads sees the old state until then. A process
that is stopped or killed leaves that as it was, and the command can simply be run again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import structlog

from handlers.errors import MaintenworksError, PermanentError, TransientError
from handlers.events import Json
from handlers.store import distrust, rebuild, standing
from handlers.store.audit import append
from handlers.store.differences import DIFFERS, EXTRA, MISSING
from handlers.store.distrust import Distrust, Reach
from handlers.store.engine import Database
from handlers.store.reading import Held, Readable
from handlers.store.replace import Replacement
from handlers.store.retries import RowId
from handlers.store.rowset import Transaction
from handlers.store.scratch import GROUP
from handlers.store.shadow import Shadow
from handlers.store.standing import Doubt
from worker.acts import Operator
from worker.rebuild_bulk import Alone, Hands, load
from worker.rebuild_hands import ENOUGH, Recipe, several
from worker.rereading import Archive, LinedUp, addresses, folding_into, reread

PROBLEMS = (MISSING, EXTRA, DIFFERS)
FATES = ("applied", "buried", "retried")
FEW = 100
"""Deliveries that are left for the switch without a turn of their own: they take it a tenth of a second."""
TURNS = 6
"""Turns at most: one that is hardly shorter than the last says that the next would not be either."""
TRIES = 3
"""How often it begins again because what it had read has left the set meanwhile."""

log = structlog.get_logger(__name__)

T = TypeVar("T")
Doubts = dict[int, Doubt]
"""Of one delivery, by index."""


class Rebuilt(NamedTuple):
    """What a rebuild came to.

    Attributes:
        deliveries: read.
        older: events that had been read by another map.
        events: how many rows of them were missing, extra and different.
        rows: likewise of state.
        failures: dead letters that were `applied` or `buried`; `retried` what is tried again.
        held_s: seconds for which nobody else could write.
    """

    deliveries: int
    older: int
    events: dict[str, int]
    rows: dict[str, int]
    failures: dict[str, int]
    held_s: float = 0.0

    @property
    def told(self) -> dict[str, Json]:
        """As JSON."""
        return {
            "deliveries": self.deliveries,
            "older_map_events": self.older,
            "events": {name: self.events.get(name, 0) for name in PROBLEMS},
            "rows": {name: self.rows.get(name, 0) for name in PROBLEMS},
            "dead_letters": {name: self.failures.get(name, 0) for name in FATES},
        }


class LeftMeanwhileError(Exception):
    """Something that was folded already has left the set: it must be folded without."""


def run(
    database: Database, archive: Archive, operator: Operator, lined_up: LinedUp, recipe: Recipe | None = None
) -> Rebuilt:
    """Makes a connection's state what its archive comes to.

    Args:
        database: where both are.
        archive: whose, and how it is read.
        operator: who asked, and why.
        lined_up: for whoever watches.
        recipe: by which other processes help with a large archive; None for this one alone.

    Raises:
        TransientError: the database is away, or somebody holds it; nothing has changed.
        MaintenworksError: the archive is not whole; nothing has changed.
    """

    def switched(tx: Transaction, attempt: _Attempt) -> Rebuilt:
        rebuilt = attempt.switched(tx)
        asked: dict[str, Json] = {"connection": archive.connection.id, "map": archive.fingerprint}
        append(tx, operator.did("rebuild", asked, rebuilt.told), archive.now)
        return rebuilt

    return _tried(database, archive, recipe, lambda attempt: attempt.made(lined_up, switched))


def without(
    database: Database, archive: Archive, asked: Distrust, lined_up: LinedUp, recipe: Recipe | None = None
) -> tuple[Reach, Rebuilt]:
    """Takes deliveries out of the set, and makes the connection's state that of the set without them.

    Raises:
        TransientError: the database is away, or somebody holds it; nothing has changed.
        MaintenworksError: the archive is not whole; nothing has changed.
    """

    def switched(tx: Transaction, attempt: _Attempt) -> tuple[Reach, Rebuilt]:
        reached = distrust.take_out(tx, asked)
        rebuilt = attempt.switched(tx)
        since: dict[str, Json] = {"since": asked.since.isoformat(), "until": asked.until.isoformat()}
        came_to: dict[str, Json] = {**reached._asdict(), "rebuilt": rebuilt.told}
        operator = Operator(asked.who, asked.reason)
        append(
            tx, operator.did("connections.distrust", {"connection": asked.connection_id, **since}, came_to), asked.at
        )
        return reached, rebuilt

    return _tried(database, archive, recipe, lambda attempt: attempt.made(lined_up, switched), asked)


def _tried(
    database: Database,
    archive: Archive,
    recipe: Recipe | None,
    make: "Callable[[_Attempt], T]",
    asked: Distrust | None = None,
) -> T:
    """Makes an attempt; another where what was read has left the set, or where subjects cannot be told apart."""
    is_bulk = True
    for _ in range(TRIES):
        shadow = Shadow(database)
        try:
            return make(_Attempt(database, shadow, archive, recipe, is_bulk=is_bulk, asked=asked))
        except LeftMeanwhileError:
            log.info("rebuild_began_again", connection=archive.connection.id)
        except _AmbiguousError:
            is_bulk = False
        finally:
            shadow.close()
    raise TransientError("set_changed", f"{archive.connection.id}: the set changed again and again; run it later")


class _AmbiguousError(Exception):
    """Two subjects claim one event: which has it is decided by the order in which they came."""


@dataclass
class _Attempt:
    """One attempt: what was noted on the way to the switch."""

    database: Database
    shadow: Shadow
    archive: Archive
    recipe: Recipe | None
    is_bulk: bool = True
    older: int = 0
    asked: Distrust | None = None
    doubts: dict[str, Doubts] = field(default_factory=dict)
    began: int = 0
    compared: int = 0
    turn: int = 0
    replacement: Replacement = field(init=False)

    def __post_init__(self) -> None:
        self.dispatcher = folding_into(self.shadow, self.archive)
        self.addresses = addresses(self.archive.connection)

    def made(self, lined_up: LinedUp, switched: "Callable[[Transaction, _Attempt], T]") -> T:
        """Builds, catches up, and switches."""
        connection_id = self.archive.connection.id
        with self.database.read() as session:
            require_whole(Transaction(session), connection_id)
            self.older = standing.older(Transaction(session), connection_id, self.archive.fingerprint)
        self._build(lined_up)
        for _ in range(TURNS):
            if self._came() <= FEW:
                break
        self.replacement = Replacement(self.shadow, connection_id)
        self.compared = self.shadow.now()
        if self.shadow.dialect == "postgresql":
            with self.shadow.standing() as session:
                self.replacement.compare(session)
        with self.shadow.switch() as session:
            tx = Transaction(session)
            rebuild.exclude(tx, self.shadow.live)
            return switched(tx, self)

    def _line_up(self) -> int:
        """Notes what has come since that was last done; returns how many deliveries those are."""
        since, self.began = self.began, self.shadow.now()
        with self.shadow.standing() as session:
            came = self.shadow.line_up(session, self.addresses, self.turn, since)
            left_out = self.shadow.leave_out(session, distrust.taken(self.asked)) if self.asked is not None else 0
        return came - left_out

    def _build(self, lined_up: LinedUp) -> None:
        total = self._line_up()
        if self.is_bulk:
            try:
                with self._hands(total) as hands:
                    bulk = load(self.shadow, self.archive, hands, lined_up)
            except PermanentError as error:
                raise _AmbiguousError from error
            self._note(bulk.doubts)
            left = bulk.left_over
            for first in range(0, len(left), GROUP):
                self._reread(self.database, left[first : first + GROUP])
        else:
            self.shadow.finish_loading()
            self._turn(lined_up(total))

    def _hands(self, total: int) -> AbstractContextManager[Hands]:
        if self.recipe is not None and total >= ENOUGH:
            return several(self.recipe)
        return nullcontext(Alone(self.database, self.archive))

    def _came(self) -> int:
        """Folds what has come since the last turn; returns how many deliveries those were."""
        self.turn += 1
        came = self._line_up()
        self._turn()
        return came

    def _turn(self, advance: Callable[[int], object] = bool) -> None:
        for ids in self.shadow.groups(self.turn):
            self._reread(self.database, ids)
            advance(len(ids))

    def _reread(self, standing_in: Readable, ids: Sequence[str]) -> None:
        for each in ids:
            self.doubts.pop(each, None)
        self._note(reread(standing_in, self.dispatcher, self.archive, ids).doubts)

    def _note(self, doubts: Mapping[RowId, Doubt]) -> None:
        for (delivery_id, index), doubt in doubts.items():
            self.doubts.setdefault(delivery_id, {})[index] = doubt

    def switched(self, tx: Transaction) -> Rebuilt:
        """Folds what came last, and replaces what is apart; nobody else writes meanwhile."""
        began = time.perf_counter()
        session, held = tx.connection, Held(tx.connection)
        self.turn += 1
        self.shadow.line_up(session, self.addresses, self.turn, self.began)
        total = self.shadow.total(session)
        if total != self.shadow.in_set(session, self.addresses):
            raise LeftMeanwhileError
        changed = self._changed(tx)
        for ids in self.shadow.groups(self.turn):
            self._reread(held, ids)
        for first in range(0, len(changed), GROUP):
            self._reread(held, changed[first : first + GROUP])
        if self.shadow.dialect == "postgresql":
            self.replacement.look_again(session, self.compared)
        else:
            self.replacement.compare(session)
        counts = self.replacement.write_events(session), self.replacement.write_state(session)
        failures = rebuild.write_failures(held, self.shadow, self.archive.connection.id, self.archive.now)
        took = time.perf_counter() - began
        return Rebuilt(total, self.older, dict(counts[0]), dict(counts[1]), dict(failures), took)

    def _changed(self, tx: Transaction) -> list[str]:
        """The deliveries whose doubts are not what they were when they were read.

        Raises:
            LeftMeanwhileError: one of them may have been folded, and is out of the set now.
        """
        now: dict[str, Doubts] = {}
        for (delivery_id, index), doubt in standing.all_doubts(tx, self.shadow.arrivals).items():
            now.setdefault(delivery_id, {})[index] = doubt
        changed = sorted(each for each in {*now, *self.doubts} if now.get(each) != self.doubts.get(each))
        for each in changed:
            before = self.doubts.get(each, {})
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
