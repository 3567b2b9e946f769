"""Closed periods: what was known when they were published, kept so that later facts show as a difference."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from handlers.errors import PermanentError
from handlers.rules.reporting import AssetSums
from handlers.store.engine import Database
from handlers.store.reading import Readable, walk
from handlers.store.rowset import Transaction
from handlers.store.schema_reports import report_snapshots

HEAD = ("connection_id", "period", "computed_at", "time_zone", "who", "reason", "reopened_at")


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """The closing of a period for one connection.

    Attributes:
        connection: whose figures.
        period: as it is written.
        computed_at: when they were computed, and everything cut.
        time_zone: in which the period was cut; None where each site's own was taken.
        who: closed it.
        reason: why.
        reopened_at: when it was opened again; None while it is closed.
    """

    connection: str
    period: str
    computed_at: datetime
    time_zone: str | None
    who: str
    reason: str
    reopened_at: datetime | None = None


def keep(tx: Transaction, closing: Closing, assets: Sequence[AssetSums]) -> None:
    """Keeps what a connection's assets came to.

    Raises:
        PermanentError: of code `already_closed`: it is, for that connection.
    """
    if [each for each in _closed(tx, closing.period) if each == closing.connection]:
        raise PermanentError("already_closed", f"{closing.period} is closed for {closing.connection}")
    row = {
        "connection_id": closing.connection,
        "period": closing.period,
        "computed_at": closing.computed_at,
        "time_zone": closing.time_zone,
        "who": closing.who,
        "reason": closing.reason,
        "figures": msgspec.to_builtins(list(assets)),
        "reopened_at": None,
    }
    tx.insert(report_snapshots, [row])


def reopen(tx: Transaction, period: str, connections: Sequence[str], now: datetime) -> list[str]:
    """Opens a period again; its snapshots stay, and nothing is compared with them any more.

    Args:
        tx: to write in.
        period: as it is written.
        connections: whose.
        now: the clock.

    Returns:
        For whom it was closed.
    """
    found = [each for each in _closed(tx, period) if each in connections]
    statement = (
        sa.update(report_snapshots)
        .values(reopened_at=now)
        .where(_is_closed(period), report_snapshots.c.connection_id.in_(found))
    )
    tx.connection.execute(statement)
    return found


def published(database: Readable, period: str) -> Iterator[tuple[Closing, list[AssetSums]]]:
    """What was published of a closed period, a connection at a time; nothing for one that is open."""
    columns = [report_snapshots.c[name] for name in (*HEAD, "figures")]
    statement = sa.select(*columns).where(_is_closed(period)).order_by(report_snapshots.c.connection_id)
    with database.read() as connection:
        rows = connection.execute(statement).all()
    for row in rows:
        yield _closing(row), msgspec.convert(row.figures, list[AssetSums])


def closings(database: Database) -> Iterator[Closing]:
    """Every closing there ever was, by connection and period, those that were taken back among them."""
    statement = sa.select(*(report_snapshots.c[name] for name in HEAD))
    for row in walk(database, statement, [report_snapshots.c[name] for name in HEAD[:3]]):
        yield _closing(row)


def _is_closed(period: str) -> sa.ColumnElement[bool]:
    return sa.and_(report_snapshots.c.period == period, report_snapshots.c.reopened_at.is_(None))


def _closed(tx: Transaction, period: str) -> list[str]:
    """For whom a period is closed."""
    statement = sa.select(report_snapshots.c.connection_id).where(_is_closed(period))
    return list(tx.connection.execute(statement.order_by(report_snapshots.c.connection_id)).scalars())


def _closing(row: sa.Row[tuple[object, ...]]) -> Closing:
    return Closing(
        connection=row.connection_id,
        period=row.period,
        computed_at=row.computed_at,
        time_zone=row.time_zone,
        who=row.who,
        reason=row.reason,
        reopened_at=row.reopened_at,
    )
