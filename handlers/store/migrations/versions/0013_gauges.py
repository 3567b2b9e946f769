"""Gauges of the page of metrics that take long to reckon are kept where every console reads them.

Open dead letters are counted by code at each scrape: with an index, however many there are.
"""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Document, Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table and the index."""
    op.create_table(
        "gauges",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("samples", Document(), nullable=False, comment="each: its labels' values, then its own"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index(
        "dead_letters_codes",
        "dead_letters",
        ["code"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
