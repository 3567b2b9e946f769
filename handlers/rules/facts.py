"""A batch of facts folded into the records of one kind: what every effect does first."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from handlers.events import Action, Event, Json
from handlers.rules import order, trail
from handlers.rules.registers import Record, fold, writes
from handlers.rules.times import kept_instant

Step = Callable[[Action, Mapping[str, Json]], dict[str, Json]]
"""What of one fact a kind keeps on its trail."""
Key = tuple[str, str]
"""(connection, key): with the kind, the identity of a record."""


class Fact(msgspec.Struct):
    """An event on its way through the effects.

    Attributes:
        event: what happened.
        stamp: its place in the order of facts.
        written: the registers it writes.
        changed: whether it changed a row of state.
        record: its subject's registers after the fold, where its kind is folded.
        assets: those that it names (`handlers.rules.naming`); None until somebody asks.
    """

    event: Event
    stamp: str
    written: dict[str, Json]
    changed: bool = False
    record: Record | None = None
    assets: list[str] | None = None

    @property
    def subject(self) -> Key:
        """Its subject within its kind."""
        return (self.event.connection_id, self.event.key)


def fact(event: Event) -> Fact:
    """An event with its stamp and everything it writes."""
    return Fact(event, order.stamp(event), writes(event, kept_instant(event.occurred_at)))


def fold_all(facts: Sequence[Fact], held: Mapping[Key, Record], step: Step | None = None) -> None:
    """Merges every fact into its subject's registers, notes on it whether a register took it, and keeps its trail.

    Args:
        facts: of one kind.
        held: the records by key.
        step: what this kind keeps on the trail; None keeps no trail.
    """
    for each in facts:
        record = held[each.subject]
        each.changed = fold(record, each.event, each.stamp, each.written)
        each.record = record
        kept = step(each.event.action, each.written) if step is not None else {}
        if kept:
            trail.insert(record, each.stamp, kept)
