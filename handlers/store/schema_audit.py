"""The tables of what operators did. What each row is stands in the comment above its table."""

from sqlalchemy import BigInteger, Column, Table, Text

from handlers.store.columns import Document, Instant
from handlers.store.tables import metadata

# One act of an operator; each row's hash covers the row before it.
audit_log = Table(
    "audit_log",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("plan", Document, nullable=False),
    Column("outcome", Document, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

# The last link of the chain, which whoever appends holds locked; without it a tail cut off would not be missed.
audit_head = Table(
    "audit_head",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
