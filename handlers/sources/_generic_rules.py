"""A connection's map, compiled: each of its fields a place, a converter and the field of ours that it fills."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from handlers.sources import _generic_targets as targets
from handlers.sources._converters import amount, cents, hours, minutes, text
from handlers.sources._generic_places import ABSENT, CONSTANT, EACH_OF, ELEMENT, Place, place, rest, spread, trie
from handlers.sources._generic_times import time_written
from handlers.sources._mapping import UNTOLD, Convert, Field, Table
from handlers.sources._node import Node

UNITS: Final[Mapping[str, Convert]] = {"hours": hours, "minutes": minutes}
SECONDS, CENTS = "seconds", "cents"


class Rule(NamedTuple):
    """How one field of ours is filled.

    Attributes:
        target: the field, dots for one inside.
        place: None for a constant, or for rows.
        constant: the value; `ABSENT` where the payload gives it.
        convert: None where the model reads the value as it is.
        words: ours, by the source's.
        is_word: the field keeps the source's code beside ours.
        label: where the source calls it something for people.
        each: the array whose objects become rows; None for any other field.
        rows: what becomes of one of them.
    """

    target: str
    place: Place | None = None
    constant: Any = ABSENT
    convert: "Convert | None" = None
    words: Mapping[str, Any] | None = None
    is_word: bool = False
    label: Place | None = None
    each: Place | None = None
    rows: "Rules | None" = None

    def places(self) -> Iterator[Place]:
        """Whatever of the element it takes."""
        yield from (each for each in (self.place, self.label, self.each) if each is not None)

    def tell(self, node: Node, nulls: frozenset[str]) -> Any:
        """The field's value in the form that its model reads; `UNTOLD` where the payload says nothing of it."""
        if self.constant is not ABSENT:
            return self.constant
        if self.each is not None:
            return self._rows(node, nulls)
        assert self.place is not None, "it is a constant, rows, or has a place"
        value = self.place.find(node)
        if value is ABSENT:
            return UNTOLD
        if value is None or (isinstance(value, str) and value in nulls):
            return None
        owner, name = self.place.owner(node, value), self.place.name
        if self.words is not None:
            value = self._word(value, owner, name)
        elif self.convert is not None:
            value = self.convert(value, owner, Field(self.target, name=name))
        return value if self.label is None else self._labelled(value, node)

    def _word(self, value: Any, owner: Node, name: str) -> Any:
        assert self.words is not None, "the caller has looked"
        code = str(value).lower() if isinstance(value, bool) else text(value, owner, Field(self.target, name=name))
        ours = self.words.get(code or "")
        if self.is_word:
            return {"value": ours, "source_code": code}
        return value if ours is None else ours

    def _labelled(self, value: Any, node: Node) -> Any:
        assert self.label is not None, "the caller has looked"
        label = self.label.find(node)
        if value is UNTOLD or not isinstance(label, str):
            return value
        if self.is_word:
            told = value if isinstance(value, dict) else {"value": value, "source_code": value}
            return told | {"source_label": label}
        return {"key": value, "label": label}

    def _rows(self, node: Node, nulls: frozenset[str]) -> Any:
        assert self.each is not None, "it has rows"
        assert self.rows is not None, "it has rows"
        found_ = self.each.find(node)
        if found_ is ABSENT:
            return UNTOLD
        if found_ is None:
            return None
        owner = self.each.owner(node, found_)
        return [self.rows.row(each, nulls) for each in owner.nodes_of(self.each.name, found_)]


class Rules(Table):
    """A kind's fields, or a row's.

    Args:
        kind: of the record.
        rules: one a field.
        others: further places of the element that the map takes.
    """

    def __init__(self, kind: str, rules: tuple[Rule, ...], others: tuple[Place, ...] = ()) -> None:
        super().__init__(kind, {})
        self.rules = rules
        self.targets = tuple(dict.fromkeys(_top(each.target) for each in rules))
        self._trie = trie([*others, *(each for rule in rules for each in rule.places())])

    def state(self, node: Node, nulls: frozenset[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What an object says: fields of ours, and what the map does not name."""
        data: dict[str, Any] = {}
        left = rest(node.values, self._trie)
        for rule in self.rules:
            told = rule.tell(node, nulls)
            if told is UNTOLD:
                kept = rule.place.find(node) if rule.place is not None and rule.place.where == ELEMENT else ABSENT
                if kept is not ABSENT:
                    left[rule.place.name if rule.place is not None else rule.target] = kept
            elif "." not in rule.target:
                data[rule.target] = told
            elif told is not None:
                *outer, last = rule.target.split(".")
                inner = data
                for name in outer:
                    inner = inner.setdefault(name, {})
                inner[last] = told
        return data, left

    def row(self, node: Node, nulls: frozenset[str]) -> dict[str, Any]:
        """One object of an array; what the map does not name is in its `custom_fields`."""
        data, left = self.state(node, nulls)
        return data | {"custom_fields": left} if left else data

    def source_path(self, path: str, prefix: str = "") -> str:
        """Where in the element a value of ours comes from; empty where the map made it up."""
        del prefix
        for rule in sorted(self.rules, key=lambda each: -len(each.target)):
            inside = path.removeprefix(rule.target)
            if not path.startswith(rule.target) or (inside and inside[0] not in ".["):
                continue
            if rule.each is not None and rule.rows is not None:
                index = re.match(r"\[[0-9]+\]", inside)
                row = index[0] if index else ""
                return f"{rule.each.path}{row}{rule.rows.source_path(inside[len(row) :].removeprefix('.'))}"
            return rule.place.path if rule.place is not None and rule.place.where == ELEMENT else ""
        return ""


def rules(kind: str, given: Mapping[str, Any], dates: str, of: str = "") -> tuple[Rule, ...]:
    """Compiles the fields that a map names for a kind, or for the rows of one of its lists.

    Args:
        kind: such as `work_order`.
        given: by target, checked already.
        dates: how the map's times are written.
        of: the list; empty for the record itself.
    """
    return tuple(_rule(kind, ".".join(names), spec, dates, of) for names, spec in spread(given))


def _rule(kind: str, target: str, spec: Any, dates: str, of: str) -> Rule:
    full = f"{of}.{target}" if of else target
    holds = targets.role(kind, full)
    if isinstance(spec, dict) and CONSTANT in spec:
        return Rule(target, constant=spec[CONSTANT])
    if isinstance(spec, dict) and EACH_OF in spec:
        rows = Rules(kind, rules(kind, spec["fields"], dates, full))
        return Rule(target, each=place(spec[EACH_OF]), rows=rows)
    more = spec if isinstance(spec, dict) else {}
    return Rule(
        target,
        place=place(spec),
        convert=_converter(holds, more.get("as"), dates),
        words=more.get("words"),
        is_word=holds == targets.WORD,
        label=place(more["label"]) if "label" in more else None,
    )


def _converter(holds: str | None, read_as: str | None, dates: str) -> "Convert | None":
    if holds in targets.TIMES:
        return time_written(holds or "", read_as or dates)
    if holds == targets.SECONDS:
        return UNITS.get(read_as or "")
    if holds == targets.MONEY:
        return cents if read_as == CENTS else amount
    return text if holds in {targets.TEXT, targets.WORD} else None


def _top(target: str) -> str:
    """The record's own field that a target is part of; a reference by its key alone is the reference."""
    first = target.partition(".")[0]
    return f"{first.removesuffix('_key')}_ref" if first.endswith("_key") else first
