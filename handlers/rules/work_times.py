"""How long a work order took: to react, to repair, at work, on hold; and whether it was done again.

Variants (`reference/kpi.md` 1.2), told by the order's trail: *react* is first action less report (Tractian's "time to
action"), and of an order never begun its completion; *repair* is from the beginning of work to its completion, pauses
and all, added up over the spells of a reopened order, for the hours between are none of it; *in progress* leaves the
pauses out (MART); *on hold* is the pauses. What cannot be known is null, never 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

import msgspec

from handlers.events import Json
from handlers.rules.lifecycle import DELETED, FINISHED, REOPENED, UNFINISHED, Transition, moves, transitions
from handlers.rules.registers import Record
from handlers.rules.times import parse_instant

AT_WORK = frozenset({"in_progress", REOPENED})
PAUSED = AT_WORK | {"on_hold", DELETED}
"""States in which begun work stays begun: one that was deleted may be restored."""
REPORTED = frozenset({"requested", "approved", "scheduled"})
"""What an order begins as: the time of the first fact that says so is its report, where none is stated."""
NONE, SECOND = timedelta(), timedelta(seconds=1)


class WorkTimes(msgspec.Struct, frozen=True):
    """The times of one order; None is unknown, or not yet over.

    Attributes:
        react: from the report to the first work.
        repair: from the first work to the completion, of all its spells together.
        in_progress: at work, so far.
        on_hold: waiting, so far.
        reopened: how often finished work began again.
        since: when it came into the state in which it is.
    """

    react: timedelta | None = None
    repair: timedelta | None = None
    in_progress: timedelta | None = None
    on_hold: timedelta | None = None
    reopened: int = 0
    since: datetime | None = None

    def row(self) -> dict[str, Json]:
        """What an order prints of them, in whole seconds."""
        return {
            "rework": self.reopened > 0,
            "reopen_count": self.reopened,
            "time_to_react": _seconds(self.react),
            "time_to_repair": _seconds(self.repair),
            "time_in_progress": _seconds(self.in_progress),
            "time_on_hold": _seconds(self.on_hold),
        }


def work_times(order: Record, now: datetime) -> WorkTimes:
    """The times of an order.

    Args:
        order: its registers.
        now: up to which what lasts is counted (UTC).
    """
    found = transitions(moves(order.trail))
    known = [each for each in found if each.after is not None]
    if not known:
        return WorkTimes()
    states = _stretches(known, now)
    seen = known[0].after in UNFINISHED
    return WorkTimes(
        react=_react(order.fields, known),
        repair=_repair(order.fields, states),
        in_progress=_held(states, AT_WORK) if seen else None,
        on_hold=_held(states, frozenset({"on_hold"})) if seen else None,
        reopened=sum(each.reopens for each in found),
        since=instant(known[-1]),
    )


def instant(transition: Transition) -> datetime:
    """When a move was made: a completion when the work ended, where that is given."""
    ended = parse_instant(transition.move.completed_at) if transition.after == "completed" else None
    return ended or transition.move.at


class _Stretch(msgspec.Struct):
    state: str | None
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """Never below nothing: facts ordered by version may be told with times that run backwards."""
        return max(NONE, self.end - self.start)


def _stretches(found: Sequence[Transition], now: datetime) -> list[_Stretch]:
    ends = [instant(each) for each in found[1:]]
    return [_Stretch(each.after, instant(each), now if end is None else end) for each, end in zip_longest(found, ends)]


def _held(stretches: Iterable[_Stretch], states: frozenset[str]) -> timedelta:
    return sum((each.length for each in stretches if each.state in states), NONE)


def _react(fields: Mapping[str, Json], found: Sequence[Transition]) -> timedelta | None:
    reported = parse_instant(fields.get("requested_at"))
    if reported is None and found[0].after in REPORTED:
        reported = instant(found[0])
    begun, done = _first(found, AT_WORK), _first(found, frozenset({"completed"}))
    if begun is None or (done is not None and done < begun):
        begun = parse_instant(fields.get("actual_start_at")) or done
    if reported is None or begun is None or begun < reported:
        return None
    return begun - reported


def _first(found: Iterable[Transition], states: frozenset[str]) -> datetime | None:
    return next((instant(each) for each in found if each.after in states), None)


def _repair(fields: Mapping[str, Json], stretches: Sequence[_Stretch]) -> timedelta | None:
    """The spells of work that were completed; None while one lasts, and where the beginning of one is not known.

    Where no fact told of the first beginning the order's own start is taken, and times that contradict each other tell
    nothing.
    """
    spells: list[timedelta] = []
    begun: datetime | None = None
    before: str | None = None
    for each in stretches:
        if each.state in AT_WORK:
            begun = begun or each.start
        elif each.state == "completed" and before not in FINISHED:
            begun = begun or (None if spells else parse_instant(fields.get("actual_start_at")))
            if begun is None or each.start < begun:
                return None
            spells.append(each.start - begun)
            begun = None
        elif each.state not in PAUSED:
            begun = None  # work that was not begun after all, or given up
        before = each.state
    return sum(spells, NONE) if spells and begun is None else None


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else length // SECOND
