"""Lists whose elements have a key: each element is a register, so that a fact which states one leaves the others.

The register of an element is called after its list and its key, `lines[10]`. The register that has the list's own name
says since when older elements are gone: a null, a full record that gives the list, and a list in which some element
has no key write it.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from handlers.events import Json

LEVEL_KEY = ("warehouse_ref", "bin", "lot", "condition", "stock_type")
"""What together tells a stock level from the others of its item; joined as in a JSON Pointer (RFC 6901, 3)."""


def line_key(line: Mapping[str, Json]) -> str | None:
    """A purchase order's line by its number, else by its id; None where it has neither."""
    return _text(line.get("line_number")) or _text(line.get("line_id"))


def level_key(level: Mapping[str, Json]) -> str | None:
    """A stock level by where and what it is; an item has one of which nothing of that is said."""
    return "/".join((_text(level.get(name)) or "").replace("~", "~0").replace("/", "~1") for name in LEVEL_KEY)


KEYED = {("purchase_order", "lines"): line_key, ("inventory_item", "stock_levels"): level_key}
"""By kind and field: what the key of an element is."""
NAMES = frozenset(name for _, name in KEYED)
KINDS = frozenset(kind for kind, _ in KEYED)


def names(kind: str, field: str, elements: Sequence[Json]) -> list[str] | None:
    """The register of each element of a list, in its order; None where the field is no such list.

    A key that comes again in one list is told apart by a number, so that nothing is lost.
    """
    if (kind, field) not in KEYED:
        return None
    registers: dict[str, None] = {}
    for index, key in enumerate(_keys(kind, field, elements)):
        named = f"#{index}" if key is None else key
        again = 1
        register = f"{field}[{named}]"
        while register in registers:
            again += 1
            register = f"{field}[{named}#{again}]"
        registers[register] = None
    return list(registers)


def _keys(kind: str, field: str, elements: Sequence[Json]) -> list[str | None]:
    key_of = KEYED[kind, field]
    return [key_of(each) if isinstance(each, dict) else None for each in elements]


def spread(kind: str, written: dict[str, Json], full: Iterable[str]) -> None:
    """Replaces every keyed list among a fact's writes by the registers of its elements, in place.

    Args:
        kind: of the fact's subject.
        written: what the fact writes, by field.
        full: the fields that it gives whole.
    """
    for field in NAMES & written.keys():
        listed = written[field]
        registers = names(kind, field, listed) if isinstance(listed, list) else None
        if registers is None or not isinstance(listed, list):
            continue
        if field in full or None in _keys(kind, field, listed):
            written[field] = None
        else:
            del written[field]
        written.update(zip(registers, listed, strict=True))


def list_of(register: str) -> str | None:
    """The list that a register is an element of, or is about one of; None for any other register."""
    if not register.endswith("]"):
        return None
    return register.partition("[")[0].rpartition(".")[2]


def is_element(register: str) -> bool:
    """Whether a register is a list's element itself."""
    return register.endswith("]") and register.partition("[")[0] in NAMES


def elements_in(registers: Iterable[str]) -> list[str]:
    """Those of some registers that are a list's elements: of most facts none, which is told at a glance."""
    return [name for name in registers if name[-1:] == "]" and is_element(name)]


def elements(fields: Mapping[str, Json], field: str) -> list[tuple[str, dict[str, Json]]]:
    """The elements of a list that stand in a record's registers, as (register, value), in the order of their keys.

    Keys that are numbers come first, by value, as lines are counted; the others by their text.
    """
    prefix = f"{field}["
    found = [(name, value) for name, value in fields.items() if name.startswith(prefix) and isinstance(value, dict)]
    return sorted(found, key=lambda each: _place(each[0][len(prefix) : -1]))


def _place(key: str) -> tuple[bool, Decimal, str]:
    try:
        number = Decimal(key)
    except InvalidOperation:
        number = Decimal("NaN")
    return (False, number, key) if number.is_finite() else (True, Decimal(0), key)


def _text(value: Json) -> str | None:
    if isinstance(value, dict):
        value = value.get("key")
    return value if isinstance(value, str) and value else None
