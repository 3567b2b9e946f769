"""What tables are made of: the metadata that holds them all, text in byte order, a folded record's columns."""

from sqlalchemy import Boolean, Column, Index, MetaData, Text, text

from handlers.store.columns import Document

metadata = MetaData()


def ordered_text() -> Text:
    """Text compared by its bytes, on PostgreSQL too; SQLite's default is that already."""
    return Text().with_variant(Text(collation="C"), "postgresql")


def identity() -> tuple[Column[str], Column[str]]:
    """The columns that tell a record from the others of its kind."""
    return (
        Column("connection_id", ordered_text(), nullable=False),
        Column("key", ordered_text(), nullable=False),
    )


def registers() -> tuple[Column[object], ...]:
    """The columns every folded record has."""
    return (
        Column("fields", Document, nullable=False, server_default=text("'{}'")),
        Column("registers", Text, nullable=False, server_default=text("''"), comment="stamps and trail of the fold"),
        Column("anomalies", Document, nullable=False, server_default=text("'[]'")),
        Column("is_deleted", Boolean, nullable=False, server_default=text("false")),
    )


def index_of(condition: str, name: str, *columns: str) -> Index:
    """An index of only the rows that meet a condition, on both databases."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))
