"""The first schema: archive, events, retries, dead letters, and the fold."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Document, Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text compared by its bytes on both databases."""


def upgrade() -> None:
    """Makes every table."""
    op.create_table(
        "asset_history",
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_key", ORDERED, nullable=False),
        sa.Column("stamp", ORDERED, nullable=False),
        sa.Column(
            "slot", ORDERED, nullable=False, comment="the asset named; empty where its subject's asset stands in"
        ),
        sa.Column("asset_key", ORDERED, comment="null while the subject belongs to no asset"),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("event_id", ORDERED, nullable=False),
        sa.Column("digest", ORDERED, nullable=False),
        sa.Column("detail", Document(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "subject_kind", "subject_key", "stamp", "slot"),
    )
    op.create_index("asset_history_asset", "asset_history", ["connection_id", "asset_key", "occurred_at"])

    op.create_table(
        "asset_status_edges",
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("asset_key", ORDERED, nullable=False),
        sa.Column("stamp", ORDERED, nullable=False),
        sa.Column("status", sa.Text()),
        sa.PrimaryKeyConstraint("connection_id", "asset_key", "stamp"),
    )
    op.create_table(
        "assets",
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("key", ORDERED, nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("status", sa.Text()),
        sa.Column("site_key", ORDERED),
        sa.Column("parent_key", ORDERED),
        sa.Column("fields", Document(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "registers", sa.Text(), server_default=sa.text("''"), nullable=False, comment="stamps and trail of the fold"
        ),
        sa.Column("anomalies", Document(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "key"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("delivery_id", ORDERED, nullable=False),
        sa.Column("event_index", sa.Integer(), nullable=False),
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("digest", ORDERED, nullable=False, comment="of the event's own bytes, or of the body"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("path", sa.Text()),
        sa.Column("found", sa.Text()),
        sa.Column("expected", sa.Text()),
        sa.Column("traceback", sa.Text()),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("attempts", Document(), nullable=False, comment="each: at, code, message"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.Column("buried_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "event_index"),
    )
    op.create_index(
        "dead_letters_open",
        "dead_letters",
        ["connection_id", "digest"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )

    op.create_table(
        "deliveries",
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("delivery_id", ORDERED, nullable=False),
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column(
            "body", sa.LargeBinary(), comment="null for a repeat: the first with this connection and digest has it"
        ),
        sa.Column("body_digest", ORDERED, nullable=False),
        sa.Column("body_bytes", sa.Integer(), nullable=False),
        sa.Column("headers", Document(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("secret_position", sa.Integer(), nullable=False),
        sa.Column("processed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("received_at", "delivery_id"),
    )
    op.create_index("deliveries_body", "deliveries", ["connection_id", "body_digest"])
    op.create_index("deliveries_id", "deliveries", ["delivery_id"], unique=True)

    op.create_table(
        "downtime",
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False, comment="interval, work_order or status"),
        sa.Column("key", ORDERED, nullable=False, comment="of the interval, the order or the asset"),
        sa.Column("part", ORDERED, nullable=False, comment="which spell or edge; empty for an interval"),
        sa.Column("asset_key", ORDERED),
        sa.Column("started_at", Instant()),
        sa.Column("ended_at", Instant()),
        sa.Column("planned", sa.Boolean()),
        sa.Column("failure", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_void", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "day_precision",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="a time is only a date",
        ),
        sa.Column("cause", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("work_order_key", ORDERED),
        sa.Column("fields", Document(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "registers", sa.Text(), server_default=sa.text("''"), nullable=False, comment="stamps and trail of the fold"
        ),
        sa.Column("anomalies", Document(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "origin", "key", "part"),
    )
    op.create_index("downtime_asset", "downtime", ["connection_id", "asset_key", "started_at", "ended_at"])

    op.create_table(
        "events",
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("event_id", ORDERED, nullable=False),
        sa.Column("digest", ORDERED, nullable=False),
        sa.Column("delivery_id", ORDERED, nullable=False),
        sa.Column("event_index", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_key", ORDERED, nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("version", sa.BigInteger()),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("processed_at", Instant(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("event_id_reused", sa.Boolean(), nullable=False),
        sa.Column("map", sa.Text(), nullable=False, comment="fingerprint of the map that read it"),
        sa.PrimaryKeyConstraint("connection_id", "event_id", "digest"),
    )
    op.create_index("events_delivery", "events", ["delivery_id", "event_index"])
    op.create_index("events_occurred", "events", ["connection_id", "occurred_at"])
    op.create_index("events_subject", "events", ["connection_id", "subject_kind", "subject_key"])

    op.create_table(
        "leaders",
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("held_until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("duty"),
    )
    op.create_table(
        "retries",
        sa.Column("delivery_id", ORDERED, nullable=False),
        sa.Column("event_index", sa.Integer(), nullable=False),
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False, comment="attempts made so far"),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("leased_until", Instant()),
        sa.Column("attempts", Document(), nullable=False, comment="each: at, code, message"),
        sa.PrimaryKeyConstraint("delivery_id", "event_index"),
    )
    op.create_index("retries_due", "retries", ["due_at"])

    op.create_table(
        "work_orders",
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("key", ORDERED, nullable=False),
        sa.Column("status", sa.Text()),
        sa.Column("type", sa.Text()),
        sa.Column("priority", sa.Text()),
        sa.Column("title", sa.Text()),
        sa.Column("asset_key", ORDERED),
        sa.Column("site_key", ORDERED),
        sa.Column("due_at", sa.Text(), comment="an instant, or a date"),
        sa.Column("completed_at", Instant()),
        sa.Column("spells", Document(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("fields", Document(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "registers", sa.Text(), server_default=sa.text("''"), nullable=False, comment="stamps and trail of the fold"
        ),
        sa.Column("anomalies", Document(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "key"),
    )
    op.create_index("work_orders_asset", "work_orders", ["connection_id", "asset_key"])
