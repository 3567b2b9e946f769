"""Makini's entities, and how a record or a key of one is told."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from handlers.model.numbers import MAX_DIGITS
from handlers.sources import _makini_assets as assets
from handlers.sources import _makini_trade as trade
from handlers.sources import _makini_work as work
from handlers.sources._makini_names import entity_of
from handlers.sources._makini_spelt import Spelt
from handlers.sources._makini_values import currency
from handlers.sources._marks import Marks
from handlers.sources._node import Node
from handlers.sources._told import Told, unhandled


class Entity(NamedTuple):
    """One of Makini's entities.

    Attributes:
        name: its path in the interface.
        spelt: its members.
        kind: of the record that it becomes.
        verbs: our event type's verb for what ours would not have; any other is its own.
        whole: what a record has that nobody chose members from, beside when it was updated.
    """

    name: str
    spelt: Spelt
    kind: str
    verbs: Mapping[str, str] = MappingProxyType({})
    whole: frozenset[str] = frozenset({"createdAt", "deletedAt"})


_STOPS: Final = {"created": "corrected", "updated": "corrected", "deleted": "voided"}
_READINGS: Final = {"created": "recorded", "updated": "recorded"}
ENTITIES: Final = {
    each.name: each
    for each in (
        Entity("assets", assets.ASSET, "asset"),
        Entity("work-orders", work.WORK_ORDER, "work_order"),
        Entity("service-requests", work.REQUEST, "work_order"),
        Entity("purchase-orders", trade.PURCHASE_ORDER, "purchase_order", whole=frozenset({"lineItems"})),
        Entity("materials", trade.MATERIAL, "inventory_item"),
        Entity("stocks", trade.STOCK, "inventory_item"),
        Entity("vendors", trade.VENDOR, "vendor"),
        Entity("meters", assets.METER, "meter"),
        Entity("meter-readings", assets.READING, "meter_reading", _READINGS),
        Entity("assets-downtime", assets.DOWNTIME, "downtime", _STOPS, frozenset({"createdAt", "startedAt"})),
        Entity("pm", work.PLAN, "pm_plan"),
    )
}
KEYS: Final = frozenset({"key", "id"})
UPDATED: Final = ("updatedAt", "_updatedAt")
DELETED: Final = ("deletedAt", "_deletedAt")
CREATED: Final = ("createdAt", "_createdAt")
OF_ALL: Final = frozenset({"key", "id", "createdAt", "updatedAt", "deletedAt", "idValue", "displayValue", "implements"})
"""What every entity has; a record of nothing more may be a view of any of them."""
MARKS: Final = Marks(  # I
    (("orderNo", "vendorKey"), "purchase-orders"),
    (("meterKey", "reading"), "meter-readings"),
    (("counterKey", "reading"), "meter-readings"),
    (("triggers",), "pm"),
    (("workOrderKey", "userRequestedKey"), "service-requests"),
    (("completionRemarks",), "work-orders"),
    (("instructions",), "work-orders"),
    (("assetKey", "startedAt", "endedAt"), "assets-downtime"),
    (("lastReading", "uomName"), "meters"),
    (("isPhysical",), "assets"),
    (("serialNumber",), "assets"),
    (("materialKey", "reorderPoint"), "stocks"),
    (("isAssembly",), "materials"),
    (("supplyOptions",), "materials"),
)
"""Members that an entity alone has; a return order (`poKey`) has an order's too. The first that fit win."""
WITHOUT_KEYS: Final = frozenset({"stocks", "meter-readings"})
"""A key of these alone says nothing: a stock is no record of its own here, a reading has the time that it states."""
LEAST_MILLISECONDS: Final = 10**11
"""As seconds it would be the year 5138."""
_FIRST_TOO_LONG: Final = 10**MAX_DIGITS
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def row(node: Node) -> Iterator[Told]:
    """A record of an answer: of which entity `entity` beside it says, else what it implements, else its members."""
    beside = node.given.beside("entity")
    yield from alone(node, entity_of(beside) if isinstance(beside, str) else None)


