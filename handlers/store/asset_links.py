"""Assets that an operator says are one thing, told by two systems."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from handlers.rules.facts import Key
from handlers.rules.reach import Groups
from handlers.store.reading import Readable, walk
from handlers.store.rowset import Transaction
from handlers.store.schema import asset_links, assets

ASSET = ("connection_id", "asset_key")
TO = ("to_connection_id", "to_asset_key")


class Link(NamedTuple):
    """A link.

    Attributes:
        asset: that has no row of its own in figures.
        to: the one that has.
        linked_at: when an operator said so.
    """

    asset: Key
    to: Key
    linked_at: datetime


def link(tx: Transaction, one: Key, other: Key, now: datetime) -> bool:
    """Makes two assets, with whatever each is linked to already, one; the first one's name stands for all.

    Returns:
        False where they are that already.
    """
    _alone(tx)
    kept = groups(tx)
    joined, taken = kept.of(one), kept.of(other)
    if joined[0] == taken[0]:
        return False
    to = dict(zip(TO, joined[0], strict=True))
    rows = [{**dict(zip(ASSET, each, strict=True)), **to, "linked_at": now} for each in sorted(taken)]
    tx.insert_missing(asset_links, rows)
    tx.update(asset_links, [{name: row[name] for name in (*ASSET, *TO)} for row in rows], ASSET)
    return True


def unlink(tx: Transaction, asset: Key) -> bool:
    """Takes an asset out of what it is linked to; the others stay one, under the first of them where it was theirs.

    Returns:
        False where it is linked to nothing.
    """
    _alone(tx)
    group = groups(tx).of(asset)
    if len(group) == 1:
        return False
    left = [each for each in group if each != asset]
    first = group[0] if group[0] != asset else left[0]
    tx.delete(asset_links, [dict(zip(ASSET, each, strict=True)) for each in sorted({asset, first})])
    others = [{**dict(zip(ASSET, each, strict=True)), **dict(zip(TO, first, strict=True))} for each in sorted(left)]
    tx.update(asset_links, others, ASSET)
    return True


def groups(tx: Transaction) -> Groups:
    """All links: few, since each is somebody's act."""
    every = sa.select(*(asset_links.c[name] for name in (*ASSET, *TO)))
    rows = tx.connection.execute(every.order_by(*(asset_links.c[name] for name in ASSET)))
    return Groups(((row[0], row[1]), (row[2], row[3])) for row in rows)


def listed(database: Readable) -> Iterator[Link]:
    """Every link, by what is linked to."""
    order = [asset_links.c[name] for name in (*TO, *ASSET)]
    for row in walk(database, sa.select(asset_links), order):
        yield Link((row.connection_id, row.asset_key), (row.to_connection_id, row.to_asset_key), row.linked_at)


def exists(tx: Transaction, asset: Key) -> bool:
    """Whether anything was ever said of an asset."""
    return bool(tx.select(assets, [{"connection_id": asset[0], "key": asset[1]}], ("key",)))


def _alone(tx: Transaction) -> None:
    """Two operators at once would each see the other's links missing; SQLite has one writer anyway."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(sa.text(f"LOCK TABLE {asset_links.name} IN EXCLUSIVE MODE"))
