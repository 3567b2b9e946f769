"""`doctor`: what it says of real servers, set up well and badly, and the promise it draws from that."""

import shutil
import sqlite3
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from handlers.store import migrate
from tests.databases import prepare
from tests.servers import BrokerServer, free_port, valkey_server
from tests.worker.cli.at_home import Home
from worker.doctor import Kept, broker, database, findings, place, promise
from worker.doctor.findings import Level
from worker.main import build

WAIT_SECONDS = 90
SECRET = "0123456789abcdef0123456789abcdef"
KEPT = (
    "what was answered 200 survives the crash of any process and a power failure; each event is applied once, and stays"
)


@pytest.fixture
def home(tmp_path: Path, valkey: BrokerServer) -> Home:
    """All that is needed: a broker, a database with the schema, a connection with its secret."""
    prepare(f"sqlite:///{tmp_path}/maintenworks.db")
    home = Home(tmp_path, MAINTENWORKS_BROKER_URL=valkey.url, ACME=SECRET)
    home.run("connections", "add", "acme", "--source", "unified", "--secret", "env:ACME")
    return home


def _found(home: Home, given: bytes = b"", **settings: str) -> tuple[int, dict[str, tuple[str, str]], str]:
    """Exit code, status and detail by check, promise; every finding that is not ok has a mend."""
    done = home.run("doctor", "--json", given=given, **settings)
    *rows, last = done.rows
    assert all((row["mend"] is None) == (row["status"] == "ok") for row in rows), rows
    return done.code, {row["check"]: (row["status"], row["detail"]) for row in rows}, str(last["promise"])


def test_the_help_has_an_example() -> None:
    done = CliRunner().invoke(build(), ["doctor", "--help"])
    assert "maintenworks doctor --json" in " ".join(done.output.split())


def test_a_good_configuration_is_ok_in_every_line_and_keeps_the_whole_promise(home: Home) -> None:
    code, found, kept = _found(home)

    assert {status for status, _ in found.values()} == {"ok"}
    assert list(found) == [
        "broker",
        "append-only log",
        "appendfsync",
        "no-appendfsync-on-rewrite",
        "eviction",
        "memory",
        "replicas",
        "broker clock",
        "database",
        "synchronous",
        "journal mode",
        "writers",
        "schema",
        "archive",
        "connections",
        "secrets",
        "disk",
    ]
    assert (code, kept) == (0, KEPT)


def test_people_get_a_table_and_the_promise_in_the_last_line(home: Home) -> None:
    done = home.run("doctor")
    assert done.out.splitlines()[-1] == f"promise: {KEPT}"
    assert any(line.startswith("ok") and "appendfsync" in line for line in done.out.splitlines())


def test_debians_redis_is_judged_by_the_same_lines(home: Home, redis_debian: BrokerServer) -> None:
    code, found, kept = _found(home, MAINTENWORKS_BROKER_URL=redis_debian.url)
    assert (code, kept) == (0, KEPT)
    assert found["broker"][1].startswith("redis ")


@pytest.mark.parametrize(
    ("options", "check", "level", "promised"),
    [
        (("--appendonly", "no"), "append-only log", "fail", "none for what waits in the broker"),
        (("--appendfsync", "everysec"), "appendfsync", "warn", "may lose the last seconds"),
        (("--appendfsync", "no"), "appendfsync", "fail", "none for what waits in the broker"),
        (("--no-appendfsync-on-rewrite", "yes"), "no-appendfsync-on-rewrite", "warn", "may lose the last seconds"),
        (("--maxmemory-policy", "allkeys-lru", "--maxmemory", "2gb"), "eviction", "fail", "none for what waits"),
        (("--maxmemory-policy", "allkeys-lru"), "eviction", "warn", "a power failure; each event"),
        (("--maxmemory", "64mb"), "memory", "warn", "a power failure; each event"),
        (("--rename-command", "CONFIG", ""), "appendfsync", "warn", "the broker does not tell of more"),
    ],
)
def test_a_broker_that_keeps_less_is_told_with_its_mend(
    home: Home, options: tuple[str, ...], check: str, level: str, promised: str
) -> None:
    with valkey_server(*options) as server:
        code, found, kept = _found(home, MAINTENWORKS_BROKER_URL=server.url)

    assert (found[check][0], code) == (level, 1 if level == "fail" else 0)
    assert promised in kept


def test_a_replica_cannot_be_written_to_and_its_master_warns_of_a_failover(home: Home) -> None:
    with valkey_server("--repl-diskless-sync-delay", "0", tcp=True) as master:
        port = master.url.rpartition(":")[2].partition("/")[0]
        with valkey_server("--replicaof", "127.0.0.1", port) as replica:
            _wait_for_link(replica)
            ended, of_replica, _ = _found(home, MAINTENWORKS_BROKER_URL=replica.url)
            _, of_master, _ = _found(home, MAINTENWORKS_BROKER_URL=master.url)

    assert (of_replica["broker"][0], ended) == ("fail", 1)
    assert of_master["replicas"] == (
        "warn",
        "1, copied to after the answer: a failover may lose what was accepted last",
    )


