"""The tables of checkpoints: what is kept of deliveries whose bytes are purged."""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Column, Integer, Table

from handlers.store import schema_records
from handlers.store.columns import Instant
from handlers.store.tables import metadata, ordered_text

PREFIX = "checkpoint_"
"""How the name begins of the table that keeps what purged deliveries came to in another."""

# How far the purge has come at an address at which deliveries come in.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("connection_id", ordered_text(), primary_key=True, comment="or the endpoint that several share"),
    Column("deliveries", Integer, nullable=False, comment="that are purged"),
    Column("bytes", BigInteger, nullable=False, comment="that are gone"),
    Column("newest", Instant, nullable=False, comment="when the newest of them was received"),
    Column("made_at", Instant, nullable=False, comment="when it last grew"),
)


def kept_beside(events: Table) -> Mapping[Table, Table]:
    """For events and each table of the fold another one of the same columns, which purged deliveries are folded into.

    It has no index but its key: the fold needs no other, and nobody else reads it but a rebuild, which reads all.
    """
    folded = (each for each in vars(schema_records).values() if isinstance(each, Table))
    return {table: _twin(table) for table in (events, *folded)}


def _twin(table: Table) -> Table:
    twin = table.to_metadata(metadata, name=f"{PREFIX}{table.name}")
    twin.indexes.clear()
    return twin
