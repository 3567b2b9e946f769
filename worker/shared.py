"""Bodies that came to an address which several connections share: whose each event of one is, told by its payload.

The archive keeps such a body once and whole, under the endpoint's name; what is in it belongs to the connections.
"""

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Final, NamedTuple

from handlers.connections import Endpoint
from handlers.errors import PermanentError
from handlers.events import WHOLE_BODY, Delivery, MappingOptions, Unmapped
from handlers.signatures import Pointer
from handlers.sources import Source

ARRAY: Final = b"["
UNKNOWN_CONNECTION: Final = "unknown_connection"
"""Code of what waits for its connection to be registered."""
REVOKED_CONNECTION: Final = "revoked_connection"
"""Code of what came for a connection that is not to be believed any more."""


class Share(NamedTuple):
    """What of one body has one id.

    Attributes:
        external_id: the id; None where there is none that could be read.
        elements: where in the array that is the body, or is in it; `WHOLE_BODY` alone for a body of one event.
        digests: SHA-256 of each, hexadecimal.
        paths: where each has its id, or should have.
        body: the body without what is others'.
    """

    external_id: str | None
    elements: tuple[int, ...]
    digests: tuple[str, ...]
    paths: tuple[str, ...]
    body: bytes

    @property
    def places(self) -> tuple[int, ...] | None:
        """Where the elements of its body stood in the one that came; None for a body of one event."""
        return None if self.elements == (WHOLE_BODY,) else self.elements

    def placed(self, item: Unmapped) -> Iterator[Unmapped]:
        """What could not be read; what would stand for the whole body stands for each element of this share."""
        return self.buried(lambda _: item.error) if item.index == WHOLE_BODY else iter((item,))

    def buried(self, error: Callable[[str], PermanentError]) -> Iterator[Unmapped]:
        """Each element with its error, made of where it has its id."""
        for element, digest, path in zip(self.elements, self.digests, self.paths, strict=True):
            yield Unmapped(element, digest, error(path))


def shares(pointer: Pointer, body: bytes) -> list[Share] | None:
    """The shares of a body, in the order of their first elements.

    Args:
        pointer: to the id, in an object or in each element of an array.
        body: inflated.

    Returns:
        None where the body is not made so: no JSON, no such array, no id in an object.
    """
    place = pointer.in_each() if body.lstrip()[:1] == ARRAY else pointer
    elements = place.elements(body)
    if elements is None:
        return None
    texts = place.texts(body)
    if not place.many:
        whole = Share(texts[0], (WHOLE_BODY,), (_digest(body),), (place.path(0),), body)
        return None if whole.external_id is None else [whole]
    before, behind = place.around(body)
    by_id: dict[str | None, list[int]] = {}
    for element, text in enumerate(texts):
        by_id.setdefault(text, []).append(element)
    return [
        Share(
            external_id,
            tuple(mine),
            tuple(_digest(elements[element]) for element in mine),
            tuple(place.path(element) for element in mine),
            body
            if len(by_id) == 1
            else before + b"[" + b",".join(elements[element] for element in mine) + b"]" + behind,
        )
        for external_id, mine in by_id.items()
    ]


def unreadable(endpoint: Endpoint, delivery: Delivery, sources: Mapping[str, Source]) -> PermanentError:
    """Why a body has no ids: what the endpoint's source says of the whole of it, else that they are missing.

    Raises:
        Exception: whatever a bug in a source raises.
    """
    source = sources.get(endpoint.source or "")
    said = source.read(delivery, MappingOptions()) if source is not None else []
    whole = (item.error for item in said if isinstance(item, Unmapped) and item.index == WHOLE_BODY)
    return next(whole, None) or without_id(endpoint.pointer.path(0))


def without_id(path: str) -> PermanentError:
    """That a payload does not say whose it is."""
    message = f"{path}: nothing where the id of a connection is expected"
    return PermanentError("missing_field", message, path=path, found="nothing", expected="a text or an integer")


def unknown(path: str) -> PermanentError:
    """That nobody registered the id."""
    message = f"{path}: no connection of the endpoint has that external_id; once one has, this is replayed by itself"
    return PermanentError(UNKNOWN_CONNECTION, message, path=path)


def revoked(path: str) -> PermanentError:
    """That the connection of that id is revoked."""
    message = f"{path}: the connection of that external_id is revoked; add it again, then replay"
    return PermanentError(REVOKED_CONNECTION, message, path=path)


def _digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()
