"""From a delivery to its reading: what every source does around the one thing that only it can, reading an element.

Nothing here raises, whatever the bytes are: what cannot be read is `Unmapped`, each element by itself.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import msgspec

from handlers.errors import PermanentError
from handlers.events import MAX_ELEMENTS, WHOLE_BODY, Delivery, Event, MappingOptions, Reading, Unmapped
from handlers.model.reading import Context, without_nul
from handlers.sources._bodies import Element, digest, header_id, inflate, without_traces

CLOCK_SKEW_LIMIT = timedelta(minutes=5)
"""How far ahead of its reception an event may have happened: what two clocks kept by NTP can explain, and more
(design, section 3, rule 7)."""

NUL_ESCAPE = b"\\u0000"
"""How U+0000 stands in JSON; bare it is malformed."""


class Identity(msgspec.Struct, frozen=True):
    """What an element's events take from it.

    Attributes:
        delivery: what it came in.
        element: its place there, from 0.
        digest: SHA-256 of its bytes.
    """

    delivery: Delivery
    element: int
    digest: str

    def place(self, number: int) -> int:
        """The index of the event that the element tells as its `number`th, from 0; stable if others tell more."""
        return self.element + MAX_ELEMENTS * number

    def event_id(self, stated: str | None, number: int = 0) -> str:
        """The id of that event: the source's, else the header's with the index, else the digest."""
        base = stated
        if base is None:
            named = header_id(self.delivery.headers)
            base = self.digest if named is None else f"{named}#{self.element}"
        return f"{base}~{number}" if number else base


ReadElement: TypeAlias = Callable[[bytes, Identity, Context], Iterable[Event]]


def read_each(
    delivery: Delivery, options: MappingOptions, split: Callable[[bytes], list[Element]], read: ReadElement
) -> Reading:
    """Reads a delivery element by element.

    Args:
        delivery: as it came.
        options: what the connection tells its source.
        split: tells the elements of the inflated body apart; may raise `PermanentError`.
        read: the events of one element; may raise `PermanentError`.

    Returns:
        What each element came to, in order; one `Unmapped` of index `WHOLE_BODY` where they could not be told apart.
    """
    try:
        elements = split(inflate(delivery.body))
        placed = enumerate(elements) if delivery.places is None else _placed(elements, delivery.places)
    except PermanentError as error:
        return [Unmapped(WHOLE_BODY, digest(delivery.body), without_traces(error))]
    reading: Reading = []
    for index, element in placed:
        identity = Identity(delivery, index, digest(element.raw))
        try:
            reading += list(read(element.raw, identity, Context(options, element.root)))
        except PermanentError as error:
            reading.append(Unmapped(index, identity.digest, without_traces(error)))
    return reading


def _placed(elements: list[Element], places: Sequence[int]) -> Iterable[tuple[int, Element]]:
    """The elements of a part, each with the place and the path that it has in the body that came.

    Raises:
        PermanentError: `misplaced_id`: what the source takes for an element is not what has the id.
    """
    if len(elements) != len(places):
        message = "$: the id of a connection does not stand in each of the elements that the source reads"
        raise PermanentError("misplaced_id", message, path="$", found="other elements", expected="one for each id")
    return [(place, _at(elements[index], index, place)) for index, place in enumerate(places)]


def _at(element: Element, index: int, place: int) -> Element:
    name = f"[{index}]"
    if index == place or not element.root.endswith(name):
        return element
    return Element(element.raw, f"{element.root.removesuffix(name)}[{place}]")


def check_skew(occurred_at: datetime, path: str, delivery: Delivery, context: Context) -> None:
    """Refuses an event from the future.

    Raises:
        PermanentError: `clock_skew`, with the time from which it will be right.
    """
    if occurred_at - (delivery.read_at or delivery.received_at) > CLOCK_SKEW_LIMIT:
        early = context.error("clock_skew", path, "string", "a time at most 5 minutes after the delivery came")
        early.retry_at = occurred_at - CLOCK_SKEW_LIMIT
        raise early


def cleaned(values: dict[str, Any], context: Context) -> dict[str, Any]:
    """An element's members with U+0000 replaced, each with a warning."""
    return dict(_cleaned(values, context))


def _cleaned(values: dict[str, Any], context: Context) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        clean = without_nul(name, name[:1], context)
        yield clean, without_nul(value, clean, context)