def _wait_for_link(replica: BrokerServer) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    with replica.client() as client:
        while client.info("replication")["master_link_status"] != "up":
            assert time.monotonic() < deadline, "the replica never found its master"
            time.sleep(0.02)


def test_a_broker_that_does_not_answer_fails_and_nothing_is_promised(home: Home) -> None:
    url = f"redis://user:hunter2@127.0.0.1:{free_port()}/0"
    done = home.run("doctor", MAINTENWORKS_BROKER_URL=url)
    assert done.code == 1
    assert done.out.splitlines()[-1].startswith("promise: nothing is accepted while the broker does not answer")
    assert "hunter2" not in done.out + done.said


def test_a_database_that_does_not_answer_fails_and_nothing_is_applied(home: Home) -> None:
    url = f"postgresql://postgres:hunter2@127.0.0.1:{free_port()}/plant"
    done = home.run("doctor", MAINTENWORKS_DATABASE_URL=url)
    assert done.code == 1
    assert "the broker keeps what comes meanwhile" in done.out
    assert done.out.splitlines()[-1].endswith("nothing is applied until the database is there")
    assert "hunter2" not in done.out + done.said


def test_a_schema_of_another_version_fails_with_both(home: Home) -> None:
    with sqlite3.connect(home.folder / "maintenworks.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    code, found, _ = _found(home)
    assert (code, found["schema"]) == (1, ("fail", f"at 9999, and this version needs {migrate.newest()}"))


def test_an_embedded_broker_that_does_not_run_is_told_what_starts_it(tmp_path: Path) -> None:
    code, found, kept = _found(Home(tmp_path))
    assert (code, found["broker"]) == (1, ("fail", "the embedded broker is not running"))
    assert kept.startswith("nothing is accepted")


def test_a_database_that_is_not_there_is_not_made_by_asking(home: Home) -> None:
    (home.folder / "maintenworks.db").unlink()
    code, found, kept = _found(home)
    assert (code, found["database"][0]) == (1, "fail")
    assert "nothing is applied until the database is there" in kept
    assert not (home.folder / "maintenworks.db").exists()


def test_a_database_without_the_schema_fails_with_the_command_that_makes_it(home: Home) -> None:
    (home.folder / "maintenworks.db").write_bytes(b"")
    done = home.run("doctor", "--json")
    (schema,) = [row for row in done.rows if row.get("check") == "schema"]
    assert (done.code, schema["status"]) == (1, "fail")
    assert "maintenworks migrate" in schema["mend"]
    assert "nothing is applied until the database is there" in done.rows[-1]["promise"]


def test_postgresql_without_fsync_fails_and_with_it_is_ok(home: Home, migrated_url: str) -> None:
    """The tests' own server runs without fsync, for speed; its other settings are the usual ones."""
    code, found, kept = _found(home, MAINTENWORKS_DATABASE_URL=migrated_url)

    assert (code, found["fsync"][0]) == (1, "fail")
    assert "may undo the last ones" in kept
    others = ("database", "full_page_writes", "synchronous_commit", "database clock", "schema")
    assert {found[name][0] for name in others} == {"ok"}
    assert found["database"][1].startswith("PostgreSQL 1")


@pytest.mark.parametrize(
    ("changed", "levels", "expected"),
    [
        ({}, {Level.OK}, Kept.SYNCED),
        ({"fsync": "off"}, {Level.OK, Level.FAIL}, Kept.DELAYED),
        ({"synchronous_commit": "off"}, {Level.OK, Level.FAIL}, Kept.DELAYED),
        ({"full_page_writes": "off"}, {Level.OK, Level.WARN}, Kept.SYNCED),
    ],
)
def test_postgresqls_settings_are_judged(changed: Mapping[str, str], levels: set[Level], expected: Kept) -> None:
    settings = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "synchronous_standby_names": ""}
    settings |= changed
    assert {each.level for each in database.judge(settings)} == levels
    assert database.kept(settings) is expected


@pytest.mark.parametrize(
    ("synchronous", "journal", "levels", "expected"),
    [
        ("2", "wal", {Level.OK}, Kept.SYNCED),
        ("3", "delete", {Level.OK, Level.WARN}, Kept.SYNCED),
        ("1", "wal", {Level.OK, Level.FAIL}, Kept.DELAYED),
        ("0", "wal", {Level.OK, Level.FAIL}, Kept.DELAYED),
    ],
)
def test_sqlites_settings_are_judged(synchronous: str, journal: str, levels: set[Level], expected: Kept) -> None:
    settings = {"synchronous": synchronous, "journal_mode": journal}
    assert {each.level for each in database.judge(settings)} == levels
    assert database.kept(settings) is expected


