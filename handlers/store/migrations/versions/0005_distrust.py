"""Deliveries that were taken out of the set, and from when to when a connection's are."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text compared by its bytes on both databases."""
MARKED = sa.text("distrusted_at IS NOT NULL")


def upgrade() -> None:
    """Adds the mark and the table."""
    op.add_column(
        "deliveries", sa.Column("distrusted_at", Instant(), comment="when it left the set; its bytes stay, as evidence")
    )
    op.add_column("deliveries", sa.Column("distrusted_by", sa.Text()))
    op.create_index(
        "deliveries_distrusted",
        "deliveries",
        ["received_at", "delivery_id"],
        sqlite_where=MARKED,
        postgresql_where=MARKED,
    )
    op.create_table(
        "distrusts",
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False, comment="what was received from then on counts again"),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "since"),
    )
