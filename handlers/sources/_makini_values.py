"""What Makini's values become: references, money, durations, readings, addresses, statuses.

Types are loose in its OpenAPI examples: numbers as texts, plural keys as one text or an array [G oas3_eam.json].
"""

import re
from typing import Any, Final

from handlers.model.numbers import number_from_text
from handlers.sources._converters import flags, moment
from handlers.sources._mapping import UNTOLD, Convert, Field
from handlers.sources._node import Node

PRIORITIES: Final = {"None": "none", "Low": "low", "Medium": "medium", "High": "high", "Critical": "critical"}  # I
FINAL: Final = frozenset({"completed", "closed", "cancelled"})
PLANNED: Final = re.compile(r"\b(?:planned|scheduled|preventive|preventative|pm)\b", re.IGNORECASE)  # I
UNPLANNED: Final = re.compile(  # I
    r"\b(?:unplanned|unscheduled|breakdown|failure|emergency|corrective|reactive"
    r"|(?:non|not)[- ]?(?:planned|scheduled))\b",
    re.IGNORECASE,
)
PLANNED_WORDS: Final = {"down_planned": True, "maintenance": True, "down": False}
"""What `status_map` may call a category of down time (contract, section 5: an asset's `down_planned` and `down`)."""

_LABELS: Final = ("name", "title", "_displayValue", "code")
_ISO_DURATION: Final = re.compile(
    r"P(?=.)(?:([0-9]{1,6})D)?(?:T(?=.)(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,9})S)?)?"
)
_CLOCK: Final = re.compile(r"([0-9]{1,6}):([0-5][0-9])(?::([0-5][0-9]))?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ADDRESS: Final = {"addressLines": "lines", "addressee": "name", "state": "region", "postCode": "postcode"}

flag: Final[Convert] = flags(
    frozenset({"true", "True", "TRUE", "1", 1}), frozenset({"false", "False", "FALSE", "0", 0})
)
"""Booleans come as texts sometimes [G]."""


def is_null(value: Any) -> bool:
    """An empty text is how a value that is not there comes sometimes (INFERRED)."""
    return bool(value == "")


def ref(value: Any, _: Node | None = None, __: Field | None = None) -> Any:
    """A reference: a key, or (INFERRED, v4) the object that it stands for."""
    if not isinstance(value, dict):
        return value
    key = value.get("key") or value.get("id")
    if not isinstance(key, str | int):
        return UNTOLD
    label = next((text for text in map(value.get, _LABELS) if isinstance(text, str) and text), None)
    return {"key": key, "label": label}


def refs(value: Any, _: Node | None = None, __: Field | None = None) -> Any:
    """References: an array, or one alone; none of them told where one cannot be read."""
    given = value if isinstance(value, list) else [value]
    found = [ref(each) for each in given if each is not None and each != ""]
    return UNTOLD if any(each is UNTOLD for each in found) else found


def sole(value: Any, _: Node | None = None, __: Field | None = None) -> Any:
    """The one reference of several that there may be; which of more would count is not for us to say."""
    found = refs(value)
    if found is UNTOLD or len(found) > 1:
        return UNTOLD
    return found[0] if found else None


def name_of(value: Any) -> Any:
    """What to call whom a reference stands for: its label, else its key."""
    found = ref(value)
    if isinstance(found, dict):
        return found["label"] or found["key"]
    return None if found is UNTOLD else found


def place(node: Node, data: dict[str, Any], custom: dict[str, Any]) -> None:
    """Where something lies: in its storeroom, else at its location."""
    name = next((each for each in ("storeroomKey", "locationKey") if node.get(each) is not None), None)
    if name is None:
        return
    told = ref(node.get(name))
    if told is UNTOLD:
        custom[name] = node.get(name)
    else:
        data["warehouse_ref"] = told


def money(value: Any, node: Node, _: Field) -> Any:
    """An amount in the currency that stands beside it, else in the order's; else the model takes the connection's.

    `currencyKey` is an ISO code at best; any other key names a currency that is not known here, which is then not
    assumed either.
    """
    code = currency(node) or node.given.currency
    return value if code is None else {"amount": value, "currency": code}


def currency(node: Node) -> str | None:
    """The text beside an object's amounts that says which currency they are in."""
    found = (code(node.get(name)) for name in ("currencyKey", "currency"))
    return next((text for text in found if isinstance(text, str)), None)


def code(value: Any, _: Node | None = None, __: Field | None = None) -> Any:
    """A currency's code, or (INFERRED, v4) that of the object that it stands for."""
    return value.get("code") or UNTOLD if isinstance(value, dict) else value


def duration(value: Any, node: Node, field: Field) -> Any:
    """A length of time that says its unit: `PT1H30M`; `1:30` and `01:30:00` as hours first (INFERRED).

    No document says what a plain number counts, so it is kept as it is; `field_map` places it where it is seconds.
    """
    if isinstance(value, str):
        match = _ISO_DURATION.fullmatch(value)
        if match is not None:
            days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
            return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        match = _CLOCK.fullmatch(value)
        if match is not None:
            hours, minutes, seconds = (int(part or 0) for part in match.groups())
            return (hours * 60 + minutes) * 60 + seconds
    where = "labor" if node.path else field.target
    node.given.warn("unit_unknown", where, f"{field.name} states no unit of time: it is kept as it is, unread")
    return UNTOLD


def notes(value: Any, _: Node, __: Field) -> Any:
    """Notes, one text or several."""
    return value if isinstance(value, list) else [value]


def address(value: Any, _: Node, __: Field) -> Any:
    """An address: a text, or the object of that name."""
    if not isinstance(value, dict):
        return value
    told = {_ADDRESS.get(name, name): each for name, each in value.items()}
    lines = told.get("lines")
    if isinstance(lines, str):
        told["lines"] = [lines] if lines else []
    return told


def addresses(value: Any, node: Node, field: Field) -> Any:
    """One address, as the only one."""
    return [address(value, node, field)]


def measured(value: Any) -> dict[str, Any]:
    """A reading: a number, or what is none as text."""
    if isinstance(value, str) and number_from_text(value.strip()) is None:
        return {"value": None, "value_text": value}
    return {"value": value.strip() if isinstance(value, str) else value}


def due(node: Node, data: dict[str, Any], custom: dict[str, Any]) -> None:
    """`dueAt`, which may be a date."""
    if "dueAt" not in node:
        return
    value = node.get("dueAt")
    if isinstance(value, str) and _DATE.fullmatch(value):
        data["due_date"], data["due_at"] = value, None
        return
    told = None if value is None else moment(value, node, Field("due_at", name="dueAt"))
    if told is UNTOLD:
        custom["dueAt"] = value
    else:
        data["due_at"], data["due_date"] = told, None


def status(node: Node, *, may_complete: bool = True) -> dict[str, Any] | None:
    """The status: the source's free text, and the key of it in the connection's list of statuses.

    `status_map` may name either. With `completedAt` it is completed, unless it is a final one already [makini.md 9].
    """
    text, key = node.get("status"), node.get("statusKey")
    if isinstance(key, dict):
        key = key.get("key") or key.get("id")
    if isinstance(text, dict):
        key, text = text.get("key") or text.get("id") or key, text.get("name") or text.get("_displayValue")
    told = {"value": text, "source_code": text if key is None else key, "source_label": text}
    if may_complete and node.get("completedAt") is not None:
        map_ = node.given.options.status_map
        names = [each for each in (key, text) if isinstance(each, str)]
        means = next((map_[each] for each in names if each in map_), text)
        if isinstance(means, str) and means in FINAL:
            return told
        if any(each in map_ for each in names):
            node.given.warn("status_overruled", "status", "it has a completedAt, so it is completed")
            return {"value": "completed", "source_label": names[-1]}
        return {**told, "value": "completed"}
    return None if text is None and key is None else told


def planned(node: Node) -> bool | None:
    """Whether down time was planned, by its category; None is unknown, which counts as unplanned and is flagged."""
    category = node.get("categoryName")
    if not isinstance(category, str):
        return None
    mapped = PLANNED_WORDS.get(node.given.options.status_map.get(category, ""))
    if mapped is not None:
        return mapped
    if UNPLANNED.search(category):
        return False
    return True if PLANNED.search(category) else None
