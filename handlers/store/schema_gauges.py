"""The table of gauges: what the scheduler's leader last reckoned for the page of metrics; no part of the fold."""

from sqlalchemy import Column, Table, Text

from handlers.store.columns import Document, Instant
from handlers.store.tables import metadata

# A family of gauges, as it stood when it was reckoned last; kept, so that consoles read it and do not reckon.
gauges = Table(
    "gauges",
    metadata,
    Column("name", Text, primary_key=True),
    Column("taken_at", Instant, nullable=False),
    Column("samples", Document, nullable=False, comment="each: its labels' values, then its own"),
)
