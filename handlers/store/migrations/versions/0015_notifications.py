"""Who is told of what: what people know, and messages on their way to them; letters by their cause."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Document, Instant
from handlers.store.tables import ordered_text

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables, and an index that answers which causes there are without reading the letters."""
    op.create_table(
        "notices",
        sa.Column("kind", ordered_text(), nullable=False),
        sa.Column("subject", ordered_text(), nullable=False, comment="a fingerprint, a connection, a schedule"),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("about", Document(), nullable=False),
        sa.Column("noticed_at", Instant(), nullable=False),
        sa.Column("gone_at", Instant()),
        sa.Column("told_at", Instant()),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject"),
    )
    op.create_table(
        "notifications",
        sa.Column(
            "message_id", ordered_text(), nullable=False, comment="begins with when it was made, and so sorts by it"
        ),
        sa.Column("channel", ordered_text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("content", Document(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "due_at",
            Instant(),
            nullable=False,
            comment="when it is tried next; while it is tried, when that is given up",
        ),
        sa.Column("ended_at", Instant()),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("message_id", "channel"),
    )
    pending, open_ = sa.text("state = 'pending'"), sa.text("state = 'open'")
    op.create_index("notifications_due", "notifications", ["due_at"], sqlite_where=pending, postgresql_where=pending)
    op.create_index(
        "dead_letters_causes",
        "dead_letters",
        ["fingerprint", "buried_at"],
        sqlite_where=open_,
        postgresql_where=open_,
    )
