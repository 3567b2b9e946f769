"""Whose down time is an asset's own: that of the assets it is linked to, and, rolled up, of everything below it.

Rolled up in series: an asset is down while it, or anything that belonged to it then, is down (`reference/kpi.md` 3.2).
Nothing of it is stored: links are an operator's act, and the hierarchy is what the facts say.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from handlers.rules.downtime import Span
from handlers.rules.facts import Key

ROLLED_UP = "series: down while it, or anything that belonged to it then, was down"
"""The variant, printed beside the figures."""


class Member(NamedTuple):
    """An asset whose down time is another's, and for how long.

    Attributes:
        asset: which.
        since: from when on (UTC); None from the beginning.
        until: until when, itself excluded; None to the end.
    """

    asset: Key
    since: datetime | None = None
    until: datetime | None = None


class Stay(NamedTuple):
    """A stretch in which an asset had one parent; its members are those of `Member`."""

    parent: str | None
    since: datetime | None
    until: datetime | None


class Groups:
    """Linked assets.

    Args:
        links: each asset with the one that it is linked to; that one is linked to none itself.
    """

    def __init__(self, links: Iterable[tuple[Key, Key]] = ()) -> None:
        self._first = dict(links)
        self._all: dict[Key, list[Key]] = {}
        for asset, first in sorted(self._first.items()):
            self._all.setdefault(first, [first]).append(asset)

    def of(self, asset: Key) -> Sequence[Key]:
        """Everything that is the same thing as an asset: the one that the others are linked to, then those by key."""
        return self._all.get(self._first.get(asset, asset), (asset,))

    def stands(self, asset: Key, may: Callable[[Key], bool]) -> bool:
        """Whether an asset has the row of its group: the first of those that may."""
        return asset == next((each for each in self.of(asset) if may(each)), None)


def stays(edges: Sequence[tuple[datetime, str | None]]) -> list[Stay]:
    """The parents of one asset.

    Args:
        edges: when a fact stated a parent, or none, in the order of facts. What the first one states also counts
            before it: nobody said otherwise.
    """
    found: list[Stay] = []
    for place, (at, parent) in enumerate(edges):
        until = edges[place + 1][0] if place + 1 < len(edges) else None
        found.append(Stay(parent, None if place == 0 else at, until))
    return found


def members(asset: Key, groups: Groups, children: Callable[[Key], Iterable[Member]]) -> list[Member]:
    """An asset, what it is linked to, and everything below any of these; a circle among them ends where it closes.

    Args:
        asset: at the top.
        groups: what is linked to what.
        children: what belonged to an asset directly, and when; nothing where nothing is rolled up.
    """
    return sorted(set(_below(Member(asset), groups, children, frozenset())), key=lambda each: each.asset)


def _below(
    top: Member, groups: Groups, children: Callable[[Key], Iterable[Member]], above: frozenset[Key]
) -> Iterator[Member]:
    same = [each for each in groups.of(top.asset) if each not in above]
    above |= set(same)
    for each in same:
        yield top._replace(asset=each)
        for child in children(each):
            since = max((moment for moment in (top.since, child.since) if moment is not None), default=None)
            until = min((moment for moment in (top.until, child.until) if moment is not None), default=None)
            if since is None or until is None or since < until:
                yield from _below(Member(child.asset, since, until), groups, children, above)


def part(span: Span, member: Member, of: Key) -> Span | None:
    """What of a member's span is another asset's; None where it lies outside the member's time.

    A failure before that time is none of the other's, though the down time after it is. References are told apart by
    connection, since two may call different things the same.

    Args:
        span: with a start.
        member: whose it is.
        of: the asset whose it shall be.
    """
    start, end = span.started_at, span.ended_at
    if start is None or (member.until is not None and start >= member.until):
        return None
    is_cut = member.since is not None and start < member.since
    if is_cut and end is not None and member.since is not None and end <= member.since:
        return None
    return replace(
        span,
        started_at=member.since if is_cut else start,
        ended_at=min((moment for moment in (end, member.until) if moment is not None), default=None),
        failure=span.failure and not is_cut,
        ref=span.ref if member.asset[0] == of[0] else f"{member.asset[0]} {span.ref}",
    )
