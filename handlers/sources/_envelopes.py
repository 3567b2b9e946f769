"""Where a body's elements stand inside the object that wraps them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from handlers.model.numbers import number_from_json
from handlers.model.reading import member
from handlers.sources._bodies import (
    JSON_WHITE_SPACE,
    Element,
    at_most,
    check_text,
    decode,
    items,
    split,
    type_of,
)

EACH = "*"
"""In an envelope's path: every element of an array."""

Made = TypeVar("Made")

_ABSENT = msgspec.Raw(b"")
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANYTHING = msgspec.json.Decoder(Any, float_hook=number_from_json)


class Around:
    """The envelope that elements came in, read only when somebody asks for what stands beside them, and only once."""

    __slots__ = ("_body", "_made", "_members", "_read")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._members: dict[str, msgspec.Raw] | None = None
        self._read: dict[str, Any] = {}
        self._made: dict[Callable[[Around], Any], Any] = {}

    def get(self, name: str) -> Any:
        """A member beside the elements; None where there is none."""
        if name not in self._read:
            if self._members is None:
                self._members = decode(_MEMBERS, self._body, "$")
            raw = self._members.get(name)
            self._read[name] = None if raw is None else decode(_ANYTHING, bytes(raw), member("$", name))
        return self._read[name]

    def once(self, make: Callable[["Around"], Made]) -> Made:
        """What a function makes of the envelope, made at the first asking: a thousand elements have one envelope."""
        if make not in self._made:
            self._made[make] = make(self)
        made: Made = self._made[make]
        return made


class Opened(msgspec.Struct, frozen=True):
    """A body with its envelope taken off.

    Attributes:
        elements: what was in it.
        within: which envelope; empty where there was none.
        around: the envelope; None where there was none.
    """

    elements: list[Element]
    within: str = ""
    around: Around | None = None


class Envelopes:
    """Opens bodies.

    Args:
        places: paths such as `value`, `d/results`, `responses/*/objects`; the first that is there wins.
    """

    def __init__(self, places: Sequence[str]) -> None:
        self._places = [(place, place.split("/")) for place in places]
        firsts = list(dict.fromkeys(names[0] for _, names in self._places))
        self._fields = {name: f"member_{number}" for number, name in enumerate(firsts)}
        outer = msgspec.defstruct(
            "Outer",
            [(field, msgspec.Raw, _ABSENT) for field in self._fields.values()],
            rename={field: name for name, field in self._fields.items()},
        )
        self._decoder = msgspec.json.Decoder(outer)

    def open(self, body: bytes) -> Opened:
        """Tells a body's elements apart, its envelope taken off where it has one.

        Raises:
            PermanentError: as `_bodies.split` does.
        """
        if not self._places or type_of(body) != "object":
            return Opened(split(body))
        check_text(body)
        outer = decode(self._decoder, body, "$")
        for place, (name, *inner) in self._places:
            raw = bytes(getattr(outer, self._fields[name]))
            elements = _descend(raw, member("$", name), inner) if raw else None
            if elements is not None:
                return Opened(elements, place, Around(body))
        return Opened([Element(body.strip(JSON_WHITE_SPACE), "$")])


def _descend(raw: bytes, root: str, names: list[str]) -> list[Element] | None:
    """The elements below a value; None where it has not the envelope's shape."""
    kind = type_of(raw)
    if not names:
        if kind == "array":
            return items(raw, root)
        return [Element(raw, root)] if kind == "object" else None
    name, *inner = names
    if name == EACH:
        if kind != "array":
            return None
        found = [_descend(each.raw, each.root, inner) or [] for each in items(raw, root)]
        return at_most([element for elements in found for element in elements], root)
    if kind != "object":
        return None
    members = decode(_MEMBERS, raw, root)
    return _descend(bytes(members[name]), member(root, name), inner) if name in members else None
