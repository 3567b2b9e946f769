"""Events and deliveries: what came, what became of it, and having it worked on again."""

from typing import Any, Final, TypedDict

import msgspec

from handlers.events import Outcome
from handlers.store.read_deliveries import stories
from handlers.store.read_events import Wanted, listed_events
from handlers.store.reading import Part
from handlers.store.searching import Search
from worker.console import acts, payloads
from worker.console.api import paging
from worker.console.api.common import (
    BOOLEAN,
    CONNECTION,
    PAGE,
    SINCE,
    UNTIL,
    Because,
    Reason,
    all_of,
    between,
    choice,
    limit,
    operator,
)
from worker.console.api.operations import Call, Operation, Param
from worker.console.api.revealed import Payload, Revealed, revealed
from worker.console.house import House
from worker.console.refusals import conflict, missing
from worker.shapes import events as shapes
from worker.shapes.scalars import Count


class Again(msgspec.Struct, forbid_unknown_fields=True):
    """An event or a delivery, worked on once more.

    Attributes:
        reason: for the audit log.
        connection: only of this one.
    """

    reason: Reason
    connection: str | None = None


class Sent(TypedDict):
    """What is worked on again, as `events replay --json` prints it."""

    id: str
    matched: Count
    sent: Count


def events(house: House, call: Call) -> dict[str, Any]:
    """A page of events."""
    kind, key = shapes.subject(call.text("subject"))
    named = (call.text("connection"), call.text("type"), call.text("outcome"), kind, key)
    return _page(house, call, Wanted(*named, *between(call), canaries=call.flag("canaries")))


def of_order(house: House, call: Call) -> dict[str, Any]:
    """A page of the events about a work order."""
    wanted = Wanted(call.path["connection"], subject_kind="work_order", subject_key=call.path["key"])
    return _page(house, call, wanted)


def told(house: House, call: Call) -> dict[str, Any]:
    """What became of it.

    Raises:
        RefusalError: it is not kept.
    """
    found = [shapes.told(each) for each in stories(house.database, call.path["id"], call.text("connection"))]
    if not found:
        raise missing(f"{call.path['id']}: it has not been processed yet, or never came.")
    return all_of(found)


def payload(house: House, call: Call) -> Payload:
    """The payload, redacted."""
    delivery_id, connection = _delivery(house, call)
    return {
        "id": delivery_id,
        "payload": payloads.shown(house, connection, payloads.of_delivery(house, delivery_id)),
    }


def reveal(house: House, call: Call) -> Revealed:
    """The payload as it came."""
    delivery_id, _ = _delivery(house, call)
    body = payloads.of_delivery(house, delivery_id)
    return revealed(delivery_id, payloads.reveal(house, delivery_id, body, operator(call)))


def again(house: House, call: Call) -> Sent:
    """Has it worked on once more."""
    sent, matched = acts.again(house, call.path["id"], call.body.connection, operator(call))
    return {"id": call.path["id"], "matched": matched, "sent": sent}


def _page(house: House, call: Call, wanted: Wanted) -> dict[str, Any]:
    search = Search()
    part = Part(paging.decode(call.text("cursor"), tuple[str, int]), limit(call) + 1, search)
    found = listed_events(house.database, wanted, part)
    return paging.paged(found, limit(call), shapes.recorded, lambda each: (each.delivery_id, each.event_index), search)


def _delivery(house: House, call: Call) -> tuple[str, str]:
    """The one delivery that is meant, and whose it is."""
    found = list(stories(house.database, call.path["id"], call.text("connection")))
    if not found:
        raise missing(f"{call.path['id']}: it has not been processed yet, or never came.")
    if len(found) > 1:
        names = ", ".join(each.delivery_id for each in found)
        raise conflict(f"Several deliveries brought such an event; name one: {names}")
    return found[0].delivery_id, found[0].connection_id


TAG: Final = "events"
OPERATIONS: Final = (
    Operation(
        path="/events",
        name="list_events",
        summary="Events, those that came last first; without canaries unless they are asked for.",
        does=events,
        answer=shapes.Event,
        is_list=True,
        params=(
            CONNECTION,
            Param("type", "Of this type, such as work_order.completed."),
            choice("outcome", "That ended so.", *Outcome),
            Param("subject", "About this record: KIND/KEY such as work_order/WO-9, or a key of any kind."),
            SINCE,
            UNTIL,
            Param("canaries", "Our own events too, which a named connection, type or subject finds anyway.", BOOLEAN),
            *PAGE,
        ),
        tag=TAG,
    ),
    Operation(
        path="/events/{id}",
        name="get_event",
        summary="What became of an event or a delivery, by its id; of an id that came in several, of each.",
        does=told,
        answer=shapes.Told,
        is_list=True,
        params=(CONNECTION,),
        statuses=(404,),
        tag=TAG,
    ),
    Operation(
        path="/events/{id}/payload",
        name="get_event_payload",
        summary="The body of the delivery, laid out, with what is nobody's business masked.",
        does=payload,
        answer=Payload,
        params=(CONNECTION,),
        statuses=(404, 409),
        tag=TAG,
    ),
    Operation(
        path="/events/{id}/reveal",
        name="reveal_event_payload",
        summary="The body of the delivery exactly as it came.",
        does=reveal,
        answer=Revealed,
        params=(CONNECTION,),
        body=Because,
        statuses=(404, 409),
        tag=TAG,
    ),
    Operation(
        path="/events/{id}/replay",
        name="replay_event",
        summary="Have an event, or all of a delivery, worked on once more; what is applied stays as it is.",
        does=again,
        answer=Sent,
        body=Again,
        statuses=(404,),
        tag=TAG,
    ),
    Operation(
        path="/work-orders/{connection}/{key}/history",
        name="work_order_history",
        summary="The events about a work order, those that came last first.",
        does=of_order,
        answer=shapes.Event,
        is_list=True,
        params=PAGE,
        tag="records",
    ),
)
