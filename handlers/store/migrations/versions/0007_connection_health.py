"""The health of connections, as their operational events tell it."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Document, Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table; what was told before is known once the archive is read anew."""
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "connection_health",
        sa.Column("connection_id", ordered, nullable=False),
        sa.Column("key", ordered, nullable=False),
        sa.Column("state", sa.Text(), comment="online, offline, auth_required or unknown; null where nothing said"),
        sa.Column("since", Instant(), comment="when it was last said to be in that state"),
        sa.Column("last_sync_at", Instant(), comment="when a synchronisation last succeeded"),
        sa.Column("fields", Document(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "registers", sa.Text(), server_default=sa.text("''"), nullable=False, comment="stamps and trail of the fold"
        ),
        sa.Column("anomalies", Document(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "key"),
    )
