"""The table of closed periods: an operator's act, no function of the facts, so that a rebuild leaves it alone."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text, text

from handlers.store.columns import Document, Instant
from handlers.store.tables import metadata, ordered_text

# What was known of a connection's assets in a period when it was closed; reopened, the row stays as what was published.
report_snapshots = Table(
    "report_snapshots",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("period", ordered_text(), nullable=False, comment="as it is written: 2026-10, 2026-Q4"),
    Column("computed_at", Instant, nullable=False),
    Column("time_zone", Text, comment="null where each site's own was taken"),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("figures", Document, nullable=False, comment="what each asset came to"),
    Column("reopened_at", Instant, comment="from then on nothing is compared with it"),
    PrimaryKeyConstraint("connection_id", "period", "computed_at"),
    Index(
        "report_snapshots_closed",
        "connection_id",
        "period",
        unique=True,
        sqlite_where=text("reopened_at IS NULL"),
        postgresql_where=text("reopened_at IS NULL"),
    ),
)
