"""What is left of deliveries whose bytes are purged: every table of the fold, and events, once more."""

import sqlalchemy as sa
from alembic import op

from handlers.store.columns import Instant

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = (
    "asset_history",
    "asset_parent_edges",
    "asset_status_edges",
    "assets",
    "connection_health",
    "downtime",
    "events",
    "fetches",
    "inventory_items",
    "meter_readings",
    "meters",
    "pm_plans",
    "purchase_orders",
    "vendors",
    "work_orders",
)


def upgrade() -> None:
    """Makes the tables like those that they keep something of, and tells of a delivery when it was purged.

    Bodies are looked for among those that are not: of one that came a million times most may be.
    """
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("deliveries", sa.Column("purged_at", Instant(), comment="when its bytes went: what it told is kept"))
    kept = sa.text("purged_at IS NULL")
    op.drop_index("deliveries_body", "deliveries")
    op.create_index(
        "deliveries_body",
        "deliveries",
        ["connection_id", "body_digest"],
        sqlite_where=kept,
        postgresql_where=kept,
    )
    op.create_table(
        "checkpoints",
        sa.Column("connection_id", ordered, primary_key=True, comment="or the endpoint that several share"),
        sa.Column("deliveries", sa.Integer(), nullable=False, comment="that are purged"),
        sa.Column("bytes", sa.BigInteger(), nullable=False, comment="that are gone"),
        sa.Column("newest", Instant(), nullable=False, comment="when the newest of them was received"),
        sa.Column("made_at", Instant(), nullable=False, comment="when it last grew"),
    )
    make = _like_on_postgresql if op.get_bind().dialect.name == "postgresql" else _like_on_sqlite
    for name in TABLES:
        make(name, f"checkpoint_{name}")


def _like_on_postgresql(name: str, twin: str) -> None:
    keys = sa.inspect(op.get_bind()).get_pk_constraint(name)["constrained_columns"]
    op.execute(f'CREATE TABLE "{twin}" (LIKE "{name}" INCLUDING DEFAULTS INCLUDING COMMENTS)')
    op.create_primary_key(None, twin, keys)


def _like_on_sqlite(name: str, twin: str) -> None:
    """SQLite keeps the text that made a table, with whatever columns it was given since; its indexes are elsewhere."""
    made = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    text = op.get_bind().execute(made, {"name": name}).scalar_one()
    op.get_bind().exec_driver_sql(text.replace(name, twin, 1))
