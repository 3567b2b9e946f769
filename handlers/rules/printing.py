"""What a kept record prints: `kind`, `connection`, `key`, then its fields, always all of them and always in one order.

Contract, section 6. A field that nobody has stated is null, so that two records of a kind have the same members.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from handlers.events import Json
from handlers.model import MODELS
from handlers.model.downtime import ORDER_KEY_PREFIX
from handlers.rules import purchasing, stock
from handlers.rules.doubts import doubts
from handlers.rules.downtime import Span, anomaly
from handlers.rules.registers import Record
from handlers.rules.times import kept_instant

STATUS_KEY_PREFIX = "status:"
"""How the key of a span begins that an asset's status stream makes; the asset's key and the edge's stamp follow."""
DERIVED_FROM: Mapping[str, str] = {"interval": "interval", "work_order": "work_order", "status": "status_edges"}
"""By origin of a span: what the unified model calls it (section 9, `derived_from`)."""
SECOND = timedelta(seconds=1)
DERIVED: Mapping[str, Callable[[Mapping[str, Json]], tuple[dict[str, Json], list[Json]]]] = {
    "purchase_order": purchasing.derived,
    "inventory_item": stock.derived,
}
"""By kind: what its visible fields tell beside what they state, and the warnings that they give."""
_ENVELOPE = ("is_deleted", "custom_fields")
"""Members of a record that stand in a place of their own."""


class Kept(msgspec.Struct, frozen=True):
    """A folded record as it is kept.

    Attributes:
        kind: such as `work_order`.
        connection: whose it is.
        key: of the record.
        record: its registers.
        anomalies: what its sorted facts told that cannot or should not be, as `{"code", …}`.
        told: what other records tell of it, printed behind its fields.
    """

    kind: str
    connection: str
    key: str
    record: Record
    anomalies: Sequence[Json] = ()
    told: Mapping[str, Json] = {}

    @property
    def is_deleted(self) -> bool:
        """Whether its newest word on that is that it is gone."""
        return self.record.fields.get("is_deleted") is True


class KeptSpan(msgspec.Struct, frozen=True):
    """One row of down time: an interval, a spell of an order, or an edge of a status stream.

    Attributes:
        connection: whose it is.
        origin: `interval`, `work_order` or `status`.
        key: of the interval, the order or the asset.
        part: which spell or edge; empty for an interval.
        asset_key: the asset that was down; None belongs to no asset.
        started_at: as it counts (UTC); of a plain date its midnight.
        ended_at: likewise; None while it lasts.
        planned: None is unknown, counted as unplanned.
        failure: whether it counts as a failure, defaults decided.
        is_void: it never counted.
        record: an interval's registers; of anything derived, none.
        anomalies: an interval's.
        up_at: of one that lasts: when its asset was last said to be up since it began.
    """

    connection: str
    origin: str
    key: str
    part: str
    asset_key: str | None
    started_at: datetime | None
    ended_at: datetime | None
    planned: bool | None
    failure: bool
    is_void: bool
    record: Record
    anomalies: Sequence[Json] = ()
    up_at: datetime | None = None


def printed(kept: Kept) -> dict[str, Json]:
    """The printed form of a record.

    Fields come in the order of its model, those that no model lists behind them by name, then what others tell of it,
    `custom_fields`, `anomalies` and `warnings`.
    """
    visible = kept.record.visible()
    custom = visible.get("custom_fields")
    derived, doubts = DERIVED[kept.kind](visible) if kept.kind in DERIVED else ({}, [])
    return {
        "kind": kept.kind,
        "connection": kept.connection,
        "key": kept.key,
        "is_deleted": kept.is_deleted,
        **_in_order(kept.kind, {**visible, **derived}),
        **kept.told,
        "custom_fields": custom if isinstance(custom, dict) else {},
        "anomalies": list(kept.anomalies),
        "warnings": [*kept.record.warnings(), *doubts],
    }


