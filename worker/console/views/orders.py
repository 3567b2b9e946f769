"""The life of one work order: the states it was in, and which event set which field. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import NamedTuple

from handlers.rules.lifecycle import moves, transitions
from handlers.rules.order import event_of
from handlers.rules.registers import CUSTOM, DEFAULT, WARNED, Record
from handlers.rules.work_times import instant


class Step(NamedTuple):
    """A stay in one state.

    Attributes:
        state: which.
        since: when it came into it.
        until: when it left it; None for the last.
        length: how long it stayed, so far.
        is_regular: whether the table of moves knows how it came there.
        event_id: the event that told so.
    """

    state: str
    since: datetime
    until: datetime | None
    length: timedelta
    is_regular: bool
    event_id: str


def steps(order: Record, now: datetime) -> list[Step]:
    """The states of an order, the first first; what was told before any state is left out."""
    found = [each for each in transitions(moves(order.trail)) if each.after is not None]
    starts = [instant(each) for each in found]
    return [
        Step(
            state=str(each.after),
            since=since,
            until=until,
            length=max((until or now) - since, timedelta()),
            is_regular=each.is_regular,
            event_id=event_of(each.move.stamp),
        )
        for each, since, until in zip_longest(found, starts, starts[1:])
    ]


def set_by(order: Record) -> dict[str, str]:
    """By field, the event whose value it has."""
    found: dict[str, str] = {}
    for name, stamp in order.stamps.items():
        if not name.startswith(WARNED) and order.fields.get(name) is not None:
            found.setdefault(name.removesuffix(DEFAULT), event_of(stamp))
    return found


def standing(order: Record) -> Mapping[str, Sequence[str]]:
    """By event, the fields that have the value that it set."""
    found: dict[str, list[str]] = {}
    for name, stamp in sorted(order.stamps.items()):
        value = (
            order.custom_fields.get(name.removeprefix(CUSTOM)) if name.startswith(CUSTOM) else order.fields.get(name)
        )
        if not name.startswith(WARNED) and value not in (None, False):
            field = name.removesuffix(DEFAULT).removeprefix(CUSTOM)
            held = found.setdefault(event_of(stamp), [])
            if field not in held:
                held.append(field)
    return found
