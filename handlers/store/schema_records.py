"""The tables of the fold: records, down time, history. What each row is stands in the comment above its table."""

from sqlalchemy import Boolean, Column, Index, PrimaryKeyConstraint, Table, Text, text

from handlers.store.columns import Document, Instant
from handlers.store.conditions import IN_PROGRESS_ORDER, UNFINISHED_ORDER, VALID_SPAN
from handlers.store.tables import identity, index_of, metadata, ordered_text, registers

# The newest known state of a work order.
work_orders = Table(
    "work_orders",
    metadata,
    *identity(),
    Column("status", Text),
    Column("type", Text),
    Column("priority", Text),
    Column("title", Text),
    Column("asset_key", ordered_text()),
    Column("site_key", ordered_text()),
    Column("due_at", ordered_text(), comment="an instant, or a date"),
    Column("completed_at", Instant),
    Column("spells", Document, nullable=False, server_default=text("'[]'")),
    Column("pm_plan_key", ordered_text(), comment="of the maintenance plan that made it"),
    *registers(),
    PrimaryKeyConstraint("connection_id", "key"),
    Index("work_orders_asset", "connection_id", "asset_key"),
    Index("work_orders_plan", "connection_id", "pm_plan_key", "key"),
    index_of(UNFINISHED_ORDER, "work_orders_due", "connection_id", "due_at"),
    index_of(IN_PROGRESS_ORDER, "work_orders_in_progress", "connection_id", "key"),
)

# The newest known state of an asset; a bare row where it was only named.
assets = Table(
    "assets",
    metadata,
    *identity(),
    Column("name", Text),
    Column("status", Text),
    Column("site_key", ordered_text()),
    Column("parent_key", ordered_text()),
    *registers(),
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
    *registers(),
    PrimaryKeyConstraint("connection_id", "origin", "key", "part"),
    Index("downtime_asset", "connection_id", "asset_key", "started_at", "ended_at"),
    index_of(VALID_SPAN, "downtime_ended", "connection_id", "ended_at"),
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

# What one fact states of an asset's parent, in the order of facts: a move keeps what was before it.
asset_parent_edges = Table(
    "asset_parent_edges",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("asset_key", ordered_text(), nullable=False),
    Column("stamp", ordered_text(), nullable=False),
    Column("parent_key", ordered_text(), comment="null where it states that there is none"),
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

# The newest known state of a purchase order; its axes as they count, derived from the lines where nobody stated them.
purchase_orders = Table(
    "purchase_orders",
    metadata,
    *identity(),
    Column("number", Text),
    Column("status", Text),
    Column("approval_status", Text),
    Column("receipt_status", Text),
    Column("billing_status", Text),
    Column("vendor_key", ordered_text()),
    Column("site_key", ordered_text()),
    Column("required_date", ordered_text()),
    Column("title", Text),
    *registers(),
    PrimaryKeyConstraint("connection_id", "key"),
    Index("purchase_orders_vendor", "connection_id", "vendor_key"),
)

# The newest known state of a part or material.
inventory_items = Table(
    "inventory_items",
    metadata,
    *identity(),
    Column("number", Text),
    Column("name", Text),
    Column("type", Text),
    Column("vendor_key", ordered_text(), comment="the preferred one"),
    Column("below_reorder_point", Boolean, comment="in any of its levels; null where none has a point and a quantity"),
    *registers(),
    PrimaryKeyConstraint("connection_id", "key"),
    index_of("below_reorder_point", "inventory_items_below", "connection_id", "key"),
)

# The newest known state of a vendor.
vendors = Table(
    "vendors",
    metadata,
    *identity(),
    Column("number", Text),
    Column("name", Text),
    Column("status", Text),
    *registers(),
    PrimaryKeyConstraint("connection_id", "key"),
)

# A meter: what it says of itself, and what its readings say of it.
meters = Table(
    "meters",
    metadata,
    *identity(),
    Column("name", Text),
    Column("unit", Text),
    Column("asset_key", ordered_text()),
    Column("is_counter", Boolean, comment="null is unknown, and judged as one"),
    Column("counts_down", Boolean),
    *registers(),
    PrimaryKeyConstraint("connection_id", "key"),
    Index("meters_asset", "connection_id", "asset_key"),
)

# A reading of a meter, or (origin meter) a moment from which it counts anew; in the order of read_at, origin and key.
meter_readings = Table(
    "meter_readings",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("origin", Text, nullable=False, comment="meter_reading, or meter for a reset"),
    Column("key", ordered_text(), nullable=False, comment="of the reading; of a reset its stamp"),
    Column("meter_key", ordered_text(), comment="null while it belongs to none"),
    Column("asset_key", ordered_text()),
    Column("read_at", Instant),
    Column("value", Text, comment="an exact decimal; null for one that is no number or does not count"),
    Column("is_point", Boolean, nullable=False, server_default=text("false"), comment="the next is compared to it"),
    Column("restarts", Boolean, nullable=False, server_default=text("false"), comment="never compared to the last"),
    *registers(),
    PrimaryKeyConstraint("connection_id", "origin", "key"),
    Index("meter_readings_asset", "connection_id", "asset_key", "read_at"),
    Index("meter_readings_meter", "connection_id", "meter_key", "read_at", "origin", "key"),
)

# The newest known state of a maintenance plan.
pm_plans = Table(
    "pm_plans",
    metadata,
    *identity(),
    Column("name", Text),
    Column("status", Text),
    Column("trigger_kind", Text),
    Column("meter_key", ordered_text()),
    Column("next_due_at", ordered_text(), comment="an instant, or a date"),
    *registers(),
    PrimaryKeyConstraint("connection_id", "key"),
)

# A subject that a thin event named, or a full record was about; due while its record has to be fetched.
fetches = Table(
    "fetches",
    metadata,
    Column("connection_id", ordered_text(), nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", ordered_text(), nullable=False),
    Column("wanted_by", ordered_text(), nullable=False, comment="stamp of the newest thin event"),
    Column("wanted_at", Instant, comment="when the last one without time or id came"),
    Column(
        "full_by", ordered_text(), nullable=False, server_default=text("''"), comment="greatest stamp of a full record"
    ),
    Column("full_at", Instant, comment="when a full record last came"),
    Column("is_due", Boolean, nullable=False, server_default=text("false")),
    Column("source_entity", Text, comment="what the source calls it; null where the kind says enough"),
    Column("asked_at", Instant, comment="when it was last asked for; null again once a newer event wants it"),
    PrimaryKeyConstraint("connection_id", "kind", "key"),
    index_of("is_due", "fetches_due", "connection_id", "asked_at"),
)

# The health of a connection, as its operational events tell it; one row a connection, whose key is its id.
connection_health = Table(
    "connection_health",
    metadata,
    *identity(),
    Column("state", Text, comment="online, offline, auth_required or unknown; null where nothing said"),
    Column("since", Instant, comment="when it was last said to be in that state"),
    Column("last_sync_at", Instant, comment="when a synchronisation last succeeded"),
    *registers(),
    PrimaryKeyConstraint("connection_id", "key"),
)
