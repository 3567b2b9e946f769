"""The life of a work order, judged on its sorted moves and never enforced.

The table is `reference/kpi.md` 3.6 (Maximo's and Atlas' lists beside ServiceNow's records), with `open` told as
`approved`, and `scheduled` standing between it and `in_progress`, where it may be skipped. What is not in the table was
still done, and the source knows: the move is applied and marked.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from handlers.events import Action, Json
from handlers.rules.order import occurred_at, word
from handlers.rules.times import kept_instant
from handlers.rules.trail import Step

REOPENED = "reopened"
"""The state right after `work_order.reopened`, until a status is stated; its status reads `in_progress`."""
DELETED = "deleted"

NEXT: Mapping[str, frozenset[str]] = {
    "requested": frozenset({"approved", "cancelled"}),
    "approved": frozenset({"scheduled", "in_progress", "on_hold", "completed", "cancelled"}),
    "scheduled": frozenset({"approved", "in_progress", "on_hold", "completed", "cancelled"}),
    "in_progress": frozenset({"approved", "scheduled", "on_hold", "completed", "cancelled"}),
    "on_hold": frozenset({"approved", "scheduled", "in_progress", "completed", "cancelled"}),
    "completed": frozenset({"closed", REOPENED}),
    "closed": frozenset({REOPENED}),
    REOPENED: frozenset({"in_progress", "on_hold", "completed"}),
    "cancelled": frozenset(),
    DELETED: frozenset(),
}
"""Which states may follow which. Approved to completed is a quick report; back to approved or scheduled is an unstart.
Begun work may be cancelled only as long as nothing is booked on it, which is judged apart."""
BEGUN = frozenset({"in_progress", "on_hold"})
"""From these the table lets an order be cancelled only without actuals (Maximo)."""
FINISHED = frozenset({"completed", "closed"})
UNFINISHED = frozenset({"requested", "approved", "scheduled", "in_progress", "on_hold"})


class Move(msgspec.Struct, frozen=True):
    """What one fact says of an order's status.

    Attributes:
        at: when it happened (UTC).
        value: the unified status it states; None where it states none.
        action: `deleted`, `restored` or `reopened`; any other action, or None, says no more than the value.
        completed_at: the end of work that it gives, in kept form; None where it gives none.
        stamp: the fact's place in the order of facts.
    """

    at: datetime
    value: str | None
    action: str | None = None
    completed_at: Json = None
    stamp: str = ""


class Transition(msgspec.Struct, frozen=True):
    """A move that led from one state to another.

    Attributes:
        move: the fact that made it.
        before: the state it left; None where what came before was not seen.
        after: the state it reached; None where an order of which no status is known was restored.
        is_regular: the table knows it.
    """

    move: Move
    before: str | None
    after: str | None
    is_regular: bool

    @property
    def reopens(self) -> bool:
        """Whether work that was finished, or is said to have been, begins again: it is rework."""
        return self.after == REOPENED or (self.before in FINISHED and self.after in UNFINISHED)

    def anomaly(self, **more: str) -> dict[str, str]:
        """It as an anomaly: `{"code", "from", "to", "at"}`."""
        ends = {"from": str(self.before), "to": str(self.after)}
        return {"code": "illegal_transition", **ends, "at": kept_instant(self.move.at), **more}


def moves(trail: Iterable[Step]) -> list[Move]:
    """What the facts of an order's trail say of its status, in their order."""
    return [
        Move(
            at=occurred_at(stamp),
            value=word(kept.get("status")),
            action=word(kept.get("action")),
            completed_at=kept.get("completed_at"),
            stamp=stamp,
        )
        for stamp, kept in trail
    ]


def transitions(moves: Iterable[Move]) -> list[Transition]:
    """The moves from state to state, judged by the table.

    The first known state is never judged (what came before was not seen), nor is one from or to a status outside the
    table, such as `unknown`; a repeat of the status is an update, not a move; deleting and restoring are regular
    anywhere. After an illegal move the walk goes on from where it led.

    Args:
        moves: of one order, in the order of facts.
    """
    found = []
    state: str | None = None
    status: str | None = None
    for move in moves:
        reached = _reached(move, state, status)
        if move.value is not None:
            status = move.value
        elif reached == REOPENED:
            status = "in_progress"
        if reached != state:
            found.append(Transition(move, state, reached, _is_regular(move, state, reached)))
        state = reached
    return found


def illegal_moves(moves: Iterable[Move], *, actuals: bool = False) -> list[dict[str, str]]:
    """The moves that the table does not know, as anomalies `{"code", "from", "to", "at"}`, in the order of facts.

    Args:
        moves: of one order, in the order of facts.
        actuals: work, material or money is booked on the order; if it stands cancelled, though work had begun, the move
            that cancelled it is one too, with `"because": "actuals"`.
    """
    found = transitions(moves)
    cancelling = cancelled_with_actuals(found) if actuals else None
    return [
        each.anomaly(because="actuals") if each is cancelling else each.anomaly()
        for each in found
        if each is cancelling or not each.is_regular
    ]


def cancelled_with_actuals(found: Sequence[Transition]) -> Transition | None:
    """Of an order on which something is booked: the move that cancelled begun work, if that still stands."""
    lasting = [each for each in found if DELETED not in {each.before, each.after}]
    last = lasting[-1] if lasting else None
    return last if last is not None and last.after == "cancelled" and last.before in BEGUN else None


def _reached(move: Move, state: str | None, status: str | None) -> str | None:
    """The state after a move: as before where it only repeats or states nothing."""
    if move.action == Action.DELETED:
        return DELETED
    if move.action == Action.REOPENED:
        return REOPENED
    if move.action == Action.RESTORED:
        return status if move.value is None else move.value
    if move.value is None or (state == DELETED and move.value == status):
        return state
    return move.value


def _is_regular(move: Move, state: str | None, reached: str | None) -> bool:
    if move.action in {Action.DELETED, Action.RESTORED} or reached == state:
        return True
    if state is None or reached is None or state not in NEXT or reached not in NEXT:
        return True
    return reached in NEXT[state]
