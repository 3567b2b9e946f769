"""Every table: those of the road here, those of the fold from `schema_records`; importing this knows them all.

What each row is stands in the comment above its table; changes go through a migration.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, text

from handlers.store.columns import Document, Instant
from handlers.store.schema_gauges import gauges
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
from handlers.store.tables import metadata, ordered_text

__all__ = [
    "asset_history",
    "asset_links",
    "asset_parent_edges",
    "asset_status_edges",
    "assets",
    "audit_head",
    "audit_log",
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
    PrimaryKeyConstraint("received_at", "delivery_id"),
    Index("deliveries_id", "delivery_id", unique=True),
    Index("deliveries_body", "connection_id", "body_digest"),
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

# What could not be applied, with all that is known about why; never expires by itself. State is open, replayed,
# discarded or superseded; `buried_at` is when it last became open.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("delivery_id", ordered_text(), nullable=False),
    Column("event_index", Integer, nullable=False),
    Column("connection_id", ordered_text(), nullable=False),
    Column("digest", ordered_text(), nullable=False, comment="of the event's own bytes, or of the body"),
    Column("code", Text, nullable=False),
    Column("class", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("path", Text),
    Column("found", Text),
    Column("expected", Text),
    Column("traceback", Text),
    Column("fingerprint", Text, nullable=False),
    Column("attempts", Document, nullable=False, comment="each: at, code, message"),
    Column("state", Text, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("buried_at", Instant, nullable=False),
    Column("type", Text, comment="what the event says it is, where that could be read"),
    Column("retry_at", Instant, comment="from when on the scheduler sends it on its way, its connection being there"),
    Column("replay_id", ordered_text(), comment="the replay that last sent it on its way"),
    Column("edited_into", ordered_text(), comment="the delivery of its corrected copy"),
    Column("waits_for", ordered_text(), comment="the external_id that nobody had registered"),
    PrimaryKeyConstraint("delivery_id", "event_index"),
    Index(
        "dead_letters_open",
        "connection_id",
        "digest",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "dead_letters_codes",
        "code",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "dead_letters_causes",
        "fingerprint",
        "buried_at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "dead_letters_retry",
        "connection_id",
        "retry_at",
        sqlite_where=text("state = 'open' AND retry_at IS NOT NULL"),
        postgresql_where=text("state = 'open' AND retry_at IS NOT NULL"),
    ),
    Index(
        "dead_letters_waiting",
        "connection_id",
        "waits_for",
        sqlite_where=text("state = 'open' AND waits_for IS NOT NULL"),
        postgresql_where=text("state = 'open' AND waits_for IS NOT NULL"),
    ),
    Index(
        "dead_letters_edited",
        "edited_into",
        sqlite_where=text("edited_into IS NOT NULL"),
        postgresql_where=text("edited_into IS NOT NULL"),
    ),
    Index(
        "dead_letters_edited_bytes",
        "connection_id",
        "digest",
        sqlite_where=text("edited_into IS NOT NULL"),
        postgresql_where=text("edited_into IS NOT NULL"),
    ),
)

# A selection of dead letters that an operator sends on their way again; frozen when it was made.
replays = Table(
    "replays",
    metadata,
    Column("replay_id", ordered_text(), primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("plan", Document, nullable=False, comment="the filter, and how many were eligible and how many why not"),
    Column("rate", Integer, nullable=False, comment="letters a second"),
    Column("state", Text, nullable=False, comment="running, stopped or done"),
    Column("total", Integer, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("skipped", Integer, nullable=False, comment="no longer open when their turn came"),
)

# One letter of a replay.
replay_items = Table(
    "replay_items",
    metadata,
    Column("replay_id", ordered_text(), nullable=False),
    Column("position", Integer, nullable=False, comment="from 0"),
    Column("delivery_id", ordered_text(), nullable=False),
    Column("event_index", Integer, nullable=False),
    Column("state", Text, nullable=False, comment="pending, sent or skipped"),
    PrimaryKeyConstraint("replay_id", "position"),
)

# One act of an operator; each row's hash covers the row before it.
audit_log = Table(
    "audit_log",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("plan", Document, nullable=False),
    Column("outcome", Document, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

# The last link of the chain, which whoever appends holds locked; without it a tail cut off would not be missed.
audit_head = Table(
    "audit_head",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)


# Who leads, until when: one row a duty that only one process at a time may do.
leaders = Table(
    "leaders",
    metadata,
    Column("duty", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("held_until", Instant, nullable=False),
)
