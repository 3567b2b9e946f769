"""State computed anew from the archive, while everybody goes on: built beside what stands, then put in its place.

The deliveries that are there at first are folded in bulk into tables of their own; then those that came meanwhile, in
turns, each shorter than the last. Then writers are kept out for the switch: what came since is folded too, whatever
rows are apart are replaced, and all of it is committed at once. Whoever reads sees the old state until then. A process
that is stopped or killed leaves that as it was, and the command can simply be run again.
"""

from collections.abc import Callable
from typing import TypeVar

from handlers.errors import TransientError
from handlers.events import Json
from handlers.store import distrust
from handlers.store.audit import append
from handlers.store.distrust import Distrust, Reach
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from handlers.store.shadow import Shadow
from worker.acts import Operator
from worker.rebuild_attempt import Attempt, LeftMeanwhileError
from worker.rebuild_bulk import AmbiguousError
from worker.rebuild_hands import Recipe
from worker.rebuilt import Rebuilt
from worker.rereading import Archive, LinedUp

TRIES = 3
"""How often it is tried; in the last nobody else writes from the beginning, so that it comes to an end."""

T = TypeVar("T")


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

    def switched(tx: Transaction, attempt: Attempt) -> Rebuilt:
        rebuilt = attempt.switch(tx)
        asked: dict[str, Json] = {"connection": archive.connection.id, "map": archive.fingerprint}
        append(tx, operator.did("rebuild", asked, rebuilt.told), archive.now)
        return rebuilt

    return _tried(database, archive, recipe, lambda attempt: attempt.made(lined_up, switched))


def without(
    database: Database, archive: Archive, asked: Distrust, lined_up: LinedUp, recipe: Recipe | None = None
) -> tuple[Reach, Rebuilt]:
    """Takes deliveries out of the set, and makes a connection's state that of the set without them, in one.

    Of an address that several share this is the first; the state of the others is what `run` then makes it.

    Args:
        database: where all of it is.
        archive: whose, and how it is read.
        asked: which deliveries.
        lined_up: as for `run`.
        recipe: likewise.

    Raises:
        TransientError: the database is away, or somebody holds it; nothing has changed.
        MaintenworksError: the archive is not whole; nothing has changed.
    """

    def switched(tx: Transaction, attempt: Attempt) -> tuple[Reach, Rebuilt]:
        reached = distrust.take_out(tx, asked)
        rebuilt = attempt.switch(tx)
        _note(tx, asked, {**reached._asdict(), "rebuilt": rebuilt.told})
        return reached, rebuilt

    return _tried(database, archive, recipe, lambda attempt: attempt.made(lined_up, switched), asked)


def taken_out(database: Database, asked: Distrust) -> Reach:
    """Takes deliveries out of the set that are in no connection's state: of an address that nobody shares any more.

    Raises:
        TransientError: the database is away; nothing has changed.
    """
    with database.write() as session:
        tx = Transaction(session)
        reached = distrust.take_out(tx, asked)
        _note(tx, asked, reached._asdict())
    return reached


def _note(tx: Transaction, asked: Distrust, came_to: dict[str, Json]) -> None:
    since: dict[str, Json] = {"since": asked.since.isoformat(), "until": asked.until.isoformat()}
    told = {"connection": asked.connection_id, **since}
    append(tx, Operator(asked.who, asked.reason).did("connections.distrust", told, came_to), asked.at)


def _tried(
    database: Database,
    archive: Archive,
    recipe: Recipe | None,
    make: Callable[[Attempt], T],
    asked: Distrust | None = None,
) -> T:
    """Makes an attempt; another where what was read has left the set, or where subjects cannot be told apart."""
    is_bulk = True
    for left in reversed(range(TRIES)):
        shadow = Shadow(database)
        try:
            return make(Attempt(database, shadow, archive, recipe, asked, is_bulk=is_bulk, is_alone=not left))
        except LeftMeanwhileError:
            continue
        except AmbiguousError:
            is_bulk = False
        finally:
            shadow.close()
    raise TransientError("set_changed", f"{archive.connection.id}: the set changed again and again; run it later")
