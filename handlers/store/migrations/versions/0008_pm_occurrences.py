"""Occurrences of maintenance plans, and which plan an order is of."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Instant

revision = "0008"
down_revision = "0010"
branch_labels = None
depends_on = None

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text compared by its bytes on both databases."""
PLAN = {
    "postgresql": "fields -> 'pm_plan_ref' ->> 'key'",
    "sqlite": "json_extract(fields, '$.pm_plan_ref.key')",
}
"""The plan that an order's registers name."""


def upgrade() -> None:
    """Makes the table, which the scheduler fills, and tells of every order that is kept which plan it is of."""
    op.create_table(
        "pm_occurrences",
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("plan_key", ORDERED, nullable=False),
        sa.Column("due_key", ORDERED, nullable=False, comment="the day that its rule names, or meter:N, or order:KEY"),
        sa.Column("asset_key", ORDERED),
        sa.Column("site_key", ORDERED),
        sa.Column("due_date", ORDERED, comment="a day of the plan's site; null while no usage tells"),
        sa.Column("due_at", Instant()),
        sa.Column("due_until", Instant(), comment="what is done by then is in time by the plan's own grace"),
        sa.Column("threshold", sa.Text(), comment="the meter's total, an exact decimal"),
        sa.Column("is_estimated", sa.Boolean(), nullable=False, comment="the day is reckoned from average usage"),
        sa.Column("called_on", ORDERED, comment="the day from which it is to be prepared"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("work_order_key", ORDERED),
        sa.Column("completed_at", Instant()),
        sa.Column("on_time", sa.Boolean(), comment="by the plan's own grace; null while it is not done"),
        sa.Column("covered_by", ORDERED, comment="the occurrence that it is done along with"),
        sa.Column("crew_hours", sa.Text(), comment="an exact decimal"),
        sa.PrimaryKeyConstraint("connection_id", "plan_key", "due_key"),
    )
    op.create_index("pm_occurrences_due", "pm_occurrences", ["connection_id", "state", "due_date"])
    op.create_index("pm_occurrences_asset", "pm_occurrences", ["connection_id", "asset_key", "due_at"])
    op.add_column("work_orders", sa.Column("pm_plan_key", ORDERED, comment="of the maintenance plan that made it"))
    op.execute(f"UPDATE work_orders SET pm_plan_key = {PLAN[op.get_bind().dialect.name]}")  # noqa: S608  # a constant
    op.create_index("work_orders_plan", "work_orders", ["connection_id", "pm_plan_key", "key"])
