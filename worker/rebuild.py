"""State computed anew from the archive: a connection's deliveries, read again and folded into a database of their own.

What stands is made what they come to; rows that do not differ are not touched. All of a connection is written in one
transaction, so that a process that is killed leaves the state as it was, and the command can simply be run again.
"""

from typing import NamedTuple

from handlers.errors import MaintenworksError
from handlers.events import Json
from handlers.store import distrust, rebuild, standing
from handlers.store.audit import append
from handlers.store.differences import DIFFERS, EXTRA, MISSING
from handlers.store.distrust import Distrust, Reach
from handlers.store.engine import Database
from handlers.store.reading import Held
from handlers.store.rowset import Transaction
from handlers.store.scratch import Scratch
from worker.acts import Operator
from worker.rereading import Archive, LinedUp, recompute

PROBLEMS = (MISSING, EXTRA, DIFFERS)
FATES = ("applied", "buried", "retried")


class Rebuilt(NamedTuple):
    """What a rebuild came to.

    Attributes:
        deliveries: read.
        older: events that had been read by another map.
        events: how many rows of them were missing, extra and different.
        rows: likewise of state.
        failures: dead letters that were `applied` or `buried`; `retried` what is tried again.
    """

    deliveries: int
    older: int
    events: dict[str, int]
    rows: dict[str, int]
    failures: dict[str, int]

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


def run(database: Database, archive: Archive, operator: Operator, lined_up: LinedUp) -> Rebuilt:
    """Makes a connection's state what its archive comes to.

    Args:
        database: where both are; nobody else writes meanwhile.
        archive: whose, and how it is read.
        operator: who asked, and why.
        lined_up: for whoever watches.

    Raises:
        TransientError: the database is away, or somebody holds it; nothing has changed.
        MaintenworksError: the archive is not whole; nothing has changed.
    """
    with database.write() as session:
        held = Held(session)
        tx = Transaction(session)
        rebuild.exclude(tx)
        rebuilt = _rebuilt(held, archive, lined_up)
        asked: dict[str, Json] = {"connection": archive.connection.id, "map": archive.fingerprint}
        append(tx, operator.did("rebuild", asked, rebuilt.told), archive.now)
    return rebuilt


def without(database: Database, archive: Archive, asked: Distrust, lined_up: LinedUp) -> tuple[Reach, Rebuilt]:
    """Takes deliveries out of the set, and makes the connection's state that of the set without them.

    Raises:
        TransientError: the database is away, or somebody holds it; nothing has changed.
        MaintenworksError: the archive is not whole; nothing has changed.
    """
    with database.write() as session:
        held = Held(session)
        tx = Transaction(session)
        rebuild.exclude(tx)
        reached = distrust.take_out(tx, asked)
        rebuilt = _rebuilt(held, archive, lined_up)
        since: dict[str, Json] = {"since": asked.since.isoformat(), "until": asked.until.isoformat()}
        came_to: dict[str, Json] = {**reached._asdict(), "rebuilt": rebuilt.told}
        operator = Operator(asked.who, asked.reason)
        append(
            tx, operator.did("connections.distrust", {"connection": asked.connection_id, **since}, came_to), asked.at
        )
    return reached, rebuilt


def _rebuilt(held: Held, archive: Archive, lined_up: LinedUp) -> Rebuilt:
    tx = Transaction(held.connection)
    connection_id = archive.connection.id
    require_whole(tx, connection_id)
    older = standing.older(tx, connection_id, archive.fingerprint)
    with Scratch() as scratch:
        total, _ = recompute(held, scratch, archive, lined_up, as_recorded=False)
        told = rebuild.write_events(held, scratch, connection_id)
        rows = rebuild.write_state(held, scratch, connection_id)
        failures = rebuild.write_failures(held, scratch, connection_id, archive.now)
    return Rebuilt(total, older, dict(told), dict(rows), dict(failures))


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
