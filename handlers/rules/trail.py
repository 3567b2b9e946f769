"""The trail of a subject: the few facts whose sequence matters, oldest first in the order of facts.

A register keeps only the newest value; what ran between two statuses, and which asset a work order belonged to at the
time, need the facts in between. The trail keeps just those fields of just those facts.
"""

import bisect
from collections.abc import Mapping, Sequence

from handlers.events import Action, Json
from handlers.rules.order import word
from handlers.rules.registers import Record, ref_key

Step = tuple[str, dict[str, Json]]
"""A fact's stamp and what it says of `status`, `asset_down`, `completed_at`, `scheduled`, `asset` and `action`."""


def step(action: Action, written: Mapping[str, Json]) -> dict[str, Json]:
    """What of one fact's writes the trail keeps; empty where nothing of it matters in sequence."""
    kept: dict[str, Json] = {}
    if "status" in written:
        kept["status"] = word(written["status"])
    if "asset_down" in written:
        kept["asset_down"] = written["asset_down"]
    if written.get("completed_at") is not None:
        kept["completed_at"] = written["completed_at"]
    if "scheduled_start_at" in written:
        kept["scheduled"] = written["scheduled_start_at"]  # what a week's plan held when the week began
    if "asset_ref" in written:
        kept["asset"] = ref_key(written["asset_ref"])
    if action in {Action.DELETED, Action.RESTORED, Action.REOPENED}:
        kept["action"] = action.value
    return kept


def insert(record: Record, stamp: str, kept: dict[str, Json]) -> bool:
    """Puts a fact in its place on the trail; returns whether it was new there."""
    trail = record.trail
    at = bisect.bisect_left(trail, stamp, key=_stamp_of)
    if at < len(trail) and trail[at][0] == stamp:
        return False
    trail.insert(at, (stamp, kept))
    return True


def asset_after(trail: Sequence[Step], stamp: str) -> str | None:
    """The asset that the subject belongs to just after the fact with that stamp."""
    return _asset_in(trail, bisect.bisect_right(trail, stamp, key=_stamp_of))


def asset_before(trail: Sequence[Step], stamp: str) -> str | None:
    """The asset that the subject belonged to just before the fact with that stamp."""
    return _asset_in(trail, bisect.bisect_left(trail, stamp, key=_stamp_of))


def _asset_in(trail: Sequence[Step], end: int) -> str | None:
    """The last asset stated before a place: walked backwards, not copied, for a trail may be long."""
    for at in range(end - 1, -1, -1):
        kept = trail[at][1]
        if "asset" in kept:
            asset = kept["asset"]
            return asset if isinstance(asset, str) else None
    return None


def _stamp_of(entry: Step) -> str:
    return entry[0]
