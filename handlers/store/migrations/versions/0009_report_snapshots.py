"""What was known of a period when it was closed."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Document, Instant

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table; nothing has been closed yet."""
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "report_snapshots",
        sa.Column("connection_id", ordered, nullable=False),
        sa.Column("period", ordered, nullable=False, comment="as it is written: 2026-10, 2026-Q4"),
        sa.Column("computed_at", Instant(), nullable=False),
        sa.Column("time_zone", sa.Text(), comment="null where each site's own was taken"),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("figures", Document(), nullable=False, comment="what each asset came to"),
        sa.Column("reopened_at", Instant(), comment="from then on nothing is compared with it"),
        sa.PrimaryKeyConstraint("connection_id", "period", "computed_at"),
    )
    op.create_index(
        "report_snapshots_closed",
        "report_snapshots",
        ["connection_id", "period"],
        unique=True,
        sqlite_where=sa.text("reopened_at IS NULL"),
        postgresql_where=sa.text("reopened_at IS NULL"),
    )
