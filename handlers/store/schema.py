"""Every table: those of the road here, the others from beside it; importing this knows them all.

What each row is stands in the comment above its table; changes go through a migration.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, text

from handlers.store.columns import Document, Instant
from handlers.store.schema_audit import audit_head, audit_log
from handlers.store.schema_checkpoints import checkpoints, kept_beside
from handlers.store.schema_gauges import gauges
from handlers.store.schema_letters import dead_letters, replay_items, replays
from handlers.store.schema_links import asset_links
from handlers.store.schema_notices import notices, notifications
from handlers.store.schema_pm import pm_occurrences
from handlers.store.schema_records import (
    asset_history,
    asset_parent_edges,
    asset_status_edges,
    assets,
    connection_health,
    downtime,
    fetches,
    inventory_items,
    meter_readings,
    meters,
    pm_plans,
    purchase_orders,
    vendors,
    work_orders,
)
from handlers.store.schema_reports import report_snapshots
from handlers.store.tables import index_of, metadata, ordered_text

__all__ = [
    "CHECKPOINTED",
    "asset_history",
    "asset_links",
    "asset_parent_edges",
    "asset_status_edges",
    "assets",
    "audit_head",
    "audit_log",
    "checkpoints",
    "connection_health",
    "dead_letters",
    "deliveries",
    "distrusts",
    "downtime",
    "events",
    "fetches",
    "gauges",
    "inventory_items",
    "leaders",
    "metadata",
    "meter_readings",
    "meters",
    "notices",
    "notifications",
    "pm_occurrences",
    "pm_plans",
    "purchase_orders",
    "replay_items",
    "replays",
    "report_snapshots",
    "retries",
    "vendors",
    "work_orders",
]

# An accepted POST: its bytes, once, however often they came.
deliveries = Table(
    "deliveries",
    metadata,
    Column("received_at", Instant, nullable=False),
    Column("delivery_id", ordered_text(), nullable=False),
    Column("connection_id", ordered_text(), nullable=False),
    Column("body", LargeBinary, comment="null for a repeat: the first with this connection and digest has it"),
    Column("body_digest", ordered_text(), nullable=False),
    Column("body_bytes", Integer, nullable=False),
    Column("headers", Document, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("secret_position", Integer, nullable=False),
    Column("processed_at", Instant, nullable=False),
    Column("distrusted_at", Instant, comment="when it left the set; its bytes stay, as evidence"),
    Column("distrusted_by", Text),
    Column("purged_at", Instant, comment="when its bytes went: what it told is kept"),
    PrimaryKeyConstraint("received_at", "delivery_id"),
    Index("deliveries_id", "delivery_id", unique=True),
    index_of("purged_at IS NULL", "deliveries_body", "connection_id", "body_digest"),
    Index(
        "deliveries_distrusted",
        "received_at",
        "delivery_id",
        sqlite_where=text("distrusted_at IS NOT NULL"),
        postgresql_where=text("distrusted_at IS NOT NULL"),
    ),
)

# From when to when what a connection sent is not trusted: of that, what is still on its way leaves the set as it comes.
distrusts = Table(
    "distrusts",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False, comment="what was received from then on counts again"),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("connection_id", "since"),
)

# An event that was read and recorded; holds uniqueness.
events = Table(
    "events",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("event_id", ordered_text(), nullable=False),
    Column("digest", ordered_text(), nullable=False),
    Column("delivery_id", ordered_text(), nullable=False),
    Column("event_index", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_key", ordered_text(), nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("version", BigInteger),
    Column("received_at", Instant, nullable=False),
    Column("processed_at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("event_id_reused", Boolean, nullable=False),
    Column("map", Text, nullable=False, comment="fingerprint of the map that read it"),
    PrimaryKeyConstraint("connection_id", "event_id", "digest"),
    Index("events_delivery", "delivery_id", "event_index"),
    Index("events_subject", "connection_id", "subject_kind", "subject_key"),
    Index("events_occurred", "connection_id", "occurred_at"),
)

# By table: the one that keeps what purged deliveries came to in it (`handlers.store.checkpoint`).
CHECKPOINTED = kept_beside(events)

# Something of a delivery that is due again; nothing waits in a worker's memory.
retries = Table(
    "retries",
    metadata,
    Column("delivery_id", ordered_text(), nullable=False),
    Column("event_index", Integer, nullable=False),
    Column("connection_id", ordered_text(), nullable=False),
    Column("attempt", Integer, nullable=False, comment="attempts made so far"),
    Column("due_at", Instant, nullable=False),
    Column("leased_until", Instant),
    Column("attempts", Document, nullable=False, comment="each: at, code, message"),
    Column("alone", Boolean, nullable=False, server_default=text("false"), comment="a suspect: nothing runs beside it"),
    Column("started_at", Instant, comment="when a worker began on it alone; null once it ended"),
    Column("deaths", Integer, nullable=False, server_default=text("0"), comment="workers that ended while at it"),
    PrimaryKeyConstraint("delivery_id", "event_index"),
    Index("retries_due", "due_at"),
)

# Who leads, until when: one row a duty that only one process at a time may do.
leaders = Table(
    "leaders",
    metadata,
    Column("duty", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("held_until", Instant, nullable=False),
)
