"""Assets that are one thing, and what assets belonged to."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables; which parents assets had before is known once the archive is read anew."""
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "asset_links",
        sa.Column("connection_id", ordered, nullable=False),
        sa.Column("asset_key", ordered, nullable=False),
        sa.Column("to_connection_id", ordered, nullable=False),
        sa.Column("to_asset_key", ordered, nullable=False),
        sa.Column("linked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "asset_key"),
    )
    op.create_index("asset_links_to", "asset_links", ["to_connection_id", "to_asset_key"])
    op.create_table(
        "asset_parent_edges",
        sa.Column("connection_id", ordered, nullable=False),
        sa.Column("asset_key", ordered, nullable=False),
        sa.Column("stamp", ordered, nullable=False),
        sa.Column("parent_key", ordered, comment="null where it states that there is none"),
        sa.PrimaryKeyConstraint("connection_id", "asset_key", "stamp"),
    )
