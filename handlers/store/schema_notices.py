"""The tables of notifications: what people were told, and what is on its way to them; no part of the fold."""

from sqlalchemy import Boolean, Column, Integer, PrimaryKeyConstraint, Table, Text

from handlers.store.columns import Document, Instant
from handlers.store.tables import index_of, metadata, ordered_text

# Something that people are told of, remembered as long as it stands, and a while longer.
notices = Table(
    "notices",
    metadata,
    Column("kind", ordered_text(), nullable=False),
    Column("subject", ordered_text(), nullable=False, comment="a fingerprint, a connection, a schedule"),
    Column("since", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("count", Integer, nullable=False),
    Column("about", Document, nullable=False),
    Column("noticed_at", Instant, nullable=False),
    Column("gone_at", Instant),
    Column("told_at", Instant),
    Column("is_told", Boolean, nullable=False),
    PrimaryKeyConstraint("kind", "subject"),
)

# One message to one channel. State is pending, sent or given_up.
notifications = Table(
    "notifications",
    metadata,
    Column("message_id", ordered_text(), nullable=False, comment="begins with when it was made, and so sorts by it"),
    Column("channel", ordered_text(), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("content", Document, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column(
        "due_at", Instant, nullable=False, comment="when it is tried next; while it is tried, when that is given up"
    ),
    Column("ended_at", Instant),
    Column("last_error", Text),
    PrimaryKeyConstraint("message_id", "channel"),
    index_of("state = 'pending'", "notifications_due", "due_at"),
)
