"""What is to be fetched: a thin event states less than its source knows, until a full record as new has come."""

from collections.abc import Sequence

from handlers.effects import Effect
from handlers.rules.facts import Fact
from handlers.store import fetches
from handlers.store.fetches import Subject, Want
from handlers.store.rowset import Transaction


def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Notes what thin events want, and strikes out what full records have brought; subjects are locked already."""
    wanted: dict[Subject, Want] = {}
    known: dict[Subject, str] = {}
    for each in facts:
        if not (each.event.thin or each.event.full):
            continue
        subject = (each.event.connection_id, each.event.kind, each.event.key)
        known[subject] = each.record.full_stamp if each.record is not None else ""
        if each.event.thin:
            named = each.event.fields.get("source_entity")
            want = Want(each.stamp, named if isinstance(named, str) else None)
            wanted[subject] = max(wanted.get(subject, want), want, key=lambda one: one.stamp)
    fetches.note(tx, wanted, known)


EFFECT = Effect("fetches", 97, frozenset(), apply, sees_all=True)
