"""Fiix' lookup tables: what its ids of statuses, priorities and types mean, where the same delivery says it.

Each customer has ids and names of its own. A reading may look at nothing but its delivery, so ids are resolved by the
rows that stand beside the element in one answer (a batch of finds), else by the display value that was asked for with
it (`extraFields`, `dv_<field>`, INFERRED), else by the connection's `status_map` and `priority_map`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from handlers.model.reading import REPLACEMENT
from handlers.sources import _fiix_tables as tables
from handlers.sources._envelopes import Around
from handlers.sources._node import Node

CLASSES: Final = frozenset(
    {
        "WorkOrderStatus",
        "Priority",
        "MaintenanceType",
        "PurchaseOrderStatus",
        "ScheduledMaintenanceStatus",
        "AssetCategory",
        "MeterReadingUnit",
    }
)


class Row(NamedTuple):
    """One row of a lookup table.

    Attributes:
        name: in the customer's own words; the default label where that is all there is.
        order: `intOrder`; None where there is none.
        system_code: `intSysCode`; likewise.
        symbol: of a unit.
    """

    name: str | None
    order: int | None = None
    system_code: int | None = None
    symbol: str | None = None


Lookups = Mapping[tuple[str, str], Row]
"""By class and id."""


def beside(around: Around) -> Lookups:
    """The rows that an answer has of lookup tables."""
    found = {}
    for each in _objects(around):
        class_name, key = each.get("className"), each.get("id")
        if isinstance(class_name, str) and class_name in CLASSES and isinstance(key, int | str):
            found[class_name, str(key)] = Row(
                name=_text(each.get("strName")) or _text(each.get("strDefaultLabel")),
                order=_whole(each.get("intOrder")),
                system_code=_whole(each.get("intSysCode")),
                symbol=_text(each.get("strSymbol")),
            )
    return found


def _objects(around: Around) -> Iterator[dict[str, Any]]:
    answers = around.get("responses")
    for answer in answers if isinstance(answers, list) else ():
        yield from _listed(answer.get("objects") if isinstance(answer, dict) else None)
    yield from _listed(around.get("objects"))


def _listed(objects: Any) -> Iterator[dict[str, Any]]:
    yield from (each for each in objects if isinstance(each, dict)) if isinstance(objects, list) else ()


def _text(value: Any) -> str | None:
    return value.replace("\0", REPLACEMENT) if isinstance(value, str) and value else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None


def row(node: Node, field: str, class_name: str) -> Row | None:
    """What an id in a field means; None where the delivery does not say."""
    key = node.text(field)
    if key is None:
        return None
    known = (node.given.around(beside) or {}).get((class_name, key))
    if known is not None:
        return known
    extra = node.node("extraFields")
    shown = None if extra is None else extra.text(f"dv_{field}")
    return None if shown is None else Row(shown)


def status(
    node: Node, field: str, class_name: str, words: Mapping[str, str] = tables.STATUSES
) -> dict[str, Any] | None:
    """A status by its id; None where the element has none.

    INFERRED: what the names mean, which customers may change; what the system codes mean was found nowhere.
    """
    code = node.text(field)
    if code is None:
        return None
    known = row(node, field, class_name)
    name = None if known is None else known.name
    value = node.given.options.status_map.get(name or "") or words.get(plain(name))
    told = {"value": value, "source_code": code, "source_label": name}
    return told if known is None or known.system_code is None else told | {"source_system_code": str(known.system_code)}


def priority(node: Node, field: str) -> dict[str, Any] | None:
    """A priority by its id, ranked by `intOrder`, else by its name (INFERRED)."""
    code = node.text(field)
    if code is None:
        return None
    known = row(node, field, "Priority")
    value, name = None, None
    if known is not None:
        name = known.name
        value = node.given.options.priority_map.get(name or "") or tables.PRIORITIES.get(plain(name))
        if known.order is not None and known.order > 0:
            value = tables.RANKS[min(known.order, len(tables.RANKS)) - 1]
    return {"value": value, "source_code": code, "source_label": name}


def plain(name: str | None) -> str:
    """A name as it is compared: in lower case, one blank between words."""
    return " ".join((name or "").lower().split())
