"""Retry rows that are worked on alone, and how many workers they have ended."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds three columns to the retries."""
    alone: sa.Column[bool] = sa.Column(
        "alone",
        sa.Boolean(),
        server_default=sa.text("false"),
        nullable=False,
        comment="a suspect: nothing runs beside it",
    )
    started_at: sa.Column[datetime] = sa.Column(
        "started_at", Instant(), comment="when a worker began on it alone; null once it ended"
    )
    deaths: sa.Column[int] = sa.Column(
        "deaths",
        sa.Integer(),
        server_default=sa.text("0"),
        nullable=False,
        comment="workers that ended while at it",
    )
    for column in (alone, started_at, deaths):
        op.add_column("retries", column)
