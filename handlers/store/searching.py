"""Searching a long list for what hardly is in it: so far and no farther, and then saying how far it came.

A filter that no index serves reads every row until a page is full; where nothing matches, that is all of them. So a
search looks at so many rows at most. What it came to is a page, perhaps a short or an empty one, and the place behind
which to go on.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Row

LOOKED_AT = 100_000
"""Rows of which a page is made at most: some tens of milliseconds."""
RECORDS_LOOKED_AT = 40_000
"""Likewise of folded records, whose rows are many times as long."""
FIRST_LOOK: Final = 1_000
"""Rows looked at before anything is known; where much matches, they are more than enough."""
GROWTH: Final = 4


class Search:
    """How many rows may be looked at, and where the search has stopped.

    Args:
        rows: so many at most; None for `LOOKED_AT`.

    Attributes:
        looked_at: rows looked at so far, about.
        stopped: the place of the last of them where there may be more, by the list's order; None where it has come to
            the list's end, or its page was full before.
    """

    def __init__(self, rows: int | None = None) -> None:
        self.looked_at = 0
        self.stopped: tuple[Any, ...] | None = None
        self._left = LOOKED_AT if rows is None else rows

    @classmethod
    def of_records(cls) -> "Search":
        """One through folded records."""
        return cls(RECORDS_LOOKED_AT)

    def looks(self) -> Iterator[int]:
        """How many rows are looked at next, until there are no more to be looked at."""
        step = FIRST_LOOK
        while self._left > 0:
            yield min(step, self._left)
            step *= GROWTH

    def looked(self, rows: int) -> None:
        """So many more have been."""
        self.looked_at += rows
        self._left -= rows

    def stop(self, place: tuple[Any, ...]) -> None:
        """It ends here, and not because the list does."""
        self.stopped = place


def edge(keys: sa.Select[Any], rows: int) -> sa.Select[Any]:
    """The last of so many rows of a list; nothing where it has fewer.

    Args:
        keys: the columns of the list's order, in it, from where the rows begin.
        rows: how many.
    """
    return keys.offset(rows - 1).limit(1)


def beside(order: Sequence[sa.ColumnElement[Any]], row: Row[Any]) -> tuple[Any, ...]:
    """The values that a row has in the columns of an order."""
    return tuple(getattr(row, column.name) for column in order)
