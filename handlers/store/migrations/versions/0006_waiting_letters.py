"""The id that a dead letter of a shared address waits for somebody to register."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'open' AND waits_for IS NOT NULL")


def upgrade() -> None:
    """Adds the column; no letter from before came to a shared address."""
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("dead_letters", sa.Column("waits_for", ordered, comment="the external_id that nobody had registered"))
    op.create_index(
        "dead_letters_waiting",
        "dead_letters",
        ["connection_id", "waits_for"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
