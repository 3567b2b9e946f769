"""SAP's statuses and priorities, and our words for them; `sap` cites where they are from. I: INFERRED."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from handlers.sources._converters import word
from handlers.sources._node import Node
from handlers.sources._sap_values import at_zone


class Life(NamedTuple):
    """What a system status says of an order's life.

    Attributes:
        rank: the lowest one of a text counts, wherever in it the code stands.
        value: our word.
        code: in English.
        internal: the id behind it (TJ02T); empty where nobody gave it.
    """

    rank: int
    value: str
    code: str
    internal: str


DELETED, FINISHED, NAMED_BY_CONNECTION, RELEASED = 1, 4, 5, 9
"""Ranks: marked for deletion; the last that ends an order; what `status_map` adds; released."""

_LIVES: Final = (
    Life(DELETED, "cancelled", "DLFL", "I0076"),
    Life(DELETED, "cancelled", "DLT", ""),
    Life(2, "closed", "CLSD", "I0046"),
    Life(3, "completed", "TECO", "I0045"),
    Life(FINISHED, "cancelled", "NCMP", ""),  # I
    Life(6, "on_hold", "LKD", "I0043"),  # I
    Life(7, "in_progress", "CNF", "I0009"),  # I: work confirmed, not completed; status_map may say completed
    Life(8, "in_progress", "PCNF", "I0010"),
    Life(RELEASED, "approved", "REL", "I0002"),
    Life(10, "requested", "CRTD", "I0001"),
)
_GERMAN: Final = {  # I
    "EROF": "CRTD",
    "FREI": "REL",
    "TRÜC": "PCNF",
    "RÜCK": "CNF",
    "TABG": "TECO",
    "ABGS": "CLSD",
    "LÖVM": "DLFL",
}
_BY_CODE: Final = {life.code: life for life in _LIVES}
LIVES: Final[Mapping[str, Life]] = {
    **_BY_CODE,
    **{life.internal: life for life in _LIVES if life.internal},
    **{german: _BY_CODE[english] for german, english in _GERMAN.items()},
}
"""By code in English or German, and by internal id. Every other code is kept beside the status and decides nothing."""

HINTS: Final = {"MSPT": "material_shortage"}
NOTIFICATION: Final = {  # I but 1
    "1": "requested",
    "2": "on_hold",
    "3": "in_progress",
    "4": "completed",
    "5": "cancelled",
}
PRIORITIES: Final = {"1": "critical", "2": "high", "3": "medium", "4": "low"}  # I
ORDER_TYPES: Final = {"PM01": "corrective", "PM02": "preventive", "PM03": "preventive"}  # I
NOTIFICATION_TYPES: Final = {"M2": "corrective"}  # I: a malfunction report


def order_status(node: Node, starts: Any, now: datetime) -> tuple[dict[str, Any] | None, bool]:
    """The status of an order by the codes in its texts, which stand in no order.

    A code that only `status_map` knows, a customer's own or one of SAP's like MSPT, counts after those that end an
    order and before all others.

    Args:
        node: the order.
        starts: when it is scheduled to start, as told; None where it is not. Released, it is `scheduled` till then (I).
        now: when the record was so.

    Returns:
        The status as the model reads it, None where the order has no text of it; and whether it is marked for deletion.
    """
    line, users = node.text("SystemStatusText"), (node.text("UserStatusText") or "").split()
    phase = node.text("MaintOrdProcessPhaseCode")
    if line is None:
        return (None if phase is None else _more(node, word({}, phase), [], phase)), False
    codes = line.split()
    renames = node.given.options.status_map
    best, code = min(_known(codes, users, renames), key=lambda each: each[0].rank, default=(None, line))
    if best is None:
        return _more(node, {"value": None, "source_code": line}, [*codes, *users], phase), False
    value = renames.get(best.internal) or best.value
    if best.rank == RELEASED and isinstance(starts, str) and at_zone(node, "SystemStatusText", starts) > now:
        value = "scheduled"
    told: dict[str, Any] = {"value": value, "source_code": code, "source_label": line}
    if best.internal:
        told["source_system_code"] = best.internal
    if any(LIVES.get(each, best).code == "CNF" for each in codes):
        told["work_confirmed"] = True
    return _more(node, told, [*codes, *users], phase), best.rank == DELETED


def _known(codes: list[str], users: list[str], renames: Mapping[str, str]) -> Iterator[tuple[Life, str]]:
    for code in codes:
        life = LIVES.get(code)
        if life is not None:
            yield life, code
    for code in (*codes, *users):
        if code in renames and code not in LIVES:
            yield Life(NAMED_BY_CONNECTION, renames[code], code, ""), code


def _more(node: Node, told: dict[str, Any], codes: list[str], phase: str | None) -> dict[str, Any]:
    if codes:
        told["sub_codes"] = codes
    hints = [HINTS[code] for code in codes if code in HINTS]
    if hints:
        told["hints"] = hints
    if phase is not None:
        told["phase"] = phase
        if node.text("MaintOrdProcessSubPhaseCode") is not None:
            told["sub_phase"] = node.text("MaintOrdProcessSubPhaseCode")
    return told


def put_priority(node: Node, data: dict[str, Any]) -> None:
    """Tells the priority: a character whose meaning is each priority type's own, so `priority_map` may name `PM/1`."""
    if "MaintPriority" not in node:
        return
    code, kind = node.text("MaintPriority"), node.text("MaintPriorityType")
    if code is None:
        is_none = node.values["MaintPriority"] == ""
        data["priority"] = {"value": "none", "source_code": ""} if is_none else None
        return
    own = node.given.options.priority_map.get(f"{kind}/{code}")
    data["priority"] = {
        "value": own or PRIORITIES.get(code),
        "source_code": code,
        "source_label": node.text("MaintPriorityDesc"),
    }
