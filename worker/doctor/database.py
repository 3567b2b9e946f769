"""How well the database keeps what was applied.

What the settings do: https://www.postgresql.org/docs/18/runtime-config-wal.html and
https://www.sqlite.org/pragma.html#pragma_synchronous (read 2026-11-24).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from handlers.errors import TransientError
from handlers.settings import PREFIX
from handlers.store import migrate
from handlers.store.durability import durability
from handlers.store.engine import Database
from worker.doctor.findings import Finding, Kept, Level, clock

MIGRATE: Final = "run `maintenworks migrate`, or `maintenworks up`"

_SQLITE: Final = "sqlite:///"
_ONE_WRITER: Final = (
    "one at a time: a process frozen in the middle bars all others until it ends, and what is accepted waits;"
    " `up` ends a role of its own that is silent for 10 s"
)
_SYNCHRONOUS: Final = {"0": "OFF", "1": "NORMAL", "2": "FULL", "3": "EXTRA"}
"""How SQLite numbers the values of PRAGMA synchronous."""


def examine(url: str) -> tuple[list[Finding], Kept]:
    """Looks at a database; makes none where there is none.

    Args:
        url: as the settings have it.

    Raises:
        ConfigurationError: the URL is of no kind that we know, or its driver is missing.
    """
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).exists():
        detail = f"there is none at {url.removeprefix(_SQLITE)}"
        return [Finding("database", Level.FAIL, detail, MIGRATE)], Kept.AWAY
    database = Database(url, pool_size=1)
    try:
        return _look(database)
    except TransientError as error:
        mend = f"start it, or mend {PREFIX}DATABASE_URL; the broker keeps what comes meanwhile"
        return [Finding("database", Level.FAIL, f"does not answer: {error}", mend)], Kept.AWAY
    finally:
        database.close()


def _look(database: Database) -> tuple[list[Finding], Kept]:
    before = datetime.now(UTC)
    facts = durability(database)
    after = datetime.now(UTC)
    findings = [Finding("database", Level.OK, f"{facts.server} answers"), *judge(facts.settings)]
    if facts.clock is not None:
        findings.append(clock("database clock", facts.clock, before, after))
    schema = _schema(migrate.version(database), migrate.newest())
    return [*findings, schema], Kept.AWAY if schema.level is Level.FAIL else kept(facts.settings)


def kept(settings: Mapping[str, str]) -> Kept:
    """How well a commit is kept, by the database's own settings."""
    if "synchronous" in settings:
        # What a power failure may undo is whole transactions, which the broker has forgotten by then.
        return Kept.SYNCED if settings["synchronous"] in {"2", "3"} else Kept.DELAYED
    if settings.get("fsync") == "off":
        return Kept.DELAYED
    return Kept.DELAYED if settings.get("synchronous_commit") == "off" else Kept.SYNCED


def judge(settings: Mapping[str, str]) -> list[Finding]:
    """What is right and wrong with a session of ours.

    Args:
        settings: the database's, by its own names, in its own words.
    """
    return _sqlite(settings) if "synchronous" in settings else _postgresql(settings)


def _sqlite(settings: Mapping[str, str]) -> list[Finding]:
    synchronous = _SYNCHRONOUS.get(settings["synchronous"], settings["synchronous"])
    syncs = settings["synchronous"] in {"2", "3"}
    journal = settings["journal_mode"]
    is_wal = journal == "wal"
    unsynced = "a power failure may undo what was committed last"
    slow = "readers and the writer wait for one another; the file's folder cannot be shared or written"
    return [
        Finding("synchronous", Level.OK, f"{synchronous}: a commit is on the disk")
        if syncs
        else Finding("synchronous", Level.FAIL, f"{synchronous}: {unsynced}", "use SQLite's own build for this Python"),
        Finding("journal mode", Level.OK, "wal")
        if is_wal
        else Finding("journal mode", Level.WARN, f"{journal}: {slow}", "keep the file on a local disk"),
        Finding("writers", Level.OK, _ONE_WRITER),
    ]


def _postgresql(settings: Mapping[str, str]) -> list[Finding]:
    commit, standbys = settings.get("synchronous_commit", ""), settings.get("synchronous_standby_names", "")
    copies = f"on {standbys} too" if standbys else "on this server"
    return [
        Finding("fsync", Level.OK, "on")
        if settings.get("fsync") == "on"
        else Finding("fsync", Level.FAIL, "off: a power failure may ruin the whole database", "set fsync = on"),
        Finding("full_page_writes", Level.OK, "on")
        if settings.get("full_page_writes") == "on"
        else Finding(
            "full_page_writes", Level.WARN, "off: a power failure may tear a page", "set full_page_writes = on"
        ),
        Finding("synchronous_commit", Level.OK, f"{commit}: a commit is on the disk, {copies}")
        if commit != "off"
        else Finding(
            "synchronous_commit", Level.FAIL, "off in our own session", "let no pooler reset session settings"
        ),
    ]


def _schema(found: str | None, needed: str) -> Finding:
    if found == needed:
        return Finding("schema", Level.OK, f"at {found}")
    if found is None:
        return Finding("schema", Level.FAIL, "there is none yet", MIGRATE)
    detail = f"at {found}, and this version needs {needed}"
    return Finding("schema", Level.FAIL, detail, f"{MIGRATE}; or run the version that made it newer")
