"""The sites that assets and orders name, for whoever is to choose one; and assets found by a part of their name."""

from collections.abc import Iterator, Sequence
from typing import Final

import sqlalchemy as sa

from handlers.rules.printing import Kept
from handlers.store.engine import Database
from handlers.store.read_records import Chosen, kept_records
from handlers.store.reading import Readable
from handlers.store.schema import assets

MOST_SITES: Final = 500
"""Offered to choose from; a sender must not make a page of a megabyte."""


def sites_of(database: Readable, connections: Sequence[str]) -> list[str]:
    """Keys of the sites that assets of some connections stand in, in order."""
    site = assets.c.site_key
    statement = (
        sa.select(site)
        .where(assets.c.connection_id.in_(connections), site.is_not(None), sa.not_(assets.c.is_deleted))
        .distinct()
        .order_by(site)
        .limit(MOST_SITES)
    )
    with database.read() as connection:
        return list(connection.execute(statement).scalars())


def assets_named(database: Database, chosen: Chosen, words: str) -> Iterator[Kept]:
    """Assets whose key or name has some words in it, whatever their case, by connection and key."""
    return kept_records(database, "asset", chosen, *_having(words))


def _having(words: str) -> Iterator[sa.ColumnElement[bool]]:
    for word in words.casefold().split():
        yield sa.or_(
            sa.func.lower(assets.c.key).contains(word, autoescape=True),
            sa.func.lower(assets.c.name).contains(word, autoescape=True),
        )
