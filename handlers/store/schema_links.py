"""The table of linked assets: an operator's act, no function of the facts, so that a rebuild leaves it alone."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table

from handlers.store.columns import Instant
from handlers.store.tables import metadata, ordered_text

# An asset that is the same thing as another: figures count the two once, under that other, which is linked to none.
asset_links = Table(
    "asset_links",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("asset_key", ordered_text(), nullable=False),
    Column("to_connection_id", ordered_text(), nullable=False),
    Column("to_asset_key", ordered_text(), nullable=False),
    Column("linked_at", Instant, nullable=False),
    PrimaryKeyConstraint("connection_id", "asset_key"),
    Index("asset_links_to", "to_connection_id", "to_asset_key"),
)
