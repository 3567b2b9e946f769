"""Every table, as one value. What each row is stands in the comment above it; changes go through a migration."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from handlers.store.columns import Document, Instant

metadata = MetaData()


def ordered_text() -> Text:
    """Text compared by its bytes, on PostgreSQL too; SQLite's default is that already."""
    return Text().with_variant(Text(collation="C"), "postgresql")


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
    PrimaryKeyConstraint("received_at", "delivery_id"),
    Index("deliveries_id", "delivery_id", unique=True),
    Index("deliveries_body", "connection_id", "body_digest"),
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
        "dead_letters_retry",
        "connection_id",
        "retry_at",
        sqlite_where=text("state = 'open' AND retry_at IS NOT NULL"),
        postgresql_where=text("state = 'open' AND retry_at IS NOT NULL"),
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


def _registers() -> tuple[Column[object], ...]:
    """The columns every folded record has."""
    return (
        Column("fields", Document, nullable=False, server_default=text("'{}'")),
        Column("registers", Text, nullable=False, server_default=text("''"), comment="stamps and trail of the fold"),
        Column("anomalies", Document, nullable=False, server_default=text("'[]'")),
        Column("is_deleted", Boolean, nullable=False, server_default=text("false")),
    )


# The newest known state of a work order.
work_orders = Table(
    "work_orders",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("key", ordered_text(), nullable=False),
    Column("status", Text),
    Column("type", Text),
    Column("priority", Text),
    Column("title", Text),
    Column("asset_key", ordered_text()),
    Column("site_key", ordered_text()),
    Column("due_at", Text, comment="an instant, or a date"),
    Column("completed_at", Instant),
    Column("spells", Document, nullable=False, server_default=text("'[]'")),
    *_registers(),
    PrimaryKeyConstraint("connection_id", "key"),
    Index("work_orders_asset", "connection_id", "asset_key"),
)

# The newest known state of an asset; a bare row where it was only named.
assets = Table(
    "assets",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("key", ordered_text(), nullable=False),
    Column("name", Text),
    Column("status", Text),
    Column("site_key", ordered_text()),
    Column("parent_key", ordered_text()),
    *_registers(),
    PrimaryKeyConstraint("connection_id", "key"),
)

# A span of down time: an interval, a spell of a work order, or an edge of an asset's status stream.
downtime = Table(
    "downtime",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("origin", Text, nullable=False, comment="interval, work_order or status"),
    Column("key", ordered_text(), nullable=False, comment="of the interval, the order or the asset"),
    Column("part", ordered_text(), nullable=False, comment="which spell or edge; empty for an interval"),
    Column("asset_key", ordered_text()),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("planned", Boolean),
    Column("failure", Boolean, nullable=False, server_default=text("false")),
    Column("is_void", Boolean, nullable=False, server_default=text("false")),
    Column("day_precision", Boolean, nullable=False, server_default=text("false"), comment="a time is only a date"),
    Column("cause", Text),
    Column("reason", Text),
    Column("work_order_key", ordered_text()),
    *_registers(),
    PrimaryKeyConstraint("connection_id", "origin", "key", "part"),
    Index("downtime_asset", "connection_id", "asset_key", "started_at", "ended_at"),
)

# One `asset.status_changed`: an edge of the status stream, in the order of facts.
asset_status_edges = Table(
    "asset_status_edges",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("asset_key", ordered_text(), nullable=False),
    Column("stamp", ordered_text(), nullable=False),
    Column("status", Text),
    PrimaryKeyConstraint("connection_id", "asset_key", "stamp"),
)

# An event in the history of one asset: one it names, or (slot empty) the one its subject belonged to just after it.
asset_history = Table(
    "asset_history",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_key", ordered_text(), nullable=False),
    Column("stamp", ordered_text(), nullable=False),
    Column(
        "slot", ordered_text(), nullable=False, comment="the asset named; empty where its subject's asset stands in"
    ),
    Column("asset_key", ordered_text(), comment="null while the subject belongs to no asset"),
    Column("occurred_at", Instant, nullable=False),
    Column("type", Text, nullable=False),
    Column("event_id", ordered_text(), nullable=False),
    Column("digest", ordered_text(), nullable=False),
    Column("detail", Document, nullable=False),
    PrimaryKeyConstraint("connection_id", "subject_kind", "subject_key", "stamp", "slot"),
    Index("asset_history_asset", "connection_id", "asset_key", "occurred_at"),
)

# Who leads, until when: one row a duty that only one process at a time may do.
leaders = Table(
    "leaders",
    metadata,
    Column("duty", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("held_until", Instant, nullable=False),
)
