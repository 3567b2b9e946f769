"""Rows of the audit log."""

from typing import Any

from handlers.rules.times import kept_instant
from handlers.store.audit import Entry


def told(entry: Entry) -> dict[str, Any]:
    """One act of an operator."""
    return {
        "sequence": entry.sequence,
        "at": kept_instant(entry.at),
        "who": entry.who,
        "act": entry.act,
        "reason": entry.reason,
        "plan": entry.plan,
        "outcome": entry.outcome,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }
