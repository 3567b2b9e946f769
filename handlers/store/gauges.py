"""Counts for the page of metrics: read at each scrape, so each is one statement."""

import sqlalchemy as sa

from handlers.store.dead_letters import OPEN
from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters, retries


def waiting_retries(tx: Transaction) -> int:
    """How many rows wait to be tried again, due or not."""
    return int(tx.connection.execute(sa.select(sa.func.count()).select_from(retries)).scalar_one())


def open_letters(tx: Transaction) -> dict[str, int]:
    """How many dead letters are open, by their error's code."""
    statement = (
        sa.select(dead_letters.c.code, sa.func.count())
        .where(dead_letters.c.state == sa.literal_column(f"'{OPEN}'"))  # literal, so that the partial index serves
        .group_by(dead_letters.c.code)
    )
    return {code: int(count) for code, count in tx.connection.execute(statement)}
