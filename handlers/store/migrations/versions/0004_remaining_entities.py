"""Purchase orders, inventory, vendors, meters and their readings, maintenance plans, and what is to be fetched."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Document, Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text compared by its bytes on both databases."""


def _record(name: str, *columns: sa.Column[object], key: tuple[str, ...] = ("connection_id", "key")) -> None:
    """Makes a table of folded records."""
    op.create_table(
        name,
        *(sa.Column(each, ORDERED, nullable=False) for each in key),
        *columns,
        sa.Column("fields", Document(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "registers", sa.Text(), server_default=sa.text("''"), nullable=False, comment="stamps and trail of the fold"
        ),
        sa.Column("anomalies", Document(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint(*key),
    )


def upgrade() -> None:
    """Makes the tables."""
    _record(
        "purchase_orders",
        sa.Column("number", sa.Text()),
        sa.Column("status", sa.Text()),
        sa.Column("approval_status", sa.Text()),
        sa.Column("receipt_status", sa.Text()),
        sa.Column("billing_status", sa.Text()),
        sa.Column("vendor_key", ORDERED),
        sa.Column("site_key", ORDERED),
        sa.Column("required_date", ORDERED),
        sa.Column("title", sa.Text()),
    )
    op.create_index("purchase_orders_vendor", "purchase_orders", ["connection_id", "vendor_key"])
    _record(
        "inventory_items",
        sa.Column("number", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("type", sa.Text()),
        sa.Column("vendor_key", ORDERED, comment="the preferred one"),
        sa.Column(
            "below_reorder_point",
            sa.Boolean(),
            comment="in any of its levels; null where none has a point and a quantity",
        ),
    )
    op.create_index(
        "inventory_items_below",
        "inventory_items",
        ["connection_id", "key"],
        sqlite_where=sa.text("below_reorder_point"),
        postgresql_where=sa.text("below_reorder_point"),
    )
    _record(
        "vendors",
        sa.Column("number", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("status", sa.Text()),
    )
    _record(
        "meters",
        sa.Column("name", sa.Text()),
        sa.Column("unit", sa.Text()),
        sa.Column("asset_key", ORDERED),
        sa.Column("is_counter", sa.Boolean(), comment="null is unknown, and judged as one"),
        sa.Column("counts_down", sa.Boolean()),
    )
    op.create_index("meters_asset", "meters", ["connection_id", "asset_key"])
    _meter_readings()
    _record(
        "pm_plans",
        sa.Column("name", sa.Text()),
        sa.Column("status", sa.Text()),
        sa.Column("trigger_kind", sa.Text()),
        sa.Column("meter_key", ORDERED),
        sa.Column("next_due_at", ORDERED, comment="an instant, or a date"),
    )
    _fetches()


def _meter_readings() -> None:
    op.create_table(
        "meter_readings",
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False, comment="meter_reading, or meter for a reset"),
        sa.Column("key", ORDERED, nullable=False, comment="of the reading; of a reset its stamp"),
        sa.Column("meter_key", ORDERED, comment="null while it belongs to none"),
        sa.Column("asset_key", ORDERED),
        sa.Column("read_at", Instant()),
        sa.Column("value", sa.Text(), comment="an exact decimal; null for one that is no number or does not count"),
        sa.Column(
            "is_point",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="the next is compared to it",
        ),
        sa.Column(
            "restarts",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="never compared to the last",
        ),
        sa.Column("fields", Document(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "registers", sa.Text(), server_default=sa.text("''"), nullable=False, comment="stamps and trail of the fold"
        ),
        sa.Column("anomalies", Document(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "origin", "key"),
    )
    op.create_index("meter_readings_asset", "meter_readings", ["connection_id", "asset_key", "read_at"])
    op.create_index(
        "meter_readings_meter", "meter_readings", ["connection_id", "meter_key", "read_at", "origin", "key"]
    )


def _fetches() -> None:
    op.create_table(
        "fetches",
        sa.Column("connection_id", ORDERED, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", ORDERED, nullable=False),
        sa.Column("wanted_by", ORDERED, nullable=False, comment="stamp of the newest thin event"),
        sa.Column("source_entity", sa.Text(), comment="what the source calls it; null where the kind says enough"),
        sa.Column("asked_at", Instant(), comment="when it was last asked for; null again once a newer event wants it"),
        sa.PrimaryKeyConstraint("connection_id", "kind", "key"),
    )
    op.create_index("fetches_due", "fetches", ["connection_id", "asked_at"])
