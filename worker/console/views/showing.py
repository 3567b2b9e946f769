"""A printed record as a page shows it: each field with its values, what it points to, and its lists as tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from handlers.events import Json
from handlers.rules.registers import ref_key
from handlers.rules.times import is_date, parse_instant
from worker.console import links
from worker.redaction import MASK, SECRET_NAME, masked

ENVELOPE: Final = frozenset({"kind", "connection", "key", "is_deleted", "custom_fields", "anomalies", "warnings"})
"""Members that stand in a place of their own."""
KINDS_OF_REFS: Final[Mapping[str, str]] = {
    "asset": "asset",
    "work_order": "work_order",
    "vendor": "vendor",
    "meter": "meter",
    "pm_plan": "pm_plan",
    "purchase_order": "purchase_order",
    "item": "inventory_item",
    "request": "work_order",
    "converted_to": "work_order",
    "preferred_vendor": "vendor",
}
"""By name of a reference, without `_ref`: the kind of what it points to."""
DURATIONS: Final = frozenset(
    {
        "duration",
        "overdue_by",
        "seconds",
        "estimated_duration",
        "actual_duration",
        "planned_labor",
        "actual_labor",
        "estimated_labor",
    }
)
_DEEPEST: Final = 4
"""Of objects in objects that are told in one cell."""


class Shown(NamedTuple):
    """One value.

    Attributes:
        text: for people.
        href: the page of what it points to.
        note: what stands beside it in small letters, such as the source's own word.
        at: where it is a moment: in kept form, in place of the text.
        seconds: where it is a duration, in place of the text.
    """

    text: str = ""
    href: str | None = None
    note: str = ""
    at: str | None = None
    seconds: float | None = None


class Field(NamedTuple):
    """A field that has a value."""

    name: str
    values: Sequence[Shown]


class Grid(NamedTuple):
    """A field that is a list of objects, as a table."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Sequence[Shown]]]


class Sheet(NamedTuple):
    """A record.

    Attributes:
        fields: those that are no lists of objects.
        grids: those that are.
        custom: what the source has and no field of ours is for.
    """

    fields: Sequence[Field]
    grids: Sequence[Grid]
    custom: Sequence[Field]


def sheet(record: Mapping[str, Json], leave_out: frozenset[str] = frozenset()) -> Sheet:
    """A printed record; fields without a value are left out, and what the source names like a secret is masked.

    Args:
        record: as it prints (contract, section 6).
        leave_out: fields that the page shows elsewhere.
    """
    kind, connection = str(record["kind"]), str(record["connection"])
    fields, grids = [], []
    for name, value in record.items():
        if name in ENVELOPE or name in leave_out or value in (None, [], {}):
            continue
        if isinstance(value, list) and _is_table(name, value):
            grids.append(grid(name, value, connection))
        else:
            fields.append(Field(name, shown(name, value, connection, kind)))
    custom = record.get("custom_fields")
    told: dict[str, Any] = masked(custom) if isinstance(custom, dict) else {}
    return Sheet(fields, grids, [Field(name, shown(name, value, connection)) for name, value in told.items()])


def grid(name: str, rows: Sequence[Any], connection: str) -> Grid:
    """A list of objects as a table of the members that any of them has."""
    told = [row for row in rows if isinstance(row, dict)]
    columns = list(
        dict.fromkeys(column for row in told for column, value in row.items() if value not in (None, [], {}))
    )
    return Grid(name, columns, [[shown(column, row.get(column), connection) for column in columns] for row in told])


def shown(name: str, value: Json, connection: str, kind: str = "") -> list[Shown]:
    """The values of a field.

    Args:
        name: of the field.
        value: in kept form.
        connection: whose record it is in: what it refers to is of the same.
        kind: of the record; its parent is of the same.
    """
    if isinstance(value, list):
        return [one for each in value for one in shown(name.removesuffix("s"), each, connection, kind)]
    if value is None or value == {}:
        return []
    return [_one(name, value, connection, kind)]


def _one(name: str, value: Json, connection: str, kind: str) -> Shown:
    if isinstance(value, dict):
        return _object(name, value, connection, kind)
    if isinstance(value, bool):
        return Shown("yes" if value else "no")
    if isinstance(value, int | float):
        return Shown(seconds=value) if name in DURATIONS or name.startswith("time_") else Shown(f"{value:,}")
    text = str(value)
    if (name.endswith("at") or name in {"from", "to"}) and not is_date(text) and parse_instant(text) is not None:
        return Shown(at=text)
    return Shown(text)


def _object(name: str, value: Mapping[str, Json], connection: str, kind: str) -> Shown:
    if "amount" in value:
        return Shown(_joined(value, ("amount", "currency")))
    if name.endswith("_ref") or {"key", "label"} == value.keys():
        return _reference(name.removesuffix("_ref"), value, connection, kind)
    if "value" in value and "source_code" in value:
        return Shown(words(value["value"]), note=_other_words(value))
    if "value" in value:
        return Shown(_joined(value, ("value", "value_text", "unit")))
    if {"code", "label"} <= value.keys():
        return Shown(_joined(value, ("label", "code", "group")))
    return Shown("; ".join(_members(value, connection, 0)))


def _reference(name: str, value: Mapping[str, Json], connection: str, kind: str) -> Shown:
    key = ref_key(dict(value))
    label = value.get("label")
    if key is None:
        return Shown(str(label or ""))
    target = kind if name == "parent" else KINDS_OF_REFS.get(name)
    href = None if not target else links.record(target, connection, key)
    if name == "site":
        href = links.to("/assets", site=key)
    return Shown(key, href, "" if label in (None, key) else str(label))


def _members(value: Mapping[str, Json], connection: str, depth: int) -> Iterator[str]:
    """An object that is none of ours, in one cell."""
    for name, each in value.items():
        if each in (None, [], {}):
            continue
        if SECRET_NAME.search(name):
            yield f"{words(name)}: {MASK}"
        elif isinstance(each, dict) and depth < _DEEPEST and not {"amount", "value", "key", "code"} & each.keys():
            yield f"{words(name)}: {', '.join(_members(each, connection, depth + 1))}"
        else:
            yield f"{words(name)}: {', '.join(_plain(one) for one in shown(name, each, connection))}"


def _plain(value: Shown) -> str:
    if value.seconds is not None:
        return f"{value.seconds:g} s"
    told = value.text if value.at is None else value.at.replace("T", " ").removesuffix("Z")
    return f"{told}{f' ({value.note})' if value.note else ''}"


def _other_words(value: Mapping[str, Json]) -> str:
    """What the source calls a status, where that is another word than ours."""
    told, found = {words(value["value"]).casefold()}, []
    for name in ("source_code", "source_label"):
        given = value.get(name)
        if given is not None and words(given).casefold() not in told:
            told.add(words(given).casefold())
            found.append(str(given))
    return " ".join(found)


def _joined(value: Mapping[str, Json], names: Sequence[str]) -> str:
    return " ".join(str(value[name]) for name in names if value.get(name) is not None)


def _is_table(name: str, value: Sequence[Json]) -> bool:
    """Whether a list is a table: of objects with members of their own, not of references."""
    rows = [each for each in value if isinstance(each, dict)]
    refs = name.endswith("_refs") or all({"key", "label"} == row.keys() for row in rows)
    return bool(rows) and not refs


def words(value: Json) -> str:
    """A word of ours for people: `in_progress` is `in progress`."""
    return str(value).replace("_", " ")
