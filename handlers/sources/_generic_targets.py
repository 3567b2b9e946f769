"""What a field of ours holds, by its name: how a value has to be read for it, where only a configuration names it."""

import types
import typing
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Struct

from handlers.model import MODELS
from handlers.model.reading import Reader
from handlers.model.scalars import ReadBy, read_duration, read_flag, read_key, read_text
from handlers.model.times import read_date, read_instant, read_instant_or_date
from handlers.model.values import Money, Party, Ref, Word

INSTANT, DATE, MOMENT = "instant", "date", "instant or date"
SECONDS, MONEY, WORD, TEXT, FLAG = "duration", "money", "word", "text", "flag"
REFERENCE, PARTY, ROWS, OTHER = "reference", "party", "list of objects", "other"

TIMES: Final = frozenset({INSTANT, DATE, MOMENT})
LABELLED: Final = frozenset({REFERENCE, PARTY, WORD})
"""What a label may stand beside."""

_READERS: Final[Mapping[Reader, str]] = {
    read_instant: INSTANT,
    read_date: DATE,
    read_instant_or_date: MOMENT,
    read_duration: SECONDS,
    read_text: TEXT,
    read_key: TEXT,
    read_flag: FLAG,
}


def fields(kind: str, of: str = "") -> tuple[str, ...]:
    """The names that may be told of a kind, or inside one of its lists or objects; `<name>_key` for `<name>_ref` too.

    Args:
        kind: such as `work_order`.
        of: the list or object; empty for the record itself.
    """
    found = _annotation(kind, of) if of else MODELS[kind].struct
    struct = typing.get_args(found)[0] if typing.get_origin(found) is list else found
    return tuple(_members(struct)) if isinstance(struct, type) and issubclass(struct, Struct) else ()


@lru_cache(maxsize=1024)
def role(kind: str, target: str) -> str | None:
    """What a field holds.

    Args:
        kind: such as `work_order`.
        target: dots for what is inside: `failure.cause`, `lines.unit_price`.

    Returns:
        One of the words above; None where there is no such field.
    """
    found = _annotation(kind, target)
    if found is None:
        return None
    if typing.get_origin(found) is list:
        inner = _bare(typing.get_args(found)[0])
        is_rows = isinstance(inner, type) and issubclass(inner, Struct) and not issubclass(inner, Ref | Party | Word)
        return ROWS if is_rows else OTHER
    if typing.get_origin(found) is typing.Annotated:
        ties = [each for each in found.__metadata__ if isinstance(each, ReadBy)]
        return _READERS.get(ties[0].reader, OTHER) if ties else role_of(found.__origin__)
    return role_of(found)


def role_of(found: Any) -> str:
    """Likewise, of a type that is no list."""
    if typing.get_origin(found) is typing.Literal:
        return TEXT
    for struct, name in ((Word, WORD), (Money, MONEY), (Ref, REFERENCE), (Party, PARTY)):
        if isinstance(found, type) and issubclass(found, struct):
            return name
    return OTHER


def _annotation(kind: str, target: str) -> Any:
    found: Any = MODELS[kind].struct
    for name in target.split("."):
        if typing.get_origin(found) is list:
            found = _bare(typing.get_args(found)[0])
        if not (isinstance(found, type) and issubclass(found, Struct)):
            return None
        found = _members(found).get(name)
        if found is None:
            return None
    return found


def _members(struct: type[Struct]) -> dict[str, Any]:
    members = {}
    for info in msgspec.structs.fields(struct):
        members[info.encode_name] = _bare(info.type)
        if info.encode_name.endswith("_ref"):
            members[f"{info.encode_name.removesuffix('_ref')}_key"] = _bare(info.type)
    return members


def _bare(annotation: Any) -> Any:
    """A type without the null that every field may be."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next(_bare(each) for each in typing.get_args(annotation) if each is not type(None))
    return annotation
