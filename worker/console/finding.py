"""What an id names, whatever it is of: for the one search box, and for the read API."""

from typing import NamedTuple

from handlers.store import read_letters, replays
from handlers.store.read_deliveries import stories
from handlers.store.read_found import records_of_key
from handlers.store.read_letters import Wanted
from handlers.store.rowset import Transaction
from worker.console import links
from worker.console.house import House
from worker.shapes import letters as shapes

LONGEST = 1_024
"""Characters of an id; ours are shorter, and so may senders' be."""


class Found(NamedTuple):
    """Something that an id names.

    Attributes:
        kind: `connection`, `delivery`, `event`, `dead_letter`, `replay`, or a kind of record.
        connection: whose; None for what is nobody's.
        id: its own.
        title: what it is, in a few words.
        page: its page in the console.
    """

    kind: str
    connection: str | None
    id: str
    title: str
    page: str


def find(house: House, sought: str) -> list[Found]:
    """Everything that an id names, connections first, records last."""
    if not sought or len(sought) > LONGEST or "\0" in sought:
        return []
    return [
        *_connections(house, sought),
        *_replays(house, sought),
        *_letters(house, sought),
        *_events(house, sought),
        *_records(house, sought),
    ]


def _connections(house: House, sought: str) -> list[Found]:
    known = house.registry.get(sought)
    return [Found("connection", sought, sought, f"of {known.source}", links.connection(sought))] if known else []


def _replays(house: House, sought: str) -> list[Found]:
    with house.database.read() as connection:
        found = replays.find(Transaction(connection), sought)
    return (
        [] if found is None else [Found("replay", None, sought, f"{found.state}: {found.reason}", links.replay(sought))]
    )


def _letters(house: House, sought: str) -> list[Found]:
    key = shapes.key(sought)
    if key[1] is None:
        return []
    found = read_letters.listed(house.database, Wanted(keys=(key,), state=None))
    return [
        Found("dead_letter", each.connection_id, each.name, f"{each.state}: {each.message}", links.letter(each.name))
        for each in found
    ]


def _events(house: House, sought: str) -> list[Found]:
    """A delivery, or events of one id: one for each connection that has some."""
    found: dict[str, Found] = {}
    for each in stories(house.database, sought):
        if each.delivery_id == sought:
            title = f"{len(each.events)} events, {len(each.dead_letters)} dead letters"
            return [Found("delivery", each.connection_id, sought, title, links.event(sought))]
        title = ", ".join(f"{event.type} {event.outcome}" for event in each.events)
        page = links.event(sought, each.connection_id)
        found.setdefault(each.connection_id, Found("event", each.connection_id, sought, title, page))
    return list(found.values())


def _records(house: House, sought: str) -> list[Found]:
    return [
        Found(each.kind, each.connection, sought, each.title, links.record(each.kind, each.connection, sought))
        for each in records_of_key(house.database, sought)
    ]
