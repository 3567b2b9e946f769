"""Dead letters that are replayed, edited and sent by themselves; replays; the audit log."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Document, Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text compared by its bytes on both databases."""
WAITING = sa.text("state = 'open' AND retry_at IS NOT NULL")
EDITED = sa.text("edited_into IS NOT NULL")


def upgrade() -> None:
    """Adds them; open letters that wait for their time or their connection are looked at anew."""
    op.add_column(
        "dead_letters", sa.Column("type", sa.Text(), comment="what the event says it is, where that could be read")
    )
    op.add_column(
        "dead_letters",
        sa.Column(
            "retry_at", Instant(), comment="from when on the scheduler sends it on its way, its connection being there"
        ),
    )
    op.add_column("dead_letters", sa.Column("replay_id", ORDERED, comment="the replay that last sent it on its way"))
    op.add_column("dead_letters", sa.Column("edited_into", ORDERED, comment="the delivery of its corrected copy"))
    _partial_index("dead_letters_retry", ["connection_id", "retry_at"], WAITING)
    _partial_index("dead_letters_edited", ["edited_into"], EDITED)
    _partial_index("dead_letters_edited_bytes", ["connection_id", "digest"], EDITED)
    op.execute(
        "UPDATE dead_letters SET retry_at = buried_at"
        " WHERE state = 'open' AND code IN ('unknown_connection', 'clock_skew')"
    )

    op.create_table(
        "replays",
        sa.Column("replay_id", ORDERED, primary_key=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "plan", Document(), nullable=False, comment="the filter, and how many were eligible and how many why not"
        ),
        sa.Column("rate", sa.Integer(), nullable=False, comment="letters a second"),
        sa.Column("state", sa.Text(), nullable=False, comment="running, stopped or done"),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False, comment="no longer open when their turn came"),
    )
    op.create_table(
        "replay_items",
        sa.Column("replay_id", ORDERED, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="from 0"),
        sa.Column("delivery_id", ORDERED, nullable=False),
        sa.Column("event_index", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="pending, sent or skipped"),
        sa.PrimaryKeyConstraint("replay_id", "position"),
    )
    op.create_table(
        "audit_log",
        sa.Column("sequence", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("plan", Document(), nullable=False),
        sa.Column("outcome", Document(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    op.create_table(
        "audit_head",
        sa.Column("chain", sa.Text(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )


def _partial_index(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "dead_letters", columns, sqlite_where=where, postgresql_where=where)
