"""`get connections`: what the registry says of them, and what their operational events say of their health."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handlers.errors import ConfigurationError, ServiceUnreachableError, TransientError
from handlers.settings import load
from handlers.store.read_health import health_of
from worker.cli import connections_shown, given, looking, output
from worker.settings import WorkerSettings
from worker.shapes.connections import record

COLUMNS = ("health", "since", "last sync", "last error")


def listed(home: Path | None, connection_id: str | None, *, raw: bool, as_json: bool) -> None:
    """Prints connections as the registry has them, with their health where a database is there to tell it."""
    if raw:
        raise ConfigurationError(["--raw: connections are configuration, no source record stands behind them"])
    known = given.registry(load(WorkerSettings, home=home)).all()
    found = [each for each in known.values() if connection_id in {None, each.id}]
    if not found:
        looking.nothing("no connections" if connection_id is None else f"no connection {connection_id!r}")
    health = _health(home)
    if as_json:
        looking.json_lines(record(each, health.get(each.id)) for each in found)
    else:
        connections_shown.in_list(found, more=(COLUMNS, [_cells(health.get(each.id, {})) for each in found]))


def _health(home: Path | None) -> Mapping[str, Mapping[str, Any]]:
    """By connection; nothing without a database, since connections are configuration and print all the same."""
    try:
        with looking.opened(home) as (_, database):
            return health_of(database)
    except (ServiceUnreachableError, TransientError) as error:
        output.note(f"maintenworks: nothing is known of their health: {error}")
        return {}


def _cells(health: Mapping[str, Any]) -> Sequence[object]:
    trouble = health.get("last_error")
    shown = " ".join(str(trouble[name]) for name in ("at", "type", "message") if trouble[name]) if trouble else None
    return (health.get("state"), health.get("since"), health.get("last_sync_at"), shown)
