"""The history of assets: what happened to this pump, from every kind of event that names it or concerns it."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from handlers.effects import Effect
from handlers.events import Json
from handlers.rules.facts import Fact
from handlers.rules.keyed import elements_in
from handlers.rules.naming import named_assets
from handlers.rules.order import word
from handlers.rules.registers import ref_key
from handlers.rules.trail import Step, asset_after, asset_before
from handlers.store import history
from handlers.store.rowset import Transaction

BELONGING = frozenset({"work_order", "downtime", "meter", "meter_reading"})
"""Kinds whose records belong to one asset, so that events which name none stand in its history too."""
TOLD = (
    "number",
    "name",
    "title",
    "type",
    "priority",
    "asset_down",
    "planned",
    "failure",
    "cause",
    "reason",
    "started_at",
    "ended_at",
    "completed_at",
    "value",
    "value_text",
    "unit",
    "read_at",
    "next_due_at",
    "is_deleted",
)
"""What of an event a line of history tells; the whole event is found by its id."""
TEXT_LIMIT = 200
"""Characters of a text that a line of history keeps."""
MAX_ELEMENTS = 20
"""Lines of an order that a line of history names."""


def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Writes a line for each asset that a fact names, else for the one its subject belonged to just after it."""
    rows: list[dict[str, Any]] = []
    trails: dict[history.Subject, Sequence[Step]] = {}
    for each in facts:
        trail = each.record.trail if each.record is not None else ()
        if each.event.kind in BELONGING and "asset_ref" not in each.written:
            rows.append(_row(each, history.CARRIED, asset_after(trail, each.stamp)))
        elif _moves_later(each, trail):
            trails[each.event.connection_id, each.event.kind, each.event.key] = trail
        rows += [_row(each, asset, asset) for asset in named_assets(each)]
    rows.sort(key=itemgetter(*history.PRIMARY_KEY))
    history.add(tx, rows)
    history.carry(tx, trails)


def _moves_later(fact: Fact, trail: Sequence[Step]) -> bool:
    """Whether a late fact gives another asset to what stands behind it."""
    late = fact.record is not None and fact.stamp < fact.record.last_stamp
    return late and asset_before(trail, fact.stamp) != ref_key(fact.written.get("asset_ref"))


def _row(fact: Fact, slot: str, asset: str | None) -> dict[str, Any]:
    event = fact.event
    return {
        "connection_id": event.connection_id,
        "subject_kind": event.kind,
        "subject_key": event.key,
        "stamp": fact.stamp,
        "slot": slot,
        "asset_key": asset,
        "occurred_at": event.occurred_at,
        "type": event.type,
        "event_id": event.event_id,
        "digest": event.digest,
        "detail": _detail(fact.written, asset),
    }


def _detail(written: Mapping[str, Json], asset: str | None) -> dict[str, Json]:
    shown = ((name, _short(written[name])) for name in TOLD if name in written)
    told: dict[str, Json] = {name: value for name, value in shown if value is not None}
    if told.get("is_deleted") is False:
        del told["is_deleted"]  # every `created` writes it; only a deletion tells anything
    elements = [name for name in elements_in(written) if _is_for(written[name], asset)]
    if elements:
        told["elements"] = [name[:TEXT_LIMIT] for name in sorted(elements)[:MAX_ELEMENTS]]
    status = word(written.get("status"))
    return told if status is None else {"status": status, **told}


def _short(value: Json) -> Json:
    """A value as a line has room for it; None for an object that no word sums up, such as what failed on an order."""
    if isinstance(value, dict):
        return word(value)
    return value[:TEXT_LIMIT] if isinstance(value, str) else value


def _is_for(element: Json, asset: str | None) -> bool:
    """Whether an element of a list, such as an order's line, names the asset."""
    return asset is not None and isinstance(element, dict) and ref_key(element.get("asset_ref")) == asset


EFFECT = Effect("asset_history", 95, frozenset(), apply, sees_all=True)
