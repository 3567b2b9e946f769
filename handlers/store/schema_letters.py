"""The tables of dead letters and of replays. What each row is stands in the comment above its table."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from handlers.store.columns import Document, Instant
from handlers.store.tables import metadata, ordered_text

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
        "dead_letters_kinds",
        "code",
        "fingerprint",
        "connection_id",
        "type",
        "waits_for",
        "retry_at",
        "buried_at",
        "first_seen_at",
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