def test_an_embedded_broker_without_a_program_is_told_the_ways_to_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.embedded_program.get_binary_path", None)
    done = Home(tmp_path).run("doctor", "--json", PATH="/nowhere")
    assert done.rows[0]["status"] == "fail"
    assert "valkey-server or redis-server" in done.rows[0]["mend"]


def test_a_secret_that_cannot_be_had_fails_by_its_reference(home: Home) -> None:
    code, found, _ = _found(home, ACME="")
    assert (code, found["secrets"][0]) == (1, "fail")
    assert "acme: env:ACME" in found["secrets"][1]


def test_every_mistake_in_the_connections_file_is_a_line(home: Home) -> None:
    (home.folder / "connections.toml").write_text('[connections.a]\nsource = "x"\n')
    done = home.run("doctor", "--json")
    lines = [row["detail"] for row in done.rows if row.get("check") == "connections"]
    assert done.code == 1
    assert len(lines) == 2
    assert all("connections.toml:" in line for line in lines)


def test_no_connections_at_all_are_a_warning(home: Home) -> None:
    (home.folder / "connections.toml").unlink()
    code, found, _ = _found(home)
    assert (code, found["connections"][0]) == (0, "warn")


def test_too_little_free_disk_fails_and_little_warns(home: Home) -> None:
    free = shutil.disk_usage(home.folder).free
    assert _found(home, MAINTENWORKS_MIN_FREE_BYTES=str(free * 2))[1]["disk"][0] == "fail"
    assert _found(home, MAINTENWORKS_MIN_FREE_BYTES=str(free * 2 // 3))[1]["disk"][0] == "warn"


def test_a_home_in_memory_is_told_and_spoils_the_promise(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "file_system", lambda _: "tmpfs")
    done = home.run("doctor", "--json")
    *rows, last = done.rows
    assert [row["status"] for row in rows if row["check"] == "disk"] == ["ok", "warn"]
    assert last["promise"].endswith("a restart of this machine empties the home, with all that is in it")


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of mounts of our own, as proc(5) has it."""
    table = tmp_path / "mounts"
    monkeypatch.setattr(place, "_MOUNTS", table)
    return table


def test_the_file_system_is_that_of_the_nearest_mount(mounts: Path) -> None:
    mounts.write_text("/dev/b /run/my\\040disk xfs rw 0 0\n/dev/a / ext4 rw 0 0\nnone /run tmpfs rw 0 0\n")
    assert place.file_system(Path("/runner")) == "ext4"
    assert place.file_system(Path("/run/home")) == "tmpfs"
    assert place.file_system(Path("/run/my disk/home")) == "xfs"


def test_a_machine_without_such_a_table_tells_nothing(mounts: Path) -> None:
    assert place.file_system(mounts.parent) is None


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, "ok"), (1.9, "ok"), (3, "warn"), (-3, "warn"), (61, "fail"), (-61, "fail")]
)
def test_clocks_may_differ_by_seconds_and_not_by_minutes(seconds: float, level: str) -> None:
    before = datetime(2026, 3, 1, tzinfo=UTC)
    after = before + timedelta(milliseconds=100)
    theirs = (after if seconds > 0 else before) + timedelta(seconds=seconds)
    assert findings.clock("clock", theirs, before, after).level == level


def test_a_failed_write_of_the_log_and_a_cluster_fail() -> None:
    facts = broker.Facts(
        server="valkey",
        version=(9, 1, 2),
        clustered=True,
        role="master",
        replicas=0,
        append_only=True,
        last_write_ok=False,
        append_fsync="always",
        no_fsync_on_rewrite=False,
        policy="noeviction",
        max_memory=0,
        machine_memory=2**34,
        clock=datetime(2026, 3, 1, tzinfo=UTC),
    )
    failed = [each.check for each in broker.judge(facts, 2**30) if each.level is Level.FAIL]
    assert failed == ["broker", "append-only log"]
    assert broker.kept(facts) is Kept.IN_MEMORY
    old = facts._replace(server="redis", version=(6, 0, 16), clustered=False)
    assert "too old" in next(iter(broker.judge(old, 2**30))).detail


def test_there_is_a_promise_for_whatever_is_found() -> None:
    stored: tuple[Any, ...] = (Kept.SYNCED, Kept.DELAYED, Kept.AWAY)
    assert len({promise(queued, kept) for queued in Kept for kept in stored}) == len(Kept) * len(stored)
