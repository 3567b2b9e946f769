"""`events list --distrusted`: the deliveries that an operator has taken out of the set."""

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

from handlers.rules.times import kept_instant
from handlers.store import read_distrusted
from worker.cli import looking

COLUMNS = ("received", "connection", "delivery", "bytes", "distrusted", "by")


def show(
    connection: str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    limit: int | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Prints them, those that came last first.

    Raises:
        typer.Exit: there are none.
    """
    with looking.opened(home) as (_, database):
        found = itertools.islice(read_distrusted.listed(database, connection, since, until), limit)
        count = looking.json_lines(map(_object, found)) if as_json else looking.rows(COLUMNS, map(_line, found))
    if count == 0:
        looking.nothing("no such delivery")


def _object(row: read_distrusted.Out) -> dict[str, Any]:
    return {
        "received_at": kept_instant(row.received_at),
        "connection": row.connection_id,
        "delivery_id": row.delivery_id,
        "body_bytes": row.body_bytes,
        "distrusted_at": kept_instant(row.distrusted_at),
        "distrusted_by": row.distrusted_by,
    }


def _line(row: read_distrusted.Out) -> tuple[object, ...]:
    return (
        row.received_at,
        row.connection_id,
        row.delivery_id,
        row.body_bytes,
        row.distrusted_at,
        row.distrusted_by,
    )
