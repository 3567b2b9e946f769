"""The map of a connection whose source is `generic`, checked; `handlers.sources.generic` explains it and reads by it.

It is carried as it was written, a plain value, so that equal maps have one fingerprint.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from handlers.connections.fields import Fields, kind_of
from handlers.connections.generic_checks import EXAMPLE, Checks, nearest
from handlers.connections.generic_fields import FieldChecks
from handlers.connections.lines import Path
from handlers.model import MODELS
from handlers.model.types import ACTIONS, READ_AS, is_about_connection
from handlers.sources._generic_places import WHERE
from handlers.sources._generic_times import ISO

NAME: Final = "map"
"""The field of a connection that it stands in."""
GENERIC: Final = "generic"
"""The source that it goes with."""

_KEYS: Final = (
    "elements",
    "type",
    "key",
    "event_id",
    "occurred_at",
    "version",
    "completeness",
    "dates",
    "currency",
    "nulls",
    "fields",
)
_PLACES: Final = ("event_id", "version", "currency")
_SAY_ENOUGH: Final = (".deleted", ".voided", ".restored", ".reset")
"""How types end that need no fields."""


def read_map(fields: Fields) -> Mapping[str, Any]:
    """Reads it; what is wrong is noted there. Empty where there is none."""
    given = fields.any(NAME, dict)
    is_generic = fields.any("source", str) == GENERIC
    if given is None:
        if is_generic and NAME not in fields:
            fields.wrong(NAME, "is missing; write [connections.ID.map] with type, key and fields")
        return {}
    if not is_generic:
        fields.wrong(NAME, f'goes with source = "{GENERIC}" alone; every other has a map of its own: drop it')
        return {}
    _check(fields.inner(given, NAME), given, has_order=fields.any("order", str) == "arrival")
    return dict(given)


def _check(fields: Fields, given: Mapping[str, Any], *, has_order: bool) -> None:
    checks = Checks(fields)
    fields.only(_KEYS)
    if "elements" in fields:
        checks.envelope(("elements",), given["elements"])
    types = _types(checks, given)
    _key(checks, given, {kind for each in types if (kind := _kind(each))})
    for name in _PLACES:
        if name in fields:
            checks.place((name,), given[name], ())
    _time(checks, fields, given, has_order=has_order)
    checks.dates(("dates",), given.get("dates", ISO))
    for number, each in enumerate(fields.any("nulls", list, or_else=[])):
        if not isinstance(each, str):
            checks.wrong(("nulls", number), f"is {kind_of(each)}; write a string")
    _records(checks, fields, {_kind(each) for each in types if not each.endswith(_SAY_ENOUGH)} - {""})


def _types(checks: Checks, given: Mapping[str, Any]) -> set[str]:
    """The types of event that it may tell."""
    type_ = given.get("type")
    told: list[tuple[Path, Any]] = [(("type",), type_)]
    if type_ is None:
        mend = 'write type = "work_order.updated", or { at = "/event", words = { … } }'
        checks.wrong(("type",), f"is missing; {mend}")
        return set()
    if isinstance(type_, dict):
        checks.place(("type",), type_, ("words", "or_else"))
        words = type_.get("words", {})
        if not isinstance(words, dict):
            checks.wrong(("type", "words"), f"is {kind_of(words)}; write a table")
            return set()
        told = [(("type", "words", name), word) for name, word in words.items()]
        if "or_else" in type_:
            told.append((("type", "or_else"), type_["or_else"]))
        if not told:
            checks.wrong(("type",), 'has no words; write words = { done = "work_order.completed" }')
    for path, word in told:
        if not isinstance(word, str):
            checks.wrong(path, f"is {kind_of(word)}; write an event type such as work_order.updated")
        elif word not in ACTIONS:
            checks.wrong(path, f"is no event type of ours; {nearest(word, ACTIONS, 'such is work_order.updated')}")
    return {word for _, word in told if isinstance(word, str) and word in ACTIONS}


def _kind(type_: str) -> str:
    """The kind whose key and fields an event of a type needs; empty where it is about the connection."""
    return "" if is_about_connection(type_) else READ_AS.get(type_, type_.partition(".")[0])


def _key(checks: Checks, given: Mapping[str, Any], kinds: Collection[str]) -> None:
    key = given.get("key")
    if key is None:
        checks.wrong(("key",), f"is missing; write key = {EXAMPLE}")
    elif isinstance(key, dict) and not set(WHERE) & key.keys():
        for kind, each in key.items():
            if kind not in MODELS:
                checks.wrong(("key", kind), f"is no kind of ours; {nearest(kind, MODELS)}")
            _parts(checks, ("key", kind), each)
        for kind in sorted(set(kinds) - key.keys()):
            checks.wrong(("key",), f"has none for {kind}, which type names; write {kind} = {EXAMPLE}")
    else:
        _parts(checks, ("key",), key)


def _parts(checks: Checks, path: Path, given: Any) -> None:
    if not isinstance(given, list):
        checks.place(path, given, ())
    elif not given:
        checks.wrong(path, f"is empty; write {EXAMPLE}")
    else:
        for number, each in enumerate(given):
            checks.place((*path, number), each, ())


def _time(checks: Checks, fields: Fields, given: Mapping[str, Any], *, has_order: bool) -> None:
    """What orders the facts."""
    completeness = fields.one_of("completeness", ("partial", "full", "thin"), "partial")
    if "occurred_at" in given:
        spec = given["occurred_at"]
        checks.place(("occurred_at",), spec, ("as",))
        if isinstance(spec, dict) and "as" in spec:
            checks.dates(("occurred_at", "as"), spec["as"])
    elif not has_order and completeness != "thin" and "version" not in given:
        mend = 'write occurred_at = "/changed_at", or order = "arrival" beside source'
        checks.wrong(("occurred_at",), f"is missing, and without it nothing orders the facts; {mend}")


def _records(checks: Checks, fields: Fields, kinds: Collection[str]) -> None:
    given = fields.any("fields", dict, or_else={})
    for kind, each in given.items():
        if kind not in MODELS:
            checks.wrong(("fields", kind), f"is no kind of ours; {nearest(kind, MODELS)}")
        elif not isinstance(each, dict):
            checks.wrong(("fields", kind), f"is {kind_of(each)}; write [connections.ID.map.fields.{kind}]")
        else:
            FieldChecks(checks, kind).check(("fields", kind), each)
    for kind in sorted(set(kinds) - given.keys()):
        mend = f"write [connections.ID.map.fields.{kind}]; `maintenworks schema {kind}` lists what may stand there"
        checks.wrong(("fields",), f"has none of {kind}, which type names; {mend}")
