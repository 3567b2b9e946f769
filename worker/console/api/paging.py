"""Long lists a page at a time: a cursor says behind which item the next page begins, whatever was written meanwhile."""

import itertools
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import msgspec

from handlers.store.searching import Search
from worker.console.refusals import malformed

DEFAULT: Final = 100
MOST: Final = 1_000
"""Items of a page."""
BAD_CURSOR: Final = "cursor: give the next_cursor of the page before, unchanged"
Item = TypeVar("Item")
Place = TypeVar("Place")


def encode(place: tuple[Any, ...]) -> str:
    """A cursor, opaque to whoever is handed it."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def decode(cursor: str | None, shape: type[Place]) -> Place | None:
    """The place that a cursor names.

    Args:
        cursor: as given; None begins at the beginning.
        shape: a tuple type of what it must hold.

    Raises:
        RefusalError: nobody made it here, or for another list.
    """
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=shape)
    except (ValueError, msgspec.MsgspecError):
        raise malformed(BAD_CURSOR) from None


def cut(
    items: Iterable[Item], limit: int, place: Callable[[Item], tuple[Any, ...]], search: Search | None = None
) -> tuple[list[Item], str | None]:
    """The items of one page, and the cursor of the next; None on the last.

    Args:
        items: in their order, from where the page begins.
        limit: so many at most.
        place: where an item stands in the order.
        search: how the items are found; where it stopped before the page was full, the next goes on.
    """
    found = list(itertools.islice(items, limit + 1))
    page = found[:limit]
    if len(found) > limit:
        return page, encode(place(page[-1]))
    return page, None if search is None or search.stopped is None else encode(search.stopped)


def paged(
    items: Iterable[Item],
    limit: int,
    told: Callable[[Item], Any],
    place: Callable[[Item], tuple[Any, ...]],
    search: Search | None = None,
) -> dict[str, Any]:
    """One page as JSON.

    Args:
        items: in their order, from where the page begins.
        limit: so many at most.
        told: an item as JSON.
        place: where an item stands in the order.
        search: how the items are found, where it may stop before a page is full.
    """
    page, following = cut(items, limit, place, search)
    return {"items": [told(each) for each in page], "next_cursor": following}
