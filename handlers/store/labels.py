"""By which map events were read: told of them beside a rebuild, or beside what is compared.

It is no part of state. A change of the map would have every event written anew while everybody waits: so they are told
after a rebuild, some at a time, while others write.
"""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex

from handlers.store import standing
from handlers.store.differences import PAGE, paged
from handlers.store.events import IDENTITY, Identity
from handlers.store.reading import Held, Part, walk
from handlers.store.rowset import Transaction
from handlers.store.schema import events
from handlers.store.scratch import Scratch
from handlers.store.shadow import Shadow

AT_ONCE = 2_000
"""Events of one transaction: it takes a tenth of a second."""


def relabel(shadow: Shadow, noted: sa.Table, connection_id: str, older: Collection[str]) -> None:
    """Has events say that they were read by the map by which they were built.

    Whoever is killed meanwhile leaves events that are said to be of an older map, until they are built again.

    Args:
        shadow: where they were built.
        noted: names those that may say otherwise.
        connection_id: whose.
        older: the maps that they may say; any other was told since, by somebody else.

    Raises:
        TransientError: the database is away.
    """
    built = shadow.built(events)
    with shadow.read() as session:
        if not session.execute(sa.select(sa.exists(sa.select(noted)))).scalar_one():
            return
        session.execute(CreateIndex(sa.Index("apart_keys", *(noted.c[name] for name in IDENTITY))))
        shadow.analyze(session, (noted,))
    same = (built.c[name] == noted.c[name] for name in IDENTITY)
    wanted = sa.select(*(built.c[name] for name in (*IDENTITY, "map"))).join(noted, sa.and_(*same))
    wanted = wanted.where(built.c.connection_id == connection_id)
    order = [built.c[name] for name in IDENTITY if name != "connection_id"]
    for page in paged(walk(shadow, wanted, order, part=Part(size=AT_ONCE)), AT_ONCE):
        of = {_identity(row): row.map for row in page}
        with shadow.switch() as session:
            tx = Transaction(session)
            keys = [dict(zip(IDENTITY, each, strict=True)) for each in of]
            stand = tx.select(events, keys, (*IDENTITY, "map"), lock=True)
            wrong = [row for row in stand if row.map in older and row.map != of[_identity(row)]]
            told = [{**dict(zip(IDENTITY, _identity(row), strict=True)), "map": of[_identity(row)]} for row in wrong]
            tx.update(events, told, IDENTITY)


def as_recorded(held: Held, scratch: Scratch, fingerprint: str) -> None:
    """Has events that were folded anew say by which map they were read before, or what else their delivery told.

    Args:
        held: where that stands.
        scratch: where they were folded.
        fingerprint: of the map of now.
    """
    tx = Transaction(held.connection)
    wanted = sa.select(*(events.c[name] for name in (*IDENTITY, "delivery_id")))
    for page in paged(walk(scratch.database, wanted, [events.c[name] for name in IDENTITY]), PAGE):
        brought: dict[Identity, str] = {_identity(row): row.delivery_id for row in page}
        recorded = standing.maps(tx, brought)
        of_delivery = standing.maps_of(tx, (brought[each] for each in brought.keys() - recorded.keys()))
        rows = []
        for identity, delivery_id in brought.items():
            others = sorted(of_delivery.get(delivery_id, set()) - {fingerprint})
            label = recorded.get(identity) or next(iter(others), fingerprint)
            if label != fingerprint:
                rows.append({**dict(zip(IDENTITY, identity, strict=True)), "map": label})
        with scratch.database.write() as connection:
            Transaction(connection).update(events, rows, IDENTITY)


def _identity(row: sa.Row[Any]) -> Identity:
    return (row.connection_id, row.event_id, row.digest)
