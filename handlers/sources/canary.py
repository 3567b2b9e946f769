"""The canary: an event of our own that travels the whole road each minute, and tells nothing else.

Nothing handles it, so it ends as `ignored`: it makes no record and is in no figure.
"""

from collections.abc import Iterator

from handlers.sources import Source
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled

NAME = "canary"
SENT = "sent"


def _map(node: Node) -> Iterator[Told]:
    if "id" not in node:
        yield unhandled(NAME, "unknown", node)
        return
    key = node.key("id")
    told = unhandled(NAME, SENT, node, key)
    told.event_id, told.occurred_at = key, node.instant("sent_at")
    yield told


SOURCE = Source(name=NAME, default_scheme="standard-webhooks", read=reader(_map), map_from="our own scheduler")
