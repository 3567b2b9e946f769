"""Connections, with their health and what their senders were refused; pausing and resuming one."""

from typing import Annotated, Any, Final, TypedDict

import msgspec

from handlers.errors import TransientError
from handlers.store.read_health import health_of
from worker.console import acts, revoking
from worker.console.api.common import Because, Reason, all_of, operator
from worker.console.api.operations import Call, Operation
from worker.console.house import House
from worker.console.refusals import missing
from worker.queue import broker_url, rejections
from worker.shapes import connections as shapes

UNKNOWN: Final = "unknown"
"""Where refusals under names that nobody registered are listed together."""


class Sure(msgspec.Struct, forbid_unknown_fields=True):
    """An act that only the command line can take back.

    Attributes:
        reason: for the audit log.
        again: the connection's id once more.
    """

    reason: Reason
    again: Annotated[str, msgspec.Meta(description="the connection's id once more, to be sure")]


class Revoked(TypedDict):
    """A connection, or an address that some share, which is refused everything from now on."""

    connection: str
    revoked: bool


def listed(house: House, _: Call) -> dict[str, Any]:
    """Every connection."""
    health = _health(house)
    return all_of([shapes.record(each, health.get(each.id)) for each in house.registry.all().values()])


def one(house: House, call: Call) -> shapes.Record:
    """One of them."""
    found = acts.connection(house, call.path["id"])
    return shapes.record(found, _health(house).get(found.id))


def refused(house: House, call: Call) -> dict[str, Any]:
    """What was refused of late."""
    name = call.path["id"]
    if name != UNKNOWN and house.registry.get(name) is None and house.registry.endpoint(name) is None:
        raise missing(f"There is no connection {name!r}.")
    return all_of([shapes.rejected(name, each) for each in rejections(broker_url(house.settings), name)])


def pause(house: House, call: Call) -> shapes.Record:
    """Pauses one."""
    found = acts.pause(house, call.path["id"], operator(call))
    return shapes.record(found, _health(house).get(found.id))


def resume(house: House, call: Call) -> shapes.Record:
    """Resumes one."""
    found = acts.resume(house, call.path["id"], operator(call))
    return shapes.record(found, _health(house).get(found.id))


def revoke(house: House, call: Call) -> Revoked:
    """Revokes one, or the address that some share."""
    name = call.path["id"]
    revoking.revoke(house, name, call.body.again, operator(call))
    return {"connection": name, "revoked": True}


def _health(house: House) -> dict[str, dict[str, Any]]:
    """By connection; nothing while the database is away: connections are configuration, and are told all the same."""
    try:
        return health_of(house.database)
    except TransientError:
        return {}


TAG: Final = "connections"
OPERATIONS: Final = (
    Operation(
        path="/connections",
        name="list_connections",
        summary="Every connection, with its health; all of them. Of secrets, where each is.",
        does=listed,
        answer=shapes.Record,
        is_list=True,
        tag=TAG,
    ),
    Operation(
        path="/connections/{id}",
        name="get_connection",
        summary="One of them.",
        does=one,
        answer=shapes.Record,
        statuses=(404,),
        tag=TAG,
    ),
    Operation(
        path="/connections/{id}/rejections",
        name="list_rejections",
        summary="The last 100 requests that were refused, the newest first; `unknown` for names nobody registered.",
        does=refused,
        answer=shapes.Rejected,
        is_list=True,
        statuses=(404,),
        tag=TAG,
    ),
    Operation(
        path="/connections/{id}/pause",
        name="pause_connection",
        summary="Keep what it sends, and apply none of it until it is resumed.",
        does=pause,
        answer=shapes.Record,
        body=Because,
        statuses=(404,),
        tag=TAG,
    ),
    Operation(
        path="/connections/{id}/resume",
        name="resume_connection",
        summary="Apply again what it sends, and what it sent meanwhile.",
        does=resume,
        answer=shapes.Record,
        body=Because,
        statuses=(404,),
        tag=TAG,
    ),
    Operation(
        path="/connections/{id}/revoke",
        name="revoke_connection",
        summary="Refuse everything it sends from now on; only `maintenworks connections add` takes it in again.",
        does=revoke,
        answer=Revoked,
        body=Sure,
        statuses=(404, 409),
        tag=TAG,
    ),
)
