"""The spans of assets with those of whatever counts as theirs: what they are linked to, and what is below them."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, timedelta, tzinfo
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa

from handlers.rules.downtime import Span
from handlers.rules.facts import Key
from handlers.rules.order import occurred_at
from handlers.rules.reach import Groups, Member, members, part, stays
from handlers.store.asset_links import groups
from handlers.store.read_spans import Window, spans_of
from handlers.store.rowset import Transaction
from handlers.store.schema import asset_parent_edges

INSTANT = timedelta(microseconds=1)


class Reach(NamedTuple):
    """What counts as an asset's own.

    Attributes:
        counted: the connections that are looked at beside its own: what is linked across them has one row.
        roll_up: whether everything below it does.
    """

    counted: frozenset[str] = frozenset()
    roll_up: bool = False


OWN = Reach()


class Members:
    """Whose spans count as whose; what is linked is read once.

    Args:
        tx: to read in.
        reach: what counts as an asset's own.
    """

    def __init__(self, tx: Transaction, reach: Reach) -> None:
        self._groups = groups(tx)
        self._reach = reach
        self._tree = Tree(self._groups) if reach.roll_up else None

    def group(self, asset: Key) -> Sequence[Key]:
        """What is the same thing as an asset, itself among it."""
        return self._groups.of(asset)

    def has_row(self, asset: Key, named: str | None = None) -> bool:
        """Whether an asset has a row, or stands in another's; where one was named, only those of that name may."""
        if len(self.group(asset)) == 1:
            return named in {None, asset[1]}
        counted = {asset[0], *self._reach.counted}
        return self._groups.stands(asset, lambda each: each[0] in counted and named in {None, each[1]})

    def of(self, tx: Transaction, asset: Key) -> list[Member]:
        """Those whose spans count as an asset's."""
        if self._tree is not None:
            return self._tree.members(tx, asset)
        return [Member(each) for each in self._groups.of(asset)]


def pooled(
    tx: Transaction, of: Mapping[Key, Sequence[Member]], window: Window, zone: tzinfo = UTC
) -> dict[Key, list[Span]]:
    """The spans of down time that a window's figures need, by asset; nothing for one without any.

    Args:
        tx: to read in.
        of: the members of each asset, itself among them.
        window: of which time, as known when.
        zone: where the assets are: the one whose midnights plain dates mean.
    """
    found = spans_of(tx, sorted({member.asset for every in of.values() for member in every}), window, zone)
    pools = {}
    for asset, every in of.items():
        if list(every) == [Member(asset)]:
            pools[asset] = found.get(asset, [])
            continue
        spans = _own(every, found, asset)
        pools[asset] = spans if len(every) == 1 else _together(tx, every, spans, asset, (window, zone))
    return {asset: spans for asset, spans in pools.items() if spans}


class Tree:
    """What belongs to what, of every connection that is asked about.

    Args:
        links: what is linked to what.
    """

    def __init__(self, links: Groups) -> None:
        self._links = links
        self._children: dict[str, dict[Key, list[Member]]] = {}

    def members(self, tx: Transaction, asset: Key) -> list[Member]:
        """An asset with everything below it; a connection's hierarchy is read once."""
        return members(asset, self._links, partial(self._below, tx))

    def _below(self, tx: Transaction, asset: Key) -> Sequence[Member]:
        connection = asset[0]
        if connection not in self._children:
            found: dict[Key, list[Member]] = {}
            for parent, member in _children(tx, connection):
                found.setdefault(parent, []).append(member)
            self._children[connection] = found
        return self._children[connection].get(asset, ())


def _children(tx: Transaction, connection: str) -> Iterator[tuple[Key, Member]]:
    """Each asset's parents in time: only the edges at which the parent changed are read."""
    edge = asset_parent_edges.c
    before = sa.func.lag(edge.parent_key).over(partition_by=edge.asset_key, order_by=edge.stamp)
    number = sa.func.row_number().over(partition_by=edge.asset_key, order_by=edge.stamp)
    every = (
        sa.select(edge.asset_key, edge.stamp, edge.parent_key, before.label("before"), number.label("number"))
        .where(edge.connection_id == connection)
        .subquery()
    )
    changed = sa.or_(every.c.number == 1, every.c.parent_key.is_distinct_from(every.c.before))
    rows = tx.connection.execute(sa.select(every).where(changed).order_by(every.c.asset_key, every.c.stamp))
    for key, edges in itertools.groupby(rows, key=lambda row: str(row.asset_key)):
        for stay in stays([(occurred_at(row.stamp), row.parent_key) for row in edges]):
            if stay.parent is not None:
                yield (connection, stay.parent), Member((connection, key), stay.since, stay.until)


def _together(
    tx: Transaction, every: Sequence[Member], spans: list[Span], asset: Key, look: tuple[Window, tzinfo]
) -> list[Span]:
    """The spans of several as those of one, read again in wider windows until no outage of it leads out of that."""
    window, zone = look
    assets = sorted({member.asset for member in every})
    wider = _later(spans, _earlier(spans, window))
    while wider != window:
        window = wider
        spans = _own(every, spans_of(tx, assets, window, zone), asset)
        wider = _later(spans, window)
    return spans


def _own(every: Sequence[Member], found: Mapping[Key, Sequence[Span]], asset: Key) -> list[Span]:
    parts = (part(span, member, asset) for member in every for span in found.get(member.asset, ()))
    return [each for each in parts if each is not None]


def _earlier(spans: Sequence[Span], window: Window) -> Window:
    """A window that holds what overlaps the earlier spells of an order: only those are given from before a window."""
    spells = (each.started_at for each in spans if each.ended_at is not None and each.ended_at < window.since)
    since = min((start for start in spells if start is not None), default=window.since)
    return window._replace(since=min(since, window.since))


def _later(spans: Sequence[Span], window: Window) -> Window:
    """A window that holds what an outage reaches behind the end; more does no harm, so each step is twice the last."""
    ends = (window.as_of if each.ended_at is None else min(each.ended_at, window.as_of) for each in spans)
    reach = max(ends, default=None)
    if reach is None or reach < window.end:
        return window
    if reach >= window.as_of:
        return window._replace(until=max(window.until, window.as_of))
    return window._replace(until=min(max(reach + INSTANT, reach + (reach - window.end)), window.as_of))
