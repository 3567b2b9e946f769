"""Indexes for the work of a day: what is due, what is in progress, what stands."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0008"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("NOT is_deleted AND status IN ('requested', 'approved', 'scheduled', 'in_progress', 'on_hold')")
IN_PROGRESS = sa.text("NOT is_deleted AND status = 'in_progress'")
VALID = sa.text("NOT is_void")


def upgrade() -> None:
    """Makes them; due times are compared by their bytes, as an index in that order needs."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("work_orders", "due_at", type_=sa.Text(collation="C"))
    _index("work_orders_due", "work_orders", "due_at", UNFINISHED)
    _index("work_orders_in_progress", "work_orders", "key", IN_PROGRESS)
    _index("downtime_ended", "downtime", "ended_at", VALID)


def _index(name: str, table: str, column: str, condition: sa.TextClause) -> None:
    op.create_index(name, table, ["connection_id", column], sqlite_where=condition, postgresql_where=condition)
