"""From a struct that lists a record's fields to the reading of an event's `data`.

The struct is the only list: names, types and JSON Schema come from it, and so do the readers, once, when its model is
made. A field `<name>_ref` is read from `<name>_key` too, `<name>_refs` from `<name>_keys`.
"""

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from handlers.events import Json
from handlers.model.reading import Context, Reader, keep, member
from handlers.model.scalars import KEPT_TYPES, Instant, KeptType, ReadBy, Text, read_text
from handlers.model.values import MAX_WORD_SHOWN, Ref, Value

UNKNOWN = "unknown"
PLAIN = "plain"
"""Class variable of a struct: which of its members a text or a number alone stands for."""


class Record(Struct, kw_only=True, omit_defaults=True):
    """What every entity may state about itself, beside its key."""

    number: Text | None = None
    external_id: Text | None = None
    source_id: Text | None = None
    source_url: Text | None = None
    source_entity: Text | None = None
    source_created_at: Instant | None = None
    source_updated_at: Instant | None = None


class Stated(Struct, frozen=True):
    """What an event's `data` states.

    Attributes:
        fields: by name, in kept form; None clears.
        custom_fields: what the model does not list, likewise.
    """

    fields: dict[str, Json]
    custom_fields: dict[str, Json]

    def __iter__(self) -> Iterator[dict[str, Json]]:
        """Both, in this order."""
        yield self.fields
        yield self.custom_fields


_Member: TypeAlias = tuple[KeptType | None, Reader, str, str, bool]
"""How a member is read, a plain tuple because those unpack quickest: the type whose values are kept as they are, if
any; the reader of all others; the field; the path; whether the member is another name of the field."""


class Model:
    """Reads one kind of record.

    Attributes:
        kind: such as `work_order`.
        struct: the list of its fields, in kept form.
        fields: their names.
    """

    def __init__(self, kind: str, struct: type[Record]) -> None:
        self.kind = kind
        self.struct = struct
        self._members = _members(struct, "data.")
        self.fields = tuple(info.encode_name for info in msgspec.structs.fields(struct))

    def read(self, data: Mapping[str, Any], context: Context) -> Stated:
        """Reads an event's `data`, whose `key` is left to the caller.

        Raises:
            PermanentError: with code and path, at the first value that cannot be what its field holds.
        """
        fields: dict[str, Json] = {}
        custom: dict[str, Json] = {}
        members = self._members
        for name, value in data.items():
            known = members.get(name)
            if known is None:
                _read_custom(name, value, custom, context)
                continue
            usual, reader, target, path, is_alias = known
            if type(value) is usual:
                fields[target] = value
            elif value is None:
                fields.setdefault(target, None)
            elif is_alias and data.get(target) is not None:
                if _key_of(data[target]) != value:
                    context.warn("two_references", path, f"{target} beside it says otherwise and is taken")
            else:
                fields[target] = reader(value, path, context)
        if context.unknown_words:
            self._keep_words(fields, custom, context)
        return Stated(fields, custom)

    def _keep_words(self, fields: dict[str, Json], custom: dict[str, Json], context: Context) -> None:
        """Keeps a word that its field could not take: in the field's `_source` twin, else as a custom field."""
        for path, word in context.unknown_words.items():
            name = path.removeprefix("data.")
            twin = f"{name}_source"
            if twin in self._members and twin not in fields:
                fields[twin] = word
            else:
                custom.setdefault(name, word)


def _key_of(reference: Any) -> Any:
    """What a reference's plain form would be, for comparison with one that stands beside it."""
    if isinstance(reference, list):
        return [_key_of(each) for each in reference]
    return reference.get("key") if isinstance(reference, dict) else reference


