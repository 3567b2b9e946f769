"""What rebuild and distrust are asked in tests, of a yard (`tests.worker.letters`)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from handlers.sources import Source, load
from handlers.store import schema
from handlers.store.distrust import Distrust, Reach
from tests import folding
from tests.worker.letters import ANNA, Yard
from worker import rebuild, rebuild_check
from worker.rebuild_check import Checked, Finding
from worker.rebuild_hands import Recipe
from worker.rebuilt import Rebuilt
from worker.rereading import Archive
from worker.units import Reader

EVENT = ("event_id", "digest", "type", "subject_kind", "subject_key", "occurred_at", "version", "received_at")


def archive(yard: Yard, connection_id: str = "plant", sources: Mapping[str, Source] | None = None) -> Archive:
    """How its archive is read now, or would be by other sources."""
    yard._registry.refresh()
    known = yard._registry.get(connection_id)
    assert known is not None
    return Archive(known, Reader(yard._registry, sources or load(), max_body_bytes=1024 * 1024), yard.now)


def nobody(total: int) -> Any:
    """Watches nothing."""
    del total
    return bool


def rebuilt(
    yard: Yard, lined_up: Any = nobody, connection_id: str = "plant", sources: Mapping[str, Source] | None = None
) -> Rebuilt:
    """Computes everything anew."""
    return rebuild.run(yard.database, archive(yard, connection_id, sources), ANNA, lined_up)


class Looked(NamedTuple):
    """What a check came to."""

    checked: Checked
    findings: list[Finding]


def recipe(yard: Yard, folder: Path) -> Recipe:
    """How other processes read its archive."""
    read = archive(yard)
    url = yard.database.engine.url.set(drivername=yard.database.dialect).render_as_string(hide_password=False)
    return Recipe(url, folder / "connections.toml", folder, "plant", 1 << 20, read.now, read.fingerprint)


def check(
    yard: Yard,
    sources: Mapping[str, Source] | None = None,
    connection_id: str = "plant",
    how: Recipe | None = None,
) -> Looked:
    """Compares."""
    findings: list[Finding] = []
    read = archive(yard, connection_id, sources)
    return Looked(rebuild_check.check(yard.database, read, findings.append, nobody, how), findings)


def distrust(
    yard: Yard,
    since: datetime,
    until: datetime | None = None,
    lined_up: Any = nobody,
    *,
    of: str = "plant",
    read: str | None = None,
) -> tuple[Reach, Rebuilt]:
    """Takes what was received from then on out of the set, and out of one connection's state."""
    asked = Distrust(
        connection_id=of,
        since=since,
        until=until or yard.now + timedelta(seconds=30),
        at=yard.now,
        who=ANNA.who,
        reason="secret leaked",
    )
    return rebuild.without(yard.database, archive(yard, read or of), asked, lined_up)


def everything(yard: Yard) -> dict[str, Any]:
    """All that is a function of the set: state, what the events are, and what could not be applied."""
    events = [{name: row[name] for name in EVENT} for row in yard.rows(schema.events)]
    letters = sorted((row["digest"], row["code"]) for row in yard.rows(schema.dead_letters) if row["state"] == "open")
    return {**folding.state(yard.database), "events": events, "letters": letters}


def cleared(yard: Yard, *tables: sa.Table) -> None:
    """Loses every row of some tables."""
    with yard.database.write() as connection:
        for table in tables:
            connection.execute(sa.delete(table))


def edited(yard: Yard, statement: sa.Executable) -> None:
    """Has somebody change what stands."""
    with yard.database.write() as connection:
        connection.execute(statement)


def assert_given_back(yard: Yard) -> None:
    """To compute anew changes nothing of what stands, and gives it back where it is lost."""
    stood, ended = everything(yard), yard.outcomes()
    assert check(yard).findings == []
    done = rebuilt(yard)
    assert (done.rows, done.events) == ({}, {})
    assert (everything(yard), yard.outcomes()) == (stood, ended)

    cleared(yard, *folding.STATE, schema.events)
    rebuilt(yard)
    assert everything(yard) == stood
