"""When a thin event came, and when a full record did: what is to be fetched is told by both."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns; what is wanted stays so until a newer record comes, or the archive is read anew."""
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.drop_index("fetches_due", "fetches")
    op.add_column("fetches", sa.Column("wanted_at", Instant(), comment="when the last one without time or id came"))
    op.add_column(
        "fetches",
        sa.Column(
            "full_by", ordered, server_default=sa.text("''"), nullable=False, comment="greatest stamp of a full record"
        ),
    )
    op.add_column("fetches", sa.Column("full_at", Instant(), comment="when a full record last came"))
    op.add_column("fetches", sa.Column("is_due", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute("UPDATE fetches SET is_due = true")
    op.create_index(
        "fetches_due",
        "fetches",
        ["connection_id", "asked_at"],
        sqlite_where=sa.text("is_due"),
        postgresql_where=sa.text("is_due"),
    )