def printed_downtime(spans: Sequence[KeptSpan], now: datetime) -> dict[str, Json]:
    """The printed form of one downtime record: an interval, an edge's span, or all the spells of one order.

    Args:
        spans: of one record, in the order of their parts; more than one only for an order.
        now: when it is looked at (UTC): how long it is open is judged by it.
    """
    first = spans[0]
    if first.origin == "interval":
        return _interval(first, now)
    counting = [span for span in spans if not span.is_void] or list(spans)
    started_at, ended_at = counting[0].started_at, counting[-1].ended_at  # only the last can still last
    is_order = first.origin == "work_order"
    told: dict[str, Json] = {
        "asset_ref": _ref(first.asset_key),
        "started_at": _instant(started_at),
        "ended_at": _instant(ended_at),
        "planned": counting[0].planned,
        "failure": any(span.failure for span in counting),
        "work_order_ref": _ref(first.key) if is_order else None,
    }
    codes = dict.fromkeys(code for span in counting if (code := anomaly(_span(span))) is not None)
    found: list[Json] = [{"code": code} for code in codes]
    found += [each for span in counting for each in _doubts(span, now)]
    return {
        "kind": "downtime",
        "connection": first.connection,
        "key": f"{ORDER_KEY_PREFIX}{first.key}" if is_order else f"{STATUS_KEY_PREFIX}{first.key}:{first.part}",
        "is_deleted": all(span.is_void for span in spans),
        **_in_order("downtime", told),
        "duration": _seconds(started_at, ended_at),
        "derived_from": DERIVED_FROM[first.origin],
        "spells": [_spell(span) for span in spans] if is_order else [],
        "custom_fields": {},
        "anomalies": found,
        "warnings": [],
    }


def _doubts(span: KeptSpan, now: datetime) -> list[dict[str, Json]]:
    return [] if span.is_void else doubts(span.started_at, span.ended_at, span.up_at, now)


def _interval(span: KeptSpan, now: datetime) -> dict[str, Json]:
    anomalies = [*span.anomalies, *_doubts(span, now)]
    shown = printed(Kept("downtime", span.connection, span.key, span.record, anomalies))
    behind = {name: shown.pop(name) for name in ("custom_fields", "anomalies", "warnings")}
    return {
        **shown,
        # As they count: never stated is not planned, and what is a failure is decided.
        "planned": span.planned,
        "failure": span.failure,
        "duration": _seconds(span.started_at, span.ended_at),
        "derived_from": DERIVED_FROM[span.origin],
        "spells": [],
        **behind,
    }


def _spell(span: KeptSpan) -> dict[str, Json]:
    return {
        "started_at": _instant(span.started_at),
        "ended_at": _instant(span.ended_at),
        "planned": span.planned,
        "failure": span.failure,
        "is_void": span.is_void,
    }


def _in_order(kind: str, visible: Mapping[str, Json]) -> dict[str, Json]:
    """Every field of the kind's model, null where it has no value, then those that no model lists."""
    model = MODELS.get(kind)
    names = model.fields if model is not None else ()
    others = sorted(visible.keys() - {*names, *_ENVELOPE})
    return {shown_name(name): visible.get(name) for name in (*names, *others)}


def shown_name(name: str) -> str:
    """What a field of a model is called in print: a reading's own `kind` gives way to the record's."""
    return "reading_kind" if name == "kind" else name


def _span(span: KeptSpan) -> Span:
    return Span(span.started_at, span.ended_at)


def _ref(key: str | None) -> Json:
    return None if key is None else {"key": key, "label": None}


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else kept_instant(moment)


def _seconds(started_at: datetime | None, ended_at: datetime | None) -> int | None:
    """The length in whole seconds, cut; None while it lasts, and where it ends before it starts."""
    if started_at is None or ended_at is None or ended_at < started_at:
        return None
    return (ended_at - started_at) // SECOND
