"""What several pages are asked: whose, of which site, from where on."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from handlers.connections import Connection
from handlers.store.read_sites import sites_of
from handlers.store.searching import Search
from worker.console.api import paging
from worker.console.ask import Ask
from worker.scope import apart

ROWS: Final = 50
"""Rows of a page of a list."""
Item = TypeVar("Item")


def counted(ask: Ask, every: Iterable[str]) -> list[str]:
    """The connections that count: the one that was asked for, else all but sandboxes."""
    named = ask.query.get("connection")
    return [named] if named is not None else apart(list(every), ask.house.registry.all())[0]


class Choices(NamedTuple):
    """What the filters of a list offer."""

    connections: list[str]
    sites: list[str]


def choices(ask: Ask, counting: list[str]) -> Choices:
    """Every connection, and the sites of those that count."""
    return Choices(sorted(ask.house.registry.all()), sites_of(ask.house.database, counting))


def known(ask: Ask) -> Mapping[str, Connection]:
    """The registered connections."""
    return ask.house.registry.all()


def page_of(
    items: Iterable[Item],
    place: Callable[[Item], tuple[Any, ...]],
    size: int = ROWS,
    search: Search | None = None,
) -> tuple[list[Item], str | None]:
    """The items of one page, and the cursor of the next; None on the last.

    Args:
        items: in their order, from where the page begins.
        place: where an item stands in the order.
        size: so many at most.
        search: how the items are found, where it may stop before a page is full.
    """
    return paging.cut(items, size, place, search)
