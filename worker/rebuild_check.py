"""Whether what stands is what the archive comes to: nothing is written, and nobody has to wait."""

from collections.abc import Callable
from typing import NamedTuple

from handlers.events import Json
from handlers.store import rebuild, standing
from handlers.store.differences import DIFFERS, FOLDED, Difference, differences
from handlers.store.engine import Database
from handlers.store.older_map import explained
from handlers.store.reading import Held
from handlers.store.replace import ARRIVAL
from handlers.store.rowset import Transaction
from handlers.store.schema import events
from handlers.store.scratch import Scratch
from worker.rebuild_attempt import require_whole
from worker.rebuild_bulk import AmbiguousError
from worker.rebuild_hands import Recipe
from worker.rebuild_recomputed import recompute
from worker.rereading import Archive, LinedUp


class Finding(NamedTuple):
    """A row that is not what the archive comes to.

    Attributes:
        connection: whose.
        kind: the table.
        key: its key there, without the connection.
        problem: `missing`, `extra` or `differs`.
        fields: by which it differs.
    """

    connection: str
    kind: str
    key: str
    problem: str
    fields: tuple[str, ...]

    @property
    def told(self) -> dict[str, Json]:
        """As JSON."""
        return {**self._asdict(), "fields": list(self.fields)}


class Checked(NamedTuple):
    """What a check came to.

    Attributes:
        connection: whose.
        deliveries: read.
        differences: rows that differ though the map is the one that has read them.
        older_map: rows that differ, about which an event was read by an older map; a rebuild makes them those of now.
        older_map_events: events that were read by an older map, whether that makes a difference or not.
        readable: events of dead letters that can be read now; a rebuild applies them.
    """

    connection: str
    deliveries: int
    differences: int
    older_map: int
    older_map_events: int
    readable: int


def check(
    database: Database,
    archive: Archive,
    tell: Callable[[Finding], object],
    lined_up: LinedUp,
    recipe: Recipe | None = None,
) -> Checked:
    """Compares a connection's state with what its archive comes to, both as of one moment.

    What is on its way, or could not be applied, is compared as it stands: not applied.

    Args:
        database: where both are.
        archive: whose, and how it is read.
        tell: told of each difference that no older map explains.
        lined_up: for whoever watches.
        recipe: by which other processes help with a large archive; None for this one alone.

    Raises:
        TransientError: the database is away.
        MaintenworksError: the archive is not whole.
    """
    with database.read() as session:
        held = Held(session)
        require_whole(Transaction(session), archive.connection.id)
        try:
            with Scratch() as scratch:
                counts = recompute(held, scratch, archive, lined_up, recipe, is_bulk=True)
                return _compared(held, scratch, archive, tell, counts)
        except AmbiguousError:
            with Scratch() as scratch:
                counts = recompute(held, scratch, archive, lined_up, None, is_bulk=False)
                return _compared(held, scratch, archive, tell, counts)


def _compared(
    held: Held, scratch: Scratch, archive: Archive, tell: Callable[[Finding], object], counts: tuple[int, int]
) -> Checked:
    connection_id, fingerprint = archive.connection.id, archive.fingerprint
    older = sum(standing.older(Transaction(held.connection), connection_id, fingerprint).values())
    found = by_map = 0
    for table in (events, *FOLDED):
        ignored = ARRIVAL if table is events else ()
        for page in differences(held, scratch, table, connection_id, ignored):
            wrong = _wrong(page) if table is events else page
            of_map = explained(held, scratch, connection_id, fingerprint, wrong) if older else [False] * len(wrong)
            for each, is_of_map in zip(wrong, of_map, strict=True):
                if not is_of_map:
                    tell(_finding(connection_id, each))
            found += of_map.count(False)
            by_map += of_map.count(True)
    return Checked(connection_id, counts[0], found, by_map, older, counts[1])


def _wrong(page: list[Difference]) -> list[Difference]:
    """The events of a page that differ in what they must not."""
    narrowed = [each._replace(fields=rebuild.told(each)) for each in page]
    return [each for each in narrowed if each.problem != DIFFERS or each.fields]


def _finding(connection_id: str, difference: Difference) -> Finding:
    key = "/".join(value for name, value in difference.key.items() if name != "connection_id" and value)
    return Finding(connection_id, difference.table.name, key, difference.problem, difference.fields)
