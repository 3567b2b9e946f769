"""The fields of a generic map: whether each is one of ours, and may be filled that way."""

from collections.abc import Mapping
from typing import Any

from handlers.connections.fields import kind_of
from handlers.connections.generic_checks import Checks, nearest
from handlers.connections.lines import Path
from handlers.sources import _generic_targets as targets
from handlers.sources._generic_places import CONSTANT, EACH_OF, spread
from handlers.sources._generic_rules import CENTS, SECONDS, UNITS


class FieldChecks:
    """Notes what is wrong with the fields of one kind.

    Args:
        checks: of the map.
        kind: such as `work_order`.
    """

    def __init__(self, checks: Checks, kind: str) -> None:
        self._checks = checks
        self._kind = kind

    def check(self, path: Path, given: Mapping[str, Any], of: str = "") -> None:
        """Looks at each.

        Args:
            path: of the table, within the map.
            given: by target.
            of: the list that these are the row's fields of; empty for the record itself.
        """
        told = {".".join(names) for names, _ in spread(given)}
        for names, spec in spread(given):
            if any(outer in told for outer in _outer(".".join(names))):
                self._checks.wrong((*path, *names), "is inside a field that has a place already; drop one of the two")
                continue
            full = ".".join((of, *names) if of else names)
            holds = targets.role(self._kind, full)
            if holds is None:
                self._checks.wrong((*path, *names), self._no_field(full))
            else:
                self._spec((*path, *names), spec, full, holds)

    def _no_field(self, full: str) -> str:
        outer, _, name = full.rpartition(".")
        known = targets.fields(self._kind, outer) if not outer or targets.role(self._kind, outer) else ()
        mend = nearest(name, known, f"`maintenworks schema {self._kind}` lists them")
        return f"is no field of {'.'.join(each for each in (self._kind, outer) if each)}; {mend}"

    def _spec(self, path: Path, spec: Any, full: str, holds: str) -> None:
        if isinstance(spec, dict) and CONSTANT in spec:
            self._checks.only(path, spec, (CONSTANT,))
            constant = spec[CONSTANT]
            if not isinstance(constant, str | int):
                self._checks.wrong((*path, CONSTANT), f"is {kind_of(constant)}; write a string, a number or a boolean")
        elif isinstance(spec, dict) and EACH_OF in spec:
            self._rows(path, spec, full, holds)
        elif holds == targets.ROWS:
            self._checks.wrong(path, 'is a list of objects; write { each = "/lines", fields = { … } }')
        else:
            self._checks.place(path, spec, ("as", "words", "label"))
            if isinstance(spec, dict):
                self._extras(path, spec, holds)

    def _rows(self, path: Path, spec: Mapping[str, Any], full: str, holds: str) -> None:
        self._checks.only(path, spec, (EACH_OF, "fields"))
        self._checks.pointer((*path, EACH_OF), spec[EACH_OF])
        inside = spec.get("fields")
        if holds != targets.ROWS:
            self._checks.wrong((*path, EACH_OF), f"makes a list of objects, and {full} is a {holds}; write a place")
        elif not isinstance(inside, dict) or not inside:
            self._checks.wrong((*path, "fields"), "is missing; write a table of the row's fields, each with its place")
        else:
            self.check((*path, "fields"), inside, full)

    def _extras(self, path: Path, spec: Mapping[str, Any], holds: str) -> None:
        if "as" in spec:
            self._as((*path, "as"), spec["as"], holds)
        if "label" in spec:
            self._checks.pointer((*path, "label"), spec["label"])
            if holds not in targets.LABELLED:
                message = f"stands beside a reference or a status, and this is a {holds}; drop it"
                self._checks.wrong((*path, "label"), message)
        words = spec.get("words", {})
        if not isinstance(words, dict):
            self._checks.wrong((*path, "words"), f"is {kind_of(words)}; write a table")
            return
        for name, word in words.items():
            if not isinstance(word, str | bool):
                self._checks.wrong((*path, "words", name), f"is {kind_of(word)}; write a string or a boolean")

    def _as(self, path: Path, how: Any, holds: str) -> None:
        if holds in targets.TIMES:
            self._checks.dates(path, how)
            return
        known = {targets.SECONDS: (*UNITS, SECONDS), targets.MONEY: (CENTS,)}.get(holds, ())
        if not known:
            self._checks.wrong(path, f"goes with times, durations and money, and this is a {holds}; drop it")
        elif how not in known:
            self._checks.wrong(path, f"is none of {', '.join(known)}")


def _outer(target: str) -> list[str]:
    """The fields that a target is inside of."""
    names = target.split(".")
    return [".".join(names[:end]) for end in range(1, len(names))]
