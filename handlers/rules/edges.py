"""Down time told as a status stream: each `asset.status_changed` is an edge, and a span runs to the next edge."""

from datetime import datetime

import msgspec

from handlers.rules.order import occurred_at

DOWN_STATUSES = {"down": False, "maintenance": True}
"""Statuses in which an asset stands, and whether on purpose; every other one is up time."""


class Edge(msgspec.Struct, frozen=True):
    """One status fact and where the next one stands in the order of facts.

    Attributes:
        stamp: its own.
        status: what it states, in unified words.
        next_stamp: of the edge after it; None where the stream ends.
    """

    stamp: str
    status: str | None
    next_stamp: str | None


class EdgeSpan(msgspec.Struct, frozen=True):
    """The down time that one edge opens; times as aware datetimes."""

    started_at: datetime
    ended_at: datetime | None
    planned: bool


def span(edge: Edge) -> EdgeSpan | None:
    """The down time from one edge to the next; None where its status is up time.

    A repeat of the status before it opens a span that touches the last one: readers take touching spans of one stream
    and one class as one. Going from down to planned maintenance splits the outage.
    """
    planned = DOWN_STATUSES.get(edge.status or "")
    if planned is None:
        return None
    return EdgeSpan(
        started_at=occurred_at(edge.stamp),
        ended_at=None if edge.next_stamp is None else occurred_at(edge.next_stamp),
        planned=planned,
    )
