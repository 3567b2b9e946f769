"""`get connections` tells what Makini's operational events said of each, through an address that they share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.worker.cli.plant import Plant

CONNECTIONS = """
[endpoints.hub]
source = "makini"
secrets = [{ ref = "env:HUB" }]
[connections.north]
source = "makini"
endpoint = "hub"
external_id = "conn-7"
[connections.south]
source = "makini"
endpoint = "hub"
external_id = "conn-8"
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path, f"sqlite:///{tmp_path / 'maintenworks.db'}", connections=CONNECTIONS)
    yield made
    made.database.close()


def said(connection: str, name: str, at: str, **details: Any) -> dict[str, Any]:
    return {"event": name, "connection_id": connection, "timestamp": f"2026-03-04T{at}:00Z", "details": details}


def test_an_operational_event_changes_what_its_connection_prints_and_no_other(hub: Plant) -> None:
    """An endpoint without an `id` of its own takes the source's rule of where a body says whose it is."""
    hub.send(
        said("conn-7", "sync.completed", "08:00"),
        said("conn-7", "connection.online", "08:01"),
        said("conn-7", "connection.reauth_required", "09:00", message="log in again"),
        said("conn-9", "connection.online", "09:00"),
        to="hub",
    )

    north, south = hub.run("get", "connections", "--json").rows
    letter = hub.run("dead-letters", "list", "--json").row

    assert north["health"] == {
        "state": "auth_required",
        "since": "2026-03-04T09:00:00Z",
        "last_sync_at": "2026-03-04T08:00:00Z",
        "last_failed_sync_at": None,
        "last_error": {
            "type": "connection.auth_required",
            "at": "2026-03-04T09:00:00Z",
            "code": None,
            "message": "log in again",
        },
    }
    assert (south["connection"], south["health"]) == ("south", None)
    assert (letter["connection"], letter["error"]) == ("hub", "unknown_connection")


def test_people_see_it_in_a_line_and_the_next_word_counts(hub: Plant) -> None:
    hub.send(said("conn-8", "connection.offline", "09:00", message="no [b]route[/b]"), to="hub")
    trouble = "2026-03-04T09:00:00Z connection.offline no [b]route[/b]"
    line = " ".join(hub.run("get", "connections", "south").out.splitlines()[1].split())
    assert line.endswith(f"active offline 2026-03-04T09:00:00Z {trouble}")

    hub.send(said("conn-8", "connection.online", "09:30"), to="hub")
    assert hub.run("get", "connections", "south", "--json").row["health"]["state"] == "online"


def test_connections_print_without_a_database_too(hub: Plant) -> None:
    hub.url = f"sqlite:///{hub.home / 'elsewhere.db'}"

    done = hub.run("get", "connections", "--json")

    assert (done.code, [row["health"] for row in done.rows]) == (0, [None, None])
    assert "nothing is known of their health: there is no database at" in done.said


def test_rebuilding_a_connection_finds_its_health_as_it_was(hub: Plant) -> None:
    hub.send(said("conn-7", "sync.failed", "08:00", error="x"), said("conn-7", "connection.online", "08:01"), to="hub")

    assert hub.run("rebuild", "--check", "--connection", "north").code == 0