def _read_custom(name: str, value: Any, custom: dict[str, Json], context: Context) -> None:
    if name == "key":
        return
    if name != "custom_fields":
        custom[name] = keep(value, member("data", name), context)
        return
    if value is None:
        return
    if not isinstance(value, dict):
        raise context.wrong_type("data.custom_fields", value, "an object")
    for each, stated in value.items():
        custom[each] = keep(stated, member("data.custom_fields", each), context)


def _members(struct: type[Struct], prefix: str) -> dict[str, _Member]:
    members = {}
    for info in msgspec.structs.fields(struct):
        name = info.encode_name
        reader = _reader_of(info.type)
        members[name] = (KEPT_TYPES.get(reader), reader, name, prefix + name, False)
        if name.endswith(("_ref", "_refs")):
            alias = name.removesuffix("s").removesuffix("_ref") + ("_keys" if name.endswith("s") else "_key")
            plain = _reader_of(list[_Plain] if name.endswith("s") else _Plain)
            members[alias] = (None, plain, name, prefix + alias, True)
    return members


class _Plain(Ref):
    """A reference given by its key alone."""

    @classmethod
    def read(cls, value: Any, path: str, context: Context) -> Json:
        """Reads a key."""
        if isinstance(value, dict):
            raise context.wrong_type(path, value, "a string")
        return Ref.read(value, path, context)


def _reader_of(annotation: Any) -> Reader:
    """Finds the reader that an annotation of a field calls for."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        (annotation,) = (each for each in typing.get_args(annotation) if each is not type(None))
        return _reader_of(annotation)
    if origin is typing.Annotated:
        ties = [each for each in annotation.__metadata__ if isinstance(each, ReadBy)]
        return ties[0].reader if ties else _reader_of(annotation.__origin__)
    if origin is list:
        return _list_of(_reader_of(typing.get_args(annotation)[0]))
    if origin is typing.Literal:
        return _one_of(typing.get_args(annotation))
    if issubclass(annotation, Value):
        value_type: type[Value] = annotation
        return value_type.read
    members = _members(annotation, "")
    return _object_of(members, members.get(getattr(annotation, PLAIN, "")))


def _list_of(reader: Reader) -> Reader:
    usual = KEPT_TYPES.get(reader)

    def read_list(value: Any, path: str, context: Context) -> Json:
        if not isinstance(value, list):
            raise context.wrong_type(path, value, "an array")
        return [
            each if type(each) is usual else reader(each, f"{path}[{index}]", context)
            for index, each in enumerate(value)
        ]

    return read_list


def _one_of(words: tuple[str, ...]) -> Reader:
    """A closed list of words. A word outside it is `unknown` where the list has that, else null, and never lost."""
    fallback = UNKNOWN if UNKNOWN in words else None

    def read_word(value: Any, path: str, context: Context) -> Json:
        word = value if type(value) is str else read_text(value, path, context)
        if word in words:
            return word
        context.warn("word_unmapped", path, f"no word of ours for {word[:MAX_WORD_SHOWN]!r}")
        context.unknown_words[path] = word
        return fallback

    return read_word


def _object_of(members: Mapping[str, _Member], plain: _Member | None) -> Reader:
    """An object with named members; only those present are kept, and those without a name here in place.

    Args:
        members: by name.
        plain: the member that a value which is no object states alone; None where only an object will do.
    """

    def read_object(value: Any, path: str, context: Context) -> Json:
        if not isinstance(value, dict):
            if plain is not None and not isinstance(value, list):
                _, reader, target, _, _ = plain
                return {target: reader(value, path, context)}
            raise context.wrong_type(path, value, "an object")
        kept: dict[str, Json] = {}
        for name, each in value.items():
            known = members.get(name)
            if known is None:
                kept[name] = keep(each, member(path, name), context)
                continue
            usual, reader, target, _, is_alias = known
            if type(each) is usual:
                kept[target] = each
            elif each is None:
                kept.setdefault(target, None)
            elif not is_alias or value.get(target) is None:
                kept[target] = reader(each, f"{path}.{name}", context)
        return kept

    return read_object
