"""The life of a work order, judged on its sorted moves and never enforced.

The table is `reference/kpi.md` 3.6 (Maximo's and Atlas' lists beside ServiceNow's records), with `open` told as
`approved`, and `scheduled` standing between it and `in_progress`, where it may be skipped. What is not in the table was
still done, and the source knows: the move is applied and marked.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from handlers.events import Action
from handlers.rules.times import kept_instant

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
The table lets begun work be cancelled only without actuals; a status says nothing of actuals, so it stands here."""


class Move(msgspec.Struct, frozen=True):
    """What one fact says of an order's status.

    Attributes:
        at: when it happened (UTC).
        value: the unified status it states; None where it states none.
        action: `deleted`, `restored` or `reopened`; any other action, or None, says no more than the value.
    """

    at: datetime
    value: str | None
    action: str | None = None


def illegal_moves(moves: Sequence[Move]) -> list[dict[str, str]]:
    """The moves that the table does not know, as anomalies `{"code", "from", "to", "at"}`.

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
        if not _is_regular(move, state, reached):
            found.append(
                {"code": "illegal_transition", "from": str(state), "to": str(reached), "at": kept_instant(move.at)}
            )
        state = reached
    return found


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
