"""What tells one kind of object from another where none says what it is: the members that only it has together."""

from typing import Generic, TypeVar

from handlers.sources._node import Node

Kind = TypeVar("Kind")


class Marks(Generic[Kind]):
    """Tells the kind of an object.

    Args:
        known: names of members and the kind that has them all; the first that fit win.
    """

    def __init__(self, *known: tuple[tuple[str, ...], Kind]) -> None:
        self._known = tuple((frozenset(names), kind) for names, kind in known)

    def of(self, node: Node) -> Kind | None:
        """The kind of an object; None where it has no kind's members."""
        there = node.values.keys()
        for names, kind in self._known:
            if names <= there:
                return kind
        return None
