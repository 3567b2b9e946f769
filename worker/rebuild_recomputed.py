"""A connection's archive folded into a scratch database, as what stands was folded, to be compared with it."""

from collections.abc import Callable, Sequence

from handlers.store import checkpoint, labels, rebuild, standing
from handlers.store.reading import Held
from handlers.store.rowset import Transaction
from handlers.store.schema import deliveries
from handlers.store.scratch import GROUP, Scratch
from worker.rebuild_bulk import Alone, Came, Group, load
from worker.rebuild_hands import Recipe, hands
from worker.rereading import Archive, LinedUp, addresses, folding_into, reread


def recompute(
    held: Held, scratch: Scratch, archive: Archive, lined_up: LinedUp, recipe: Recipe | None, *, is_bulk: bool
) -> tuple[int, int]:
    """Folds a connection's archive into a scratch database, onto its checkpoint.

    What could not be applied stays out though it can be read now, and an event keeps the fingerprint of the map that
    has read it.

    Args:
        held: the transaction as of which it is; what other processes read of the archive does not change.
        scratch: empty.
        archive: whose, and how it is read.
        lined_up: for whoever watches.
        recipe: by which other processes help with much; None for this one alone.
        is_bulk: what is beyond doubt is folded by subject; else one by one, in the order in which it came.

    Returns:
        How many deliveries there are, and how many events could be applied now that stayed out.

    Raises:
        AmbiguousError: it must be begun again, one by one.
    """
    connection_id = archive.connection.id
    begun = checkpoint.copy(held, scratch.database, connection_id)
    total = scratch.line_up(held, connection_id, addresses(archive.connection))
    if begun or not is_bulk:
        advance = lined_up(total)
        left = 0
        for ids in scratch.groups():
            left += _reread(held, scratch, archive, ids)
            advance(len(ids))
        return total, left
    doubtful = frozenset(each for each, _ in standing.all_doubts(Transaction(held.connection), deliveries))
    groups = (Group(ids, doubtful.intersection(ids)) for ids in scratch.groups())
    with hands(recipe, total, Alone(held, archive)) as several:
        over = load(scratch, Came(total, scratch.size(), groups), connection_id, several, _awake(held, lined_up))
    left = sum(_reread(held, scratch, archive, over[first : first + GROUP]) for first in range(0, len(over), GROUP))
    if standing.older(Transaction(held.connection), connection_id, archive.fingerprint):
        labels.as_recorded(held, scratch, archive.fingerprint)
    return total, left


def _awake(held: Held, lined_up: LinedUp) -> LinedUp:
    """The same, that has the transaction say something whenever others have done a piece for it."""
    tx = Transaction(held.connection)
    rebuild.stay(tx)

    def told(total: int) -> Callable[[int], object]:
        advance = lined_up(total)

        def done(count: int) -> None:
            rebuild.stay(tx)
            advance(count)

        return done

    return told


def _reread(held: Held, scratch: Scratch, archive: Archive, ids: Sequence[str]) -> int:
    return reread(held, folding_into(scratch.database, archive), archive, ids, as_recorded=True).left
