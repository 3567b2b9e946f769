"""Replays: plan, start, progress, stop, and go on."""

from typing import Annotated, Any, Final

import msgspec

from handlers.store import replays
from handlers.store.rowset import Transaction
from worker.console import acts
from worker.console.api import paging
from worker.console.api.common import PAGE, Because, Reason, limit, operator
from worker.console.api.letter_filters import FILTERS, Filters, chosen
from worker.console.api.operations import Call, Operation
from worker.console.house import House
from worker.replay import DEFAULT_RATE
from worker.shapes import letters as shapes

FASTEST: Final = 999_999
"""Letters a second."""


class Start(msgspec.Struct, forbid_unknown_fields=True):
    """Letters that are sent on their way again, so many a second."""

    filters: Filters
    reason: Reason
    rate_per_s: Annotated[int, msgspec.Meta(ge=1, le=FASTEST)] = DEFAULT_RATE


def listed(house: House, call: Call) -> dict[str, Any]:
    """A page of replays."""
    last = paging.decode(call.text("cursor"), tuple[str])
    with house.database.read() as session:
        found = replays.listed(Transaction(session))
    behind = (each for each in found if last is None or each.replay_id > last[0])
    return paging.paged(behind, limit(call), shapes.replay_described, lambda each: (each.replay_id,))


def plan(house: House, call: Call) -> shapes.Planned:
    """What one would come to."""
    return shapes.planned(acts.plan(house, chosen(call)))


def progress(house: House, call: Call) -> shapes.Progress:
    """How far one is."""
    return shapes.progress(*acts.standing(house, call.path["id"]))


def start(house: House, call: Call) -> shapes.Progress:
    """Starts one."""
    begun = acts.start(house, call.body.filters.wanted(), operator(call), call.body.rate_per_s)
    return shapes.progress(*acts.standing(house, begun.replay_id))


def stop(house: House, call: Call) -> shapes.Progress:
    """Stops one."""
    return _turned(house, call, running=False)


def resume(house: House, call: Call) -> shapes.Progress:
    """Goes on with one."""
    return _turned(house, call, running=True)


def _turned(house: House, call: Call, *, running: bool) -> shapes.Progress:
    turned = acts.turn(house, call.path["id"], operator(call), running=running)
    return shapes.progress(*acts.standing(house, turned.replay_id))


TAG: Final = "replays"
OPERATIONS: Final = (
    Operation(
        path="/replays",
        name="list_replays",
        summary="The replays that there were, the newest last.",
        does=listed,
        answer=shapes.ReplayTold,
        is_list=True,
        params=PAGE,
        tag=TAG,
    ),
    Operation(
        path="/replays/plan",
        name="plan_replay",
        summary="What a replay of some dead letters would come to: which are eligible, and what holds the others up.",
        does=plan,
        answer=shapes.Planned,
        params=tuple(FILTERS),
        tag=TAG,
    ),
    Operation(
        path="/replays",
        name="start_replay",
        summary="Send dead letters on their way again, live traffic first.",
        does=start,
        answer=shapes.Progress,
        body=Start,
        statuses=(409,),
        tag=TAG,
    ),
    Operation(
        path="/replays/{id}",
        name="get_replay",
        summary="How far a replay is, and what has become of what it sent.",
        does=progress,
        answer=shapes.Progress,
        statuses=(404,),
        tag=TAG,
    ),
    Operation(
        path="/replays/{id}/stop",
        name="stop_replay",
        summary="Stop a replay: what was sent stays sent.",
        does=stop,
        answer=shapes.Progress,
        body=Because,
        statuses=(404,),
        tag=TAG,
    ),
    Operation(
        path="/replays/{id}/resume",
        name="resume_replay",
        summary="Go on with a replay that was stopped.",
        does=resume,
        answer=shapes.Progress,
        body=Because,
        statuses=(404,),
        tag=TAG,
    ),
)
