"""The table of occurrences: derived from plans, orders, readings and the time, and made anew by the scheduler."""

from sqlalchemy import Boolean, Column, Index, PrimaryKeyConstraint, Table, Text

from handlers.store.columns import Instant
from handlers.store.tables import metadata, ordered_text

# One time that a plan is due, as it stood at the scheduler's last look. No part of the fold: plans of a file and the
# time itself have a part in it, so a rebuild leaves it alone, and the scheduler makes it what it comes to.
pm_occurrences = Table(
    "pm_occurrences",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("plan_key", ordered_text(), nullable=False),
    Column("due_key", ordered_text(), nullable=False, comment="the day that its rule names, or meter:N, or order:KEY"),
    Column("asset_key", ordered_text()),
    Column("site_key", ordered_text()),
    Column("due_date", ordered_text(), comment="a day of the plan's site; null while no usage tells"),
    Column("due_at", Instant),
    Column("due_until", Instant, comment="what is done by then is in time by the plan's own grace"),
    Column("threshold", Text, comment="the meter's total, an exact decimal"),
    Column("is_estimated", Boolean, nullable=False, comment="the day is reckoned from average usage"),
    Column("called_on", ordered_text(), comment="the day from which it is to be prepared"),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("work_order_key", ordered_text()),
    Column("completed_at", Instant),
    Column("on_time", Boolean, comment="by the plan's own grace; null while it is not done"),
    Column("covered_by", ordered_text(), comment="the occurrence that it is done along with"),
    Column("crew_hours", Text, comment="an exact decimal"),
    PrimaryKeyConstraint("connection_id", "plan_key", "due_key"),
    Index("pm_occurrences_due", "connection_id", "state", "due_date"),
    Index("pm_occurrences_asset", "connection_id", "asset_key", "due_at"),
)