def alone(node: Node, name: str | None = None) -> Iterator[Told]:
    """A record that no event is about."""
    entity = ENTITIES.get(name or _implemented(node) or _marked(node) or "")
    if entity is None:
        yield unhandled("makini", "unknown", node, key_of(node.values))
    else:
        yield record(node, entity, "updated", None, whole=node.given.context.root == "$.data")


def record(node: Node, entity: Entity, verb: str, happened: datetime | None, *, whole: bool = False) -> Told:
    """A record, as it was when it was last updated; a stock of no material is kept and ignored.

    Args:
        node: the record.
        entity: what it is.
        verb: what happened to it.
        happened: when the event about it happened.
        whole: it was asked for by its key, so it lacks only what its source never has.
    """
    is_deleted = node.first(*DELETED) is not None
    verb = "deleted" if is_deleted and entity.name != "stocks" else verb
    at = _when(node, entity, verb, happened)
    node.given.currency = currency(node)
    if entity.name == "stocks":
        return _level(node, at)
    stated, table = entity.spelt.tell(node)
    key = key_of(node.values)
    if key is None:
        raise node.error("missing_field", "key", "nothing", "a value")
    stated.data["source_id"] = key
    return Told(
        type=_type(entity, verb),
        key=key,
        data=stated.data,
        custom=stated.custom,
        table=table,
        occurred_at=at,
        completeness="full" if whole and verb != "deleted" and _is_whole(node, entity) else "partial",
        entity=entity.name,
    )


def thin(entity: Entity, verb: str, key: str, happened: datetime | None) -> Told:
    """A key alone."""
    completeness: Literal["partial", "thin"] = "partial" if verb == "deleted" and happened is not None else "thin"
    return Told(type=_type(entity, verb), key=key, occurred_at=happened, completeness=completeness, entity=entity.name)


def key_of(value: Any) -> str | None:
    """A key, or that of a record."""
    if isinstance(value, dict):
        value = next((each for each in map(value.get, ("key", "id")) if each not in (None, "")), None)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < _FIRST_TOO_LONG else None
    return value if isinstance(value, str) and value else None


def since_epoch(value: int, node: Node, name: str) -> datetime:
    """A time counted from 1970 (INFERRED): in seconds, or in milliseconds where it is too great for those."""
    milliseconds = value if value >= LEAST_MILLISECONDS else value * 1000
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise node.error("out_of_range", name, "number", "a time within years 1 to 9999, UTC") from None


def _type(entity: Entity, verb: str) -> str:
    return f"{entity.kind}.{entity.verbs.get(verb, verb)}"


def _when(node: Node, entity: Entity, verb: str, happened: datetime | None) -> datetime | None:
    """A record's time: when it became as it is told. A deletion may be known later than the record's last update."""
    if entity.name == "meter-readings" and verb != "deleted":
        return _instant(node, CREATED) or _instant(node, UPDATED) or happened
    found = [each for each in (_instant(node, UPDATED), _instant(node, DELETED)) if each is not None]
    if not found:
        return happened or _instant(node, CREATED)
    if verb == "deleted" and happened is not None and _instant(node, DELETED) is None:
        found.append(happened)
    return max(found)


def _instant(node: Node, names: tuple[str, ...]) -> datetime | None:
    name = next((each for each in names if node.get(each) is not None), None)
    return None if name is None else node.instant(name)


def _is_whole(node: Node, entity: Entity) -> bool:
    """Whether a record has what nobody leaves out who leaves nothing out (INFERRED), in either version's names."""
    names = {name.removeprefix("_") for name in node.values}
    return "updatedAt" in names and entity.whole <= names and not names <= OF_ALL


def _level(node: Node, at: datetime | None) -> Told:
    key = key_of(node.first("materialKey", "productKey", "partKey"))
    if key is None:
        return unhandled("makini", "stocks", node, key_of(node.values))
    return Told(
        type="inventory_item.updated",
        key=key,
        data={"stock_levels": [trade.stock_level(node)]},
        table=trade.STOCK.table(node.values),
        occurred_at=at,
        entity="materials",
    )


def _implemented(node: Node) -> str | None:
    given = node.get("_implements")
    names = given if isinstance(given, list) else [given]
    return next((found for each in names if isinstance(each, str) and (found := entity_of(each))), None)


def _marked(node: Node) -> str | None:
    return None if "poKey" in node else MARKS.of(node)
