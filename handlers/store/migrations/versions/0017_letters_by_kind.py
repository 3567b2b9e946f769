"""Open dead letters by all that groups and filters ask for, instead of by their code alone."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS = ["code", "fingerprint", "connection_id", "type", "waits_for", "retry_at", "buried_at", "first_seen_at"]


def upgrade() -> None:
    """Replaces the index."""
    open_ = sa.text("state = 'open'")
    op.drop_index("dead_letters_codes", "dead_letters")
    op.create_index("dead_letters_kinds", "dead_letters", COLUMNS, sqlite_where=open_, postgresql_where=open_)
