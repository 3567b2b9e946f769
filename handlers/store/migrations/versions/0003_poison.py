"""Retry rows that are worked on alone, and how many workers they have ended."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds three columns to the retries."""
    op.add_column("retries", sa.Column("alone", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("retries", sa.Column("started_at", Instant()))
    op.add_column("retries", sa.Column("deaths", sa.Integer(), server_default=sa.text("0"), nullable=False))
