"""What purged deliveries came to: their facts, folded by themselves into tables beside those that stand.

State is a function of the set of facts, and folding them in two parts gives what folding them at once does. So the
purged part is folded once more, apart, by the same effects, and kept; a rebuild begins with it and folds what is still
archived on top: that comes to what everything would have come to.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from handlers.store.engine import Database
from handlers.store.events import IDENTITY, Arrival, Identity, identity, row_of
from handlers.store.reading import Held, walk
from handlers.store.rowset import Rows, Transaction
from handlers.store.schema import CHECKPOINTED, events
from handlers.store.shadow import COUNTED, Shadow

PAGE = 1_000
"""Rows copied at once."""


class Kept(Transaction):
    """A transaction whose statements go to the checkpoint's tables wherever they name those that stand."""

    def insert(self, table: sa.Table, rows: Rows) -> None:
        """Inserts every row; a key that exists is an error."""
        super().insert(CHECKPOINTED[table], rows)

    def insert_missing(self, table: sa.Table, rows: Rows, returning: Sequence[str] = ()) -> list[Row[Any]]:
        """Inserts the rows whose key does not exist yet; returns those columns of what it did insert."""
        return super().insert_missing(CHECKPOINTED[table], rows, returning)

    def insert_encoded(self, table: sa.Table, names: Sequence[str], text: str) -> None:
        """Inserts rows that are a text already."""
        super().insert_encoded(CHECKPOINTED[table], names, text)

    def update(self, table: sa.Table, rows: Rows, keys: Sequence[str]) -> None:
        """Sets every column that the rows have, where the key columns match."""
        super().update(CHECKPOINTED[table], rows, keys)

    def delete(self, table: sa.Table, rows: Rows) -> None:
        """Deletes what matches any row on all of the row's columns."""
        super().delete(CHECKPOINTED[table], rows)

    def select(self, table: sa.Table, rows: Rows, columns: Sequence[str], *, lock: bool = False) -> list[Row[Any]]:
        """Selects what matches any row on all of the row's columns, in primary-key order; locked if asked."""
        return super().select(CHECKPOINTED[table], rows, columns, lock=lock)

    def beside(self, table: sa.Table, rows: Rows, columns: Sequence[str] = ()) -> list[Row[Any]]:
        """Selects rows by their whole key, with the last part of the key just `before` and just `after` each."""
        return super().beside(CHECKPOINTED[table], rows, columns)

    def run(self, statement: sa.Executable, rows: Rows) -> sa.CursorResult[Any]:
        """A statement of one's own names a table that stands, and would change that."""
        what = f"{type(statement).__name__} over {len(rows)} rows of a checkpoint"
        raise NotImplementedError(what)  # for good: whoever folds says what it wants by the calls above


def record(kept: Kept, arrivals: Iterable[Arrival], now: datetime) -> set[Identity]:
    """Records events in the checkpoint that are not in it yet, with the outcome `applied` until told otherwise.

    Args:
        kept: the transaction.
        arrivals: in the order in which their deliveries came; of an identity twice the first stands.
        now: the clock.

    Returns:
        The identities that are new.
    """
    batch: dict[Identity, Arrival] = {}
    for arrival in arrivals:
        batch.setdefault(identity(arrival.event), arrival)
    rows = kept.select(events, named(batch), (*IDENTITY, "received_at"))
    known = {(row.connection_id, row.event_id, row.digest): row.received_at for row in rows}
    new = [arrival for each, arrival in sorted(batch.items(), key=lambda item: item[0]) if each not in known]
    kept.insert(events, [row_of(arrival, now, reused=False) for arrival in new])
    came = {
        each: batch[each].received_at for each, received_at in known.items() if batch[each].received_at < received_at
    }
    lowered = [{**row, "received_at": at} for row, at in zip(named(came), came.values(), strict=True)]
    kept.update(events, lowered, IDENTITY)
    return {identity(arrival.event) for arrival in new}


def named(identities: Iterable[Identity]) -> list[dict[str, Any]]:
    """Identities as rows."""
    return [dict(zip(IDENTITY, each, strict=True)) for each in identities]


def begin(shadow: Shadow, session: Connection, connection_id: str) -> int:
    """Copies a connection's checkpoint into tables that are built, which are empty; returns how many rows it has.

    Args:
        shadow: the tables.
        session: on those that stand (`Shadow.standing`).
        connection_id: whose.
    """
    rows = 0
    for table, kept in CHECKPOINTED.items():
        columns = table.c.keys()
        mine = sa.select(*(kept.c[name] for name in columns)).where(kept.c.connection_id == connection_id)
        put = sa.insert(shadow.built(table)).from_select(columns, mine)
        rows += int(session.execute(put, execution_options=COUNTED).rowcount)
    return rows


def copy(held: Held, into: Database, connection_id: str) -> int:
    """Copies a connection's checkpoint into another database, whose tables are empty; returns how many rows it has.

    Args:
        held: the transaction in which it stands.
        into: the database.
        connection_id: whose.
    """
    rows = 0
    for table, kept in CHECKPOINTED.items():
        page: list[dict[str, Any]] = []
        mine = sa.select(kept).where(kept.c.connection_id == connection_id)
        order = [column for column in kept.primary_key.columns if column.name != "connection_id"]
        for row in walk(held, mine, order):
            rows += 1
            page.append(dict(row._mapping))  # noqa: SLF001  # the public name of a row's columns
            if len(page) == PAGE:
                _put(into, table, page)
                page = []
        _put(into, table, page)
    return rows


def _put(into: Database, table: sa.Table, rows: Rows) -> None:
    with into.write() as connection:
        Transaction(connection).insert(table, rows)
