"""What events do: one file a concern, found by its one constant.

A new effect is one file in this folder with a constant `EFFECT`, and its test; nothing else is edited.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import NamedTuple

from handlers.events import Event, Outcome
from handlers.rules.facts import Fact, fact
from handlers.store.rowset import Transaction


class Effect(NamedTuple):
    """One concern.

    Attributes:
        name: for `routes` and the handler metric.
        rank: its turn; effects lock rows, so all transactions take their turns in one order.
        types: the event types it handles.
        apply: does it, for all facts of a batch at once.
        sees_all: it is shown whatever any effect handles, not only its own types.
    """

    name: str
    rank: int
    types: frozenset[str]
    apply: Callable[[Transaction, Sequence[Fact]], None]
    sees_all: bool = False


@cache
def load() -> tuple[Effect, ...]:
    """Every effect of the folder, in the order of their turns."""
    found = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return tuple(sorted((module.EFFECT for module in found), key=lambda effect: effect.rank))


def apply(
    tx: Transaction, events: Sequence[Event], timed: Callable[[str], AbstractContextManager[object]] = nullcontext
) -> list[Outcome]:
    """Applies events that are new, in one transaction.

    Args:
        tx: the transaction.
        events: each only once.
        timed: given an effect's name, a context in which it runs.

    Returns:
        How each ended, in their order.
    """
    effects = load()
    handled = frozenset().union(*(effect.types for effect in effects))
    facts = [fact(event) if event.type in handled else None for event in events]
    known = [each for each in facts if each is not None]
    for effect in effects:
        mine = known if effect.sees_all else [each for each in known if each.event.type in effect.types]
        if mine:
            with timed(effect.name):
                effect.apply(tx, mine)
    return [_outcome(each) for each in facts]


def _outcome(fact: Fact | None) -> Outcome:
    if fact is None:
        return Outcome.IGNORED
    return Outcome.APPLIED if fact.changed else Outcome.STALE
