"""The value types with members that all records share: how each is kept, and how each is read.

A value type is a struct, which is the kept form (and its JSON Schema), with its own `read`. Members that a struct does
not name are kept in place, in kept form. A `read` sees null only as an element of an array, where it is of the wrong
type.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

from handlers.events import Json
from handlers.model.reading import Context, keep, member
from handlers.model.scalars import KEY_EXPECTED, Key, Number, Text, is_surely_key, read_decimal, read_key, read_text

MAX_WORD_SHOWN = 64
"""How much of an unknown word a warning repeats, in characters."""

_CURRENCY = re.compile(r"[A-Z]{3}")


class Value(Struct, kw_only=True):
    """A value with members and a reader of its own."""

    @classmethod
    def read(cls, value: Any, path: str, context: Context) -> Json:
        """Reads one value that is not null; see `reading.Reader`."""
        raise NotImplementedError(cls)  # for good: each kind of value reads in its own way, no field is a bare `Value`


class Ref(Value):
    """A reference to a record of the same connection, which need not exist; the label is for people only."""

    key: Key
    label: Text | None = None

    @classmethod
    def read(cls, value: Any, path: str, context: Context) -> Json:
        """Reads a key, or an object with one."""
        if not isinstance(value, dict):
            return {"key": read_key(value, path, context), "label": None}
        key = value.get("key")
        if key is None:
            raise context.error("missing_field", f"{path}.key", "nothing", KEY_EXPECTED)
        if not is_surely_key(key):
            key = read_key(key, f"{path}.key", context)
        kept: dict[str, Json] = {"key": key, "label": _text(value, "label", path, context)}
        return kept if len(value) == 1 + ("label" in value) else kept | _others(cls, value, path, context)


class Party(Value):
    """A person, team or firm, known by key or only by name."""

    key: Key | None = None
    label: Text | None = None

    @classmethod
    def read(cls, value: Any, path: str, context: Context) -> Json:
        """Reads a name, or an object with a key, a label or both."""
        if not isinstance(value, dict):
            return {"key": None, "label": read_text(value, path, context)}
        if value.get("key") is not None:
            return Ref.read(value, path, context)
        others = _others(cls, value, path, context)
        return {"key": None, "label": _text(value, "label", path, context)} | others


class Money(Value):
    """An amount and its ISO 4217 currency; null where nobody said which."""

    amount: Number
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None

    @classmethod
    def read(cls, value: Any, path: str, context: Context) -> Json:
        """Reads an object, or a bare amount; a currency left out is the connection's, with a warning either way."""
        if not isinstance(value, dict):
            return {"amount": read_decimal(value, path, context), "currency": _assumed(path, context)}
        if value.get("amount") is None:
            raise context.error("missing_field", f"{path}.amount", "nothing", "a number")
        amount = read_decimal(value["amount"], f"{path}.amount", context)
        currency = _text(value, "currency", path, context)
        if currency is None:
            currency = _assumed(path, context)
        elif not _CURRENCY.fullmatch(currency):
            context.warn("currency_unknown", f"{path}.currency", f"{currency[:MAX_WORD_SHOWN]} is no ISO 4217 code")
            currency = None
        return {"amount": amount, "currency": currency} | _others(cls, value, path, context)


class Quantity(Value):
    """A number of something; the unit as its source wrote it."""

    value: Number
    unit: Text | None = None

    @classmethod
    def read(cls, value: Any, path: str, context: Context) -> Json:
        """Reads an object, or a bare number."""
        if not isinstance(value, dict):
            return {"value": read_decimal(value, path, context), "unit": None}
        if value.get("value") is None:
            raise context.error("missing_field", f"{path}.value", "nothing", "a number")
        amount = read_decimal(value["value"], f"{path}.value", context)
        return {"value": amount, "unit": _text(value, "unit", path, context)} | _others(cls, value, path, context)


class Coded(Value):
    """An entry of a source's catalogue: its code, the group that the code belongs to, its wording."""

    code: Text | None = None
    group: Text | None = None
    label: Text | None = None

    @classmethod
    def read(cls, value: Any, path: str, context: Context) -> Json:
        """Reads an object, or a bare code."""
        if not isinstance(value, dict):
            return {"code": read_text(value, path, context), "group": None, "label": None}
        known: dict[str, Json] = {name: _text(value, name, path, context) for name in ("code", "group", "label")}
        return known | _others(cls, value, path, context)


class Word(Value):
    """A word of ours beside the code and the label that its source gave.

    The connection's map is asked first, for the code and then for the word; then the type's own words, as they are
    written. A word in neither is never guessed at: the value is the type's fallback, with a warning.
    """

    value: str | None
    source_code: Text | None = None
    source_label: Text | None = None

    words: ClassVar[Mapping[str, str]] = {}
    """What is read as what; the values are the words that are kept."""
    fallback: ClassVar[str | None] = None
    warning: ClassVar[str] = "status_unmapped"

    @classmethod
    def renames(cls, context: Context) -> Mapping[str, str]:
        """The connection's own map of codes to our words."""
        return context.options.status_map

    @classmethod
    def read(cls, value: Any, path: str, context: Context) -> Json:
        """Reads a word, or an object with a value, a source_code or both."""
        if not isinstance(value, dict):
            word = read_text(value, path, context)
            return {"value": cls.of(None, word, path, context), "source_code": word, "source_label": None}
        word_given, code = _text(value, "value", path, context), _text(value, "source_code", path, context)
        kept = cls.of(code, word_given, path, context)
        known: dict[str, Json] = {
            "value": kept,
            "source_code": word_given if code is None else code,
            "source_label": _text(value, "source_label", path, context),
        }
        return known | _others(cls, value, path, context)

    @classmethod
    def of(cls, code: str | None, word: str | None, path: str, context: Context) -> str | None:
        """Turns a source's code and word into our word."""
        renames = cls.renames(context)
        if renames:
            for each in (code, word):
                renamed = cls.words.get(renames.get(each, "")) if each is not None else None
                if renamed is not None:
                    return renamed
        if word is not None and word in cls.words:
            return cls.words[word]
        unknown = (code if word is None else word) or ""
        context.warn(cls.warning, path, f"no word of ours for {unknown[:MAX_WORD_SHOWN]!r}")
        return cls.fallback


class Priority(Word):
    """How urgent, or how critical, something is; null where the source's word is none of ours."""

    value: Literal["none", "low", "medium", "high", "critical"] | None

    words: ClassVar[Mapping[str, str]] = {word: word for word in ("none", "low", "medium", "high", "critical")}
    warning: ClassVar[str] = "priority_unmapped"

    @classmethod
    def renames(cls, context: Context) -> Mapping[str, str]:
        """The connection's own map of codes to our words."""
        return context.options.priority_map


def _text(value: dict[str, Any], name: str, path: str, context: Context) -> str | None:
    given = value.get(name)
    return given if given is None or isinstance(given, str) else read_text(given, f"{path}.{name}", context)


def _others(cls: type[Struct], value: dict[str, Any], path: str, context: Context) -> dict[str, Json]:
    known = _names(cls)
    if value.keys() <= known:
        return {}
    return {name: keep(each, member(path, name), context) for name, each in value.items() if name not in known}


@cache
def _names(cls: type[Struct]) -> frozenset[str]:
    return frozenset(cls.__struct_fields__)


def _assumed(path: str, context: Context) -> str | None:
    currency = context.options.currency
    code = "currency_missing" if currency is None else "currency_assumed"
    context.warn(code, path, f"the amount names no currency; {currency or 'none'} was taken")
    return currency
