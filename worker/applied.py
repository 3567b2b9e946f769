"""Recorded events are applied, each once: by a worker to what stands, by a purge to the checkpoint, in the same way."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from handlers import effects
from handlers.events import Outcome
from handlers.rules.fetching import counts_again
from handlers.store import events, fetches
from handlers.store.events import Arrival, Identity
from handlers.store.rowset import Transaction


class Applied(NamedTuple):
    """What became of events.

    Attributes:
        fresh: those that were new, by identity.
        again: those that were not.
        outcomes: how the new ones ended, in their order.
    """

    fresh: dict[Identity, Arrival]
    again: list[Arrival]
    outcomes: list[Outcome]


def apply(
    tx: Transaction,
    arrivals: Sequence[Arrival],
    new: AbstractSet[Identity],
    timed: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> Applied:
    """Applies those of some recorded events that are new, and notes how they ended and what is to be fetched.

    Args:
        tx: the transaction.
        arrivals: all of them, in the order in which they came.
        new: the identities that this transaction has recorded.
        timed: given an effect's name, a context in which it runs.
    """
    fresh: dict[Identity, Arrival] = {}
    again: list[Arrival] = []
    for arrival in arrivals:
        identity = events.identity(arrival.event)
        if identity in new and identity not in fresh:
            fresh[identity] = arrival
        else:
            again.append(arrival)
    applied = [arrival.event for arrival in fresh.values()]
    outcomes = effects.apply(tx, applied, timed)
    told_again = (each for each in again if counts_again(each.event))
    fetches.note(tx, [(each.event, each.received_at) for each in (*fresh.values(), *told_again)])
    ended = zip(applied, outcomes, strict=True)
    events.set_outcomes(tx, [(event, outcome) for event, outcome in ended if outcome is not Outcome.APPLIED])
    return Applied(fresh, again, outcomes)
