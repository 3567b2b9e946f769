"""Whether a difference may come from the map: an event about the row was read by another map than that of now."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from handlers.model.types import ACTIONS
from handlers.store.differences import Difference
from handlers.store.events import IDENTITY
from handlers.store.reading import Held, Readable
from handlers.store.rowset import Transaction
from handlers.store.schema import asset_history, events
from handlers.store.scratch import Scratch

KINDS = sorted({type_.partition(".")[0] for type_ in ACTIONS})
"""Kinds of subjects; an index on events has them before the key."""
KEY = "key"
"""How the columns end that name a record."""


def explained(
    held: Held, scratch: Scratch, connection_id: str, fingerprint: str, page: Sequence[Difference]
) -> list[bool]:
    """For each row, whether an event about any record that it names was read by another map.

    Args:
        held: where it stands.
        scratch: where it was computed anew; events there keep the fingerprint of the map that had read them.
        connection_id: whose rows.
        fingerprint: of the map of now.
        page: the rows.
    """
    named = [set(_named(each)) for each in page]
    wanted = sorted(set().union(*named))
    found = _told_otherwise(held, connection_id, fingerprint, wanted)
    found |= _told_otherwise(scratch.database, connection_id, fingerprint, wanted)
    return [bool(names & found) for names in named]


def _named(difference: Difference) -> Iterator[str]:
    for row in (difference.standing, difference.anew):
        for name, value in (row or {}).items():
            if name.endswith(KEY) and isinstance(value, str):
                yield value


def _told_otherwise(database: Readable, connection_id: str, fingerprint: str, keys: Sequence[str]) -> set[str]:
    """Those of some keys that an event of another map is about, or an asset that it names."""
    subjects = [
        {"connection_id": connection_id, "subject_kind": kind, "subject_key": key} for kind in KINDS for key in keys
    ]
    assets = [{"connection_id": connection_id, "asset_key": key} for key in keys]
    with database.read() as connection:
        tx = Transaction(connection)
        of_subject = {
            row.subject_key for row in tx.select(events, subjects, ("subject_key", "map")) if row.map != fingerprint
        }
        source = tx.rows(asset_history, ("connection_id", "asset_key"))
        same = (asset_history.c[name] == events.c[name] for name in IDENTITY)
        statement = (
            (
                sa.select(asset_history.c.asset_key)
                .distinct()
                .join_from(source, asset_history, sa.and_(*(asset_history.c[n] == source.c[n] for n in assets[0])))
                .join(events, sa.and_(*same))
                .where(events.c.map != fingerprint)
            )
            if assets
            else None
        )
        named = {row.asset_key for row in tx.run(statement, assets)} if statement is not None else set()
    return of_subject | named
