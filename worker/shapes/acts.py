"""Rows of the audit log."""

from typing import TypedDict

from handlers.rules.times import kept_instant
from handlers.store.audit import Entry
from worker.shapes.scalars import Count, Instant, Members


class Act(TypedDict):
    """One act of an operator, as `audit list --json` prints it."""

    sequence: Count
    at: Instant
    who: str
    act: str
    reason: str
    plan: Members
    outcome: Members
    previous_hash: str
    hash: str


def told(entry: Entry) -> Act:
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
