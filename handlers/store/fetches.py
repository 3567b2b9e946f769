"""Subjects that thin events name and full records are about, a row each: which records have to be fetched."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa

from handlers.events import Event
from handlers.rules.fetching import Told, told
from handlers.store.rowset import Transaction
from handlers.store.schema import fetches

_KEY = ("connection_id", "kind", "key")
_TOLD = Told.__struct_fields__


def note(tx: Transaction, arrivals: Iterable[tuple[Event, datetime]]) -> None:
    """Brings the rows of subjects up to date; asked for again is what somebody wants anew.

    Args:
        tx: the transaction.
        arrivals: events with when they came (UTC): those that are new, and what counts again of the others
            (`handlers.rules.fetching.counts_again`).
    """
    new = told(arrivals)
    keys = [dict(zip(_KEY, subject, strict=True)) for subject in sorted(new)]
    tx.insert_missing(fetches, [{**key, "wanted_by": "", "full_by": "", "is_due": False} for key in keys])
    rows = []
    for row in tx.select(fetches, keys, (*_KEY, *_TOLD, "asked_at"), lock=True):
        before = _kept(row)
        after = before.with_(new[row.connection_id, row.kind, row.key])
        if after != before:
            asked_at = None if after.wants_more_than(before) else row.asked_at
            key = {name: getattr(row, name) for name in _KEY}
            rows.append({**key, **msgspec.structs.asdict(after), "is_due": after.is_due, "asked_at": asked_at})
    tx.update(fetches, rows, _KEY)


def _kept(row: sa.Row[tuple[object, ...]]) -> Told:
    return Told(**{name: getattr(row, name) for name in _TOLD})
