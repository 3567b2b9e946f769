"""What stands about a connection's deliveries, for whoever reads them anew: which are not read, which are in doubt."""

import enum
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from handlers.store.dead_letters import DISCARDED, OPEN, SUPERSEDED
from handlers.store.engine import Database
from handlers.store.events import IDENTITY, Identity
from handlers.store.reading import connection_ids
from handlers.store.retries import RowId
from handlers.store.rowset import Transaction
from handlers.store.schema import checkpoints, dead_letters, deliveries, events, retries

NEVER_AGAIN = frozenset({"poison", "refused_by_database"})
"""Codes of letters that are not read anew with everything else: they would end the reader, or be refused again."""


class Doubt(enum.IntEnum):
    """Why an event may not be in the set; of several the greatest stands."""

    LETTER = 1
    """It could not be applied, and nobody has taken care of that: it is in the set if it can be read now."""
    WAITING = 2
    """It is on its way: it is in the set if it was there before."""
    OUT = 3
    """Given up, corrected, or known to end who reads it: it is not in the set."""


_LETTER = ("delivery_id", "event_index", "state", "code", "edited_into")
_RETRY = ("delivery_id", "event_index", "alone")


def doubts(tx: Transaction, ids: Iterable[str]) -> dict[RowId, Doubt]:
    """What is in doubt of some deliveries, by delivery and index (`handlers.events.WHOLE_BODY` for all of one)."""
    wanted = [{"delivery_id": each} for each in sorted(set(ids))]
    return _doubts(tx.select(dead_letters, wanted, _LETTER), tx.select(retries, wanted, _RETRY))


def all_doubts(tx: Transaction, arrivals: sa.Table) -> dict[RowId, Doubt]:
    """The same of all deliveries that a table names."""
    found = [
        tx.connection.execute(
            sa.select(*(table.c[name] for name in names)).join(arrivals, arrivals.c.delivery_id == table.c.delivery_id)
        ).all()
        for table, names in ((dead_letters, _LETTER), (retries, _RETRY))
    ]
    return _doubts(*found)


def _doubts(letters: Iterable[sa.Row[Any]], waiting: Iterable[sa.Row[Any]]) -> dict[RowId, Doubt]:
    found: dict[RowId, Doubt] = {}
    for row in letters:
        is_unread = row.state in {OPEN, SUPERSEDED}
        if row.state == DISCARDED or row.edited_into is not None or (is_unread and row.code in NEVER_AGAIN):
            found[row.delivery_id, row.event_index] = Doubt.OUT
        elif is_unread:
            found[row.delivery_id, row.event_index] = Doubt.LETTER
    for row in waiting:
        key = (row.delivery_id, row.event_index)
        found[key] = max(found.get(key, Doubt.LETTER), Doubt.OUT if row.alone else Doubt.WAITING)
    return found


def maps(tx: Transaction, identities: Iterable[Identity]) -> dict[Identity, str]:
    """Those of some events that are recorded, with the fingerprint of the map that read each."""
    wanted = [dict(zip(IDENTITY, each, strict=True)) for each in sorted(set(identities))]
    rows = tx.select(events, wanted, (*IDENTITY, "map"))
    return {(row.connection_id, row.event_id, row.digest): row.map for row in rows}


def maps_of(tx: Transaction, ids: Iterable[str]) -> dict[str, set[str]]:
    """The fingerprints of the maps that have read some deliveries."""
    found: dict[str, set[str]] = {}
    for row in tx.select(events, [{"delivery_id": each} for each in sorted(set(ids))], ("delivery_id", "map")):
        found.setdefault(row.delivery_id, set()).add(row.map)
    return found


def older(tx: Transaction, connection_id: str, fingerprint: str) -> dict[str, int]:
    """By which other maps than that one events of a connection were read, and how many by each."""
    is_older = (events.c.connection_id == connection_id, events.c.map != fingerprint)
    wanted = sa.select(events.c.map, sa.func.count()).where(*is_older).group_by(events.c.map)
    return {name: int(count) for name, count in tx.connection.execute(wanted)}


def unarchived(tx: Transaction, connection_id: str) -> int:
    """How many events of a connection have lost the delivery that brought them: they could not be read anew."""
    gone = ~sa.exists().where(deliveries.c.delivery_id == events.c.delivery_id)
    wanted = sa.select(sa.func.count()).select_from(events).where(events.c.connection_id == connection_id, gone)
    return int(tx.connection.execute(wanted).scalar_one())


def addresses(database: Database) -> set[str]:
    """Where anything has come in: connections, and addresses that several share."""
    archived = connection_ids(database, deliveries.c.connection_id, deliveries.c.purged_at.is_(None))
    return {*archived, *connection_ids(database, checkpoints.c.connection_id)}


def connections(database: Database) -> set[str]:
    """The connections of which any event is recorded."""
    return set(connection_ids(database, events.c.connection_id))
