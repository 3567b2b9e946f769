"""Where a map finds a value, and what is left of an element once the map has taken what it names."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from handlers.model.reading import REPLACEMENT, member
from handlers.sources._node import Node

ELEMENT, BESIDE, HEADER = "at", "beside", "header"
WHERE: Final = (ELEMENT, BESIDE, HEADER)
"""In the element, in the envelope around it, in a header of the delivery."""

CONSTANT, EACH_OF = "constant", "each"
FILLS: Final = (*WHERE, CONSTANT, EACH_OF)
"""How a table says what fills a field; one without any of them is of the fields inside a field."""

ABSENT: Final = object()
Trie: TypeAlias = "dict[str, Trie]"


class Place(NamedTuple):
    """Where a value stands.

    Attributes:
        where: one of `WHERE`.
        parts: of the pointer; of a header its name.
        parent: the JSON path, within the element, of what the value is a member of; empty for the element itself.
    """

    where: str
    parts: tuple[str, ...]
    parent: str

    @property
    def name(self) -> str:
        """The last part: the value's own name."""
        return self.parts[-1]

    @property
    def path(self) -> str:
        """The value's JSON path within the element, with its dot."""
        return member(f".{self.parent}" if self.parent else "", self.name)

    def find(self, node: Node) -> Any:
        """The value; `ABSENT` where there is none. What stands inside a null is null."""
        if self.where == ELEMENT:
            return walk(node.values, self.parts)
        if self.where == HEADER:
            return node.given.headers.get(self.name, ABSENT)
        first, *inner = self.parts
        found = walk(node.given.beside(first), tuple(inner))
        return found.replace("\0", REPLACEMENT) if isinstance(found, str) else found

    def owner(self, node: Node, value: Any) -> Node:
        """An object with the value alone, standing where it stood: what converters want, and errors tell paths by."""
        parent = ".".join(each for each in (node.path, self.parent) if each)
        return Node({self.name: value}, node.given, parent)


def place(spec: Any) -> Place:
    """Reads where a value stands: a pointer into the element, or a table that says more.

    Args:
        spec: `"/machine/id"`, `{ at = … }`, `{ beside = … }` or `{ header = … }`, checked already.
    """
    if isinstance(spec, str):
        return _pointed(ELEMENT, spec)
    where = next(each for each in WHERE if each in spec)
    return Place(HEADER, (spec[HEADER].lower(),), "") if where == HEADER else _pointed(where, spec[where])


def _pointed(where: str, text: str) -> Place:
    parts = tuple(each.replace("~1", "/").replace("~0", "~") for each in text[1:].split("/"))
    parent = ""
    for each in parts[:-1]:
        parent = f"{parent}[{each}]" if each.isdigit() and parent else member(parent, each).removeprefix(".")
    return Place(where, parts, parent)


def spread(given: Mapping[str, Any], outer: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The fields of a table by their names, and those inside a field by all of theirs: TOML nests what has a dot."""
    for name, spec in given.items():
        if isinstance(spec, dict) and spec and not set(FILLS) & spec.keys():
            yield from spread(spec, (*outer, name))
        else:
            yield (*outer, name), spec


def walk(value: Any, parts: tuple[str, ...]) -> Any:
    """Follows a pointer; `ABSENT` where it leads nowhere."""
    for part in parts:
        if isinstance(value, dict):
            value = value.get(part, ABSENT)
        elif isinstance(value, list):
            value = value[int(part)] if part.isdecimal() and part.isascii() and int(part) < len(value) else ABSENT
        elif value is not None:
            return ABSENT
        if value is ABSENT:
            return ABSENT
    return value


def trie(places: Iterable[Place]) -> Trie:
    """What a map takes of an element, as a tree; a leaf is taken whole."""
    root: Trie = {}
    for each in sorted((each for each in places if each.where == ELEMENT), key=lambda each: -len(each.parts)):
        inner = root
        for part in each.parts[:-1]:
            inner = inner.setdefault(part, {})
        inner[each.name] = {}
    return root


def rest(values: Mapping[str, Any], taken: Trie) -> dict[str, Any]:
    """What nobody took, objects pruned; an array that was looked into is kept whole."""
    kept = {}
    for name, value in values.items():
        inside = taken.get(name)
        if inside is None:
            kept[name] = value
        elif inside and isinstance(value, dict):
            left = rest(value, inside)
            if left:
                kept[name] = left
        elif inside and value is not None:
            kept[name] = value
    return kept
