"""What Makini calls its events: data events by entity and verb, operational ones by their alias.

Names are compared without regard to case, and to the marks between their words: `work-orders.updated`,
`work_orders_updated` and `workOrders.updated` are one. A letter more or less is another name, never guessed at.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

ENTITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "assets": ("assets", "asset"),
    "work-orders": ("workorders", "workorder"),
    "service-requests": ("servicerequests", "servicerequest", "workrequests", "workrequest"),
    "purchase-orders": ("purchaseorders", "purchaseorder"),
    "materials": ("materials", "material", "parts", "part", "inventoryitems", "inventoryitem"),
    "stocks": ("stocks", "stock"),
    "vendors": ("vendors", "vendor"),
    "meters": ("meters", "meter", "counters", "counter"),
    "meter-readings": ("meterreadings", "meterreading", "counterreadings", "counterreading"),
    "assets-downtime": ("assetsdowntime", "assetdowntime", "assetdowntimes"),
    "pm": ("pm", "pms", "preventivemaintenance", "preventivemaintenances"),
}
"""By the entity's path in the interface [G]: its names of both versions, singular too."""
VERBS: Final = {
    "inserted": "created",
    "created": "created",
    "updated": "updated",
    "deleted": "deleted",
}  # [G], [G-draft]
STATUSES_OF_CONNECTIONS: Final = ("connectionstatuses", "connectionstatus")  # [G-draft]

OPERATIONAL: Final = {  # I: names are published nowhere, only what they are about [FAQ:snapfulfil]
    "synccompleted": "sync.completed",
    "syncsucceeded": "sync.completed",
    "syncsuccess": "sync.completed",
    "syncsuccessful": "sync.completed",
    "syncdone": "sync.completed",
    "syncfailed": "sync.failed",
    "syncfailure": "sync.failed",
    "syncerror": "sync.failed",
    "connectiononline": "connection.online",
    "connectionoffline": "connection.offline",
    "connectionauthrequired": "connection.auth_required",
    "connectionreauthrequired": "connection.auth_required",
    "connectionauthenticationrequired": "connection.auth_required",
    "connectionreauthenticationrequired": "connection.auth_required",
    "connectionauthorizationrequired": "connection.auth_required",
    "connectionreauthorizationrequired": "connection.auth_required",
    "connectionstatuschanged": "connection.status_changed",
    "connectionstatuschange": "connection.status_changed",
    "connectionstatusupdated": "connection.status_changed",
    "systemerror": "system.error",
}
FINISHED: Final = frozenset({"syncfinished", "syncended"})  # I: how it went is then in the details
SUCCEEDED: Final = frozenset({"success", "succeeded", "completed", "done", "fulldone"})  # `sync_status` [G oas3_system]
FAILED: Final = frozenset({"failure", "failed", "fail", "error"})  # likewise

STATES: Final = {
    "online": "online",
    "active": "online",
    "offline": "offline",
    "inactive": "offline",
    "authrequired": "auth_required",
    "reauthrequired": "auth_required",
    "authenticationrequired": "auth_required",
    "reauthenticationrequired": "auth_required",
    "authorizationrequired": "auth_required",
    "reauthorizationrequired": "auth_required",
}
"""What a connection's status means for its health: D4's Active and Inactive, FAQ's online, offline and
reauthorisation. Pending, Synchronizing and In progress say neither."""

_MARKS: Final = str.maketrans("", "", "._-/ ")
_BY_NAME: Final = {name: entity for entity, names in ENTITIES.items() for name in names}
MAX_NAME: Final = 64
"""Characters of the longest name looked up; ours are half as long."""


class Named(NamedTuple):
    """What a data event's name says.

    Attributes:
        entity: a key of `ENTITIES`; None for one that no record of ours is made of.
        verb: one of ours.
    """

    entity: str | None
    verb: str


def squashed(name: str) -> str:
    """A name without what does not tell it from others."""
    return name[:MAX_NAME].translate(_MARKS).lower()


def entity_of(name: str) -> str | None:
    """The entity that is called so; None for none of ours."""
    return _BY_NAME.get(squashed(name))


def data_event(squashed_name: str) -> Named | None:
    """What a squashed name says, where it is an entity and a verb."""
    for verb, ours in VERBS.items():
        if squashed_name.endswith(verb):
            return Named(_BY_NAME.get(squashed_name.removesuffix(verb)), ours)
    return None


def operational(squashed_name: str, result: str | None) -> str | None:
    """The operational event of ours that a squashed name stands for.

    Args:
        squashed_name: the event's.
        result: what the details say of how it went, squashed; asked only where the name does not.
    """
    found = OPERATIONAL.get(squashed_name)
    if found is not None:
        return found
    if squashed_name in FINISHED:
        return "sync.completed" if result in SUCCEEDED else "sync.failed" if result in FAILED else None
    for name in STATUSES_OF_CONNECTIONS:
        if squashed_name.startswith(name) and squashed_name.removeprefix(name) in VERBS:
            return "connection.status_changed"
    return None
