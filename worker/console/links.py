"""Where things have their page: one address each, the id in its query.

Ids come from outside. In a path browsers and proxies would make something of `..` and `/`; in a query nobody does.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from worker.shapes.kinds import KINDS

EVENT: Final = "/events/show"
LETTER: Final = "/dead-letters/show"
REPLAY: Final = "/replays/show"
CONNECTION: Final = "/connections/show"
RECORD: Final = "/records/show"
RECORD_PAGES: Final = {"work_order": "/work-orders/show", "asset": "/assets/show"}
"""By kind of record: those that have a page of their own kind."""


def to(path: str, **query: object) -> str:
    """An address of ours: the path, and those members of the query that are neither None nor empty."""
    given = {name.rstrip("_"): str(value) for name, value in query.items() if value not in (None, "")}
    # Half a surrogate pair has no address; whatever stands for it is not found, which is right.
    return f"{path}?{urlencode(given, errors='replace')}" if given else path


def event(id_: str, connection: str | None = None) -> str:
    """The page of an event or of a delivery: its story."""
    return to(EVENT, id=id_, connection=connection)


def letter(name: str) -> str:
    """The page of a dead letter, by its name such as `DELIVERY/3`."""
    return to(LETTER, id=name)


def replay(id_: str) -> str:
    """The page of a replay."""
    return to(REPLAY, id=id_)


def connection(id_: str) -> str:
    """The page of a connection."""
    return to(CONNECTION, id=id_)


def record(kind: str, connection_id: str, key: str) -> str:
    """The page of a record; of what is none, such as the subject of a type that nobody handles, its events."""
    if kind == "connection":
        return connection(connection_id)
    if kind not in KINDS.values():
        return to("/events", connection=connection_id, subject=key)
    page = RECORD_PAGES.get(kind)
    if page is None:
        return to(RECORD, kind=kind, connection=connection_id, key=key)
    return to(page, connection=connection_id, key=key)


def local(text: str | None) -> str:
    """Where to go on to, as it was given: a path of this server and its query and nothing else; else the overview."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or not text.isprintable():
        return "/"
    parts = urlsplit(text)
    return text if not parts.scheme and not parts.netloc else "/"


def changed(address: str, query: Mapping[str, str], changes: Mapping[str, object]) -> str:
    """The same page with members of its query changed; None and '' take one out.

    Args:
        address: of the page, as it was asked for.
        query: its parameters.
        changes: of them; any but that of `cursor` begins at the list's first page again.
    """
    kept = {name: value for name, value in query.items() if name != "cursor"}
    return to(urlsplit(address).path, **{**kept, **changes})
