"""Connections: how each is, what it was refused, which secrets it uses; paused, resumed and revoked with a reason."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from handlers.errors import MaintenworksError
from handlers.store.read_health import health_of
from handlers.store.read_uptime import data_as_of
from worker.address import broker_url
from worker.console import acts, links, senders
from worker.console.ask import Ask, Page, see
from worker.console.look import page
from worker.console.pages._asked import known
from worker.console.refusals import malformed, missing
from worker.console.revoking import revoke
from worker.rejections import Rejection, rejections
from worker.shapes.connections import described, state

UNKNOWN: Final = "unknown"
"""Where requests under names that nobody registered are listed together; no connection may have this name."""
ELSEWHERE: Final = frozenset({"connection", "endpoint", "secrets", "map", "paused", "revoked"})
"""Members that the page of a connection shows in a place of their own."""


def listed(ask: Ask) -> Response:
    """All of them, and the addresses that some share."""
    registry, database = ask.house.registry, ask.house.database
    found, shared = registry.all(), registry.endpoints()
    health, newest = health_of(database), data_as_of(database, list(found))
    rows = [(described(each), state(each), health.get(name), newest.get(name)) for name, each in sorted(found.items())]
    return page(
        ask,
        "connections.html",
        rows=rows,
        endpoints=[(described(each), state(each)) for _, each in sorted(shared.items())],
        problems=registry.problems,
        unresolved=registry.unresolved(ask.house.now()),
        unknown=UNKNOWN,
    )


def show(ask: Ask) -> Response:
    """One connection or endpoint, or what came under names that nobody registered.

    Raises:
        RefusalError: there is none of that name.
    """
    name, registry = ask.query.get("id", ""), ask.house.registry
    found = known(ask).get(name) or registry.endpoints().get(name)
    if found is None and name != UNKNOWN:
        raise missing(f"There is no connection {name!r}.")
    told: dict[str, Any] = {} if found is None else described(found)
    refused, why_not = _rejections(ask, name)
    return page(
        ask,
        "connection.html",
        name=name,
        told=told,
        facts={each: value for each, value in told.items() if each not in ELSEWHERE and value not in (None, {}, "")},
        state=None if found is None else state(found),
        is_connection=name in known(ask),
        health=health_of(ask.house.database).get(name),
        newest=data_as_of(ask.house.database, [name]).get(name),
        sent=senders.sent_by(name),
        refused=refused,
        why_not=why_not,
        unresolved=registry.unresolved(ask.house.now()).get(name),
        unknown=UNKNOWN,
    )


def turned(ask: Ask) -> Response:
    """Pauses, resumes or revokes one.

    Raises:
        RefusalError: there is none, it has no reason, or the act is none of these.
    """
    name, act, operator = ask.form.get("id", ""), ask.form.get("act", ""), ask.operator()
    if act == "pause":
        acts.pause(ask.house, name, operator)
    elif act == "resume":
        acts.resume(ask.house, name, operator)
    elif act == "revoke":
        revoke(ask.house, name, ask.form.get("again", ""), operator)
    else:
        raise malformed(f"act: pause, resume or revoke; not {act!r}")
    return see(links.connection(name))


def _rejections(ask: Ask, name: str) -> tuple[Sequence[Rejection], str | None]:
    """What was refused of late; and why nobody knows, where the broker is away."""
    try:
        return rejections(broker_url(ask.house.settings), name), None
    except MaintenworksError as error:
        return (), str(error)


PAGES: Final = (
    Page("/connections", listed),
    Page("/connections/show", show),
    Page("/connections/show", turned, method="POST"),
)
