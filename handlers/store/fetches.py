"""Subjects whose record has to be fetched: one row each, as long as no full record is as new as what named it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from handlers.store.rowset import Transaction
from handlers.store.schema import fetches

Subject = tuple[str, str, str]
"""(connection, kind, key)."""


class Want(NamedTuple):
    """What a thin event wants fetched.

    Attributes:
        stamp: the event's place in the order of facts.
        source_entity: what its source calls the subject's kind, where it says.
    """

    stamp: str
    source_entity: str | None = None


_KEY = ("connection_id", "kind", "key")


def note(tx: Transaction, wanted: Mapping[Subject, Want], known: Mapping[Subject, str]) -> None:
    """Brings the rows of subjects up to date; the caller holds the subjects' locks.

    Args:
        tx: the transaction.
        wanted: by subject, what the newest thin event among new facts wants.
        known: by subject, the greatest stamp of a full record ever, empty for none; every subject of `wanted` and
            every one that a new full record is about.
    """
    keys = [dict(zip(_KEY, subject, strict=True)) for subject in sorted(known)]
    noted = {
        (row.connection_id, row.kind, row.key): row.wanted_by for row in tx.select(fetches, keys, (*_KEY, "wanted_by"))
    }
    new: list[dict[str, Any]] = []
    newer: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for subject, full in sorted(known.items()):
        before = noted.get(subject, "")
        want = wanted.get(subject, Want(before))
        key = dict(zip(_KEY, subject, strict=True))
        if max(before, want.stamp) <= full:
            gone += [key] if before else []
        elif want.stamp > before:
            # Whatever was asked for before this event may be older than it.
            row = {**key, "wanted_by": want.stamp, "source_entity": want.source_entity, "asked_at": None}
            (newer if before else new).append(row)
    tx.insert(fetches, new)
    tx.update(fetches, newer, _KEY)
    tx.delete(fetches, gone)
