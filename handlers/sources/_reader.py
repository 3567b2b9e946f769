"""A source's `read` from its mapper: envelopes opened, each element decoded, mapped, read by its model."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import msgspec

from handlers.errors import PermanentError
from handlers.events import Delivery, Event, MappingOptions, Reading
from handlers.model.numbers import number_from_json
from handlers.model.reading import Context
from handlers.sources._bodies import BYTE_ORDER_MARK, Element, decode
from handlers.sources._envelopes import Envelopes, Opened
from handlers.sources._node import Given, IsNull, Node
from handlers.sources._road import NUL_ESCAPE, Identity, cleaned, read_each
from handlers.sources._told import Told, event

Mapper: TypeAlias = Callable[[Node], Iterable[Told]]
"""What one element says; a generator, so that each thing told takes the warnings made on the way to it."""

_ELEMENT = msgspec.json.Decoder(dict[str, Any], float_hook=number_from_json)


def reader(
    mapper: Mapper, *, envelopes: Sequence[str] = (), is_null: IsNull | None = None, may_have_mark: bool = False
) -> Callable[[Delivery, MappingOptions], Reading]:
    """Makes a source's `read`.

    Args:
        mapper: what one element says.
        envelopes: where the elements stand in an object that wraps them, the first that is there wins: `value`,
            `d/results`, `responses/*/objects`. An array there is many elements, an object is one. An object without
            any of them is an element itself.
        is_null: the source's null, beside JSON's.
        may_have_mark: bodies may begin with a byte-order mark, which is then dropped.

    Returns:
        A function that never raises; a mapper's bug is an `Unmapped` of code `map_failed`.
    """
    opener = Envelopes(envelopes)

    def read(delivery: Delivery, options: MappingOptions) -> Reading:
        opened = Opened([])

        def open_body(body: bytes) -> list[Element]:
            nonlocal opened
            if may_have_mark and body.startswith(BYTE_ORDER_MARK):
                body = body[len(BYTE_ORDER_MARK) :]
            opened = opener.open(body)
            return opened.elements

        def read_element(raw: bytes, identity: Identity, context: Context) -> list[Event]:
            given = Given(context, delivery, opened.within, opened.around, is_null)
            return _events(raw, identity, given, mapper)

        return read_each(delivery, options, open_body, read_element)

    return read


def _events(raw: bytes, identity: Identity, given: Given, mapper: Mapper) -> list[Event]:
    context = given.context
    values = decode(_ELEMENT, raw, context.root)
    if NUL_ESCAPE in raw:
        values = cleaned(values, context)
    events: list[Event] = []
    try:
        for told in mapper(Node(values, given)):
            events.append(event(told, len(events), identity, given))
            if context.warnings or context.unknown_words:
                context.warnings, context.unknown_words = [], {}
    except PermanentError:
        raise
    except Exception as error:  # noqa: BLE001  # a bug in one map costs one element, which can be replayed once it is mended
        expected = f"what the map reads; it ended in {type(error).__name__}"
        raise context.error("map_failed", "", "object", expected) from None
    return events
