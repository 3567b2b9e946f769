"""`dead-letters`: what operators see of what could not be applied, and what they do about it."""

import base64
import json
import os
import pty
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from handlers.connections import Registry
from handlers.sources import load
from handlers.store import retries, schema
from handlers.store.rowset import Transaction
from tests.worker.cli.at_home import Home
from tests.worker.cli.plant import CONNECTIONS, Done, Plant, event
from worker.dispatch import Dispatcher
from worker.units import Reader

SCRIPT = "import sys; from worker.main import main; sys.argv[0] = 'maintenworks'; main()"
ZONELESS = "2026-03-01T08:00:00"
"""A time that can be read once its connection has a time zone."""
LETTERS = 250
"""So many that a slow replay has work for two minutes."""


def test_letters_are_listed_in_order_of_arrival_and_shown_with_all_that_is_known(plant: Plant) -> None:
    good = event("work_order.created", "WO-1", "08:00", "a")
    bad = {**event("work_order.created", "WO-2", "08:00", "b", title="Replace seal [/pump 3] \x1b[31m"), "version": "x"}
    first, second = plant.send([good, bad], b"{not json")

    rows = plant.run("dead-letters", "list", "--json").rows
    shown = plant.run("dead-letters", "show", f"{first}/1", "--json").row
    told = plant.run("dead-letters", "show", f"{first}/1")

    assert [row["id"] for row in rows] == [f"{first}/1", f"{second}/body"]
    row = rows[0]
    assert (row["connection"], row["type"], row["error"], row["path"]) == (
        "plant",
        "work_order.created",
        "wrong_type",
        "$[1].version",
    )
    assert (row["found"], row["expected"], row["state"]) == ("string", "an integer", "open")
    assert base64.b64decode(shown["body_base64"]) == json.dumps(bad).encode()
    assert [each["at"] for each in shown["attempts"]] == [shown["buried_at"]]
    for text in ("$[1].version", "an integer", "work_order.created", "attempts", "[/pump 3]", "\\u001b"):
        assert text in told.out
    assert "\x1b" not in told.out


def test_filters_narrow_the_list_and_groups_count_it(plant: Plant) -> None:
    zoneless = [event("work_order.created", f"WO-{n}", ZONELESS, f"e{n}") for n in range(3)]
    first, second, third = plant.send(zoneless, b"rubbish", event("asset.created", "A-1", ZONELESS, "a"))
    (other,) = plant.send(event("asset.created", "A-1", ZONELESS, "a"), to="second")

    def ids(*arguments: str) -> list[str]:
        return [row["id"] for row in plant.run("dead-letters", "list", *arguments, "--json").rows]

    whole = [f"{first}/0", f"{first}/1", f"{first}/2", f"{second}/body", f"{third}/0", f"{other}/0"]
    assert ids() == whole
    assert ids("--connection", "second") == [f"{other}/0"]
    assert ids("--type", "asset.created") == [f"{third}/0", f"{other}/0"]
    assert ids("--error", "malformed_json") == [f"{second}/body"]
    assert ids("--id", f"{first}/1", "--id", second) == [f"{first}/1", f"{second}/body"]
    assert ids("--since", "2026-07-01", "--limit", "2") == whole[:2]
    assert ids("--until", "2026-07-01") == []
    assert ids("--state", "discarded") == []
    assert ids("--state", "all") == whole

    groups = plant.run("dead-letters", "list", "--by", "fingerprint", "--json").rows
    assert {(row["error"], row["letters"], row["connections"]) for row in groups} >= {("malformed_json", 1, 1)}
    assert sum(row["letters"] for row in groups) == 6
    biggest = groups[0]["fingerprint"]
    assert len(ids("--fingerprint", biggest)) == groups[0]["letters"]
    assert ids("--fingerprint", biggest[:8]) == ids("--fingerprint", biggest)
    by_connection = plant.run("dead-letters", "list", "--by", "connection", "--json").rows
    assert [(row["connection"], row["letters"]) for row in by_connection] == [("plant", 5), ("second", 1)]
    assert "plant" in plant.run("dead-letters", "list", "--by", "connection").out


def test_what_there_is_not_is_code_4_and_what_cannot_be_asked_is_code_2(plant: Plant) -> None:
    for arguments in (["list"], ["show", "x"], ["export"], ["replay", "--reason", "r"], ["edit", "x", "-"]):
        assert (plant.run("dead-letters", *arguments).code, arguments) == (4, arguments)
    assert plant.run("dead-letters", "replay", "--resume", "x").code == 4
    for arguments in (["list", "--state", "lost"], ["list", "--by", "mood"], ["list", "--since", "noon"]):
        assert plant.run("dead-letters", *arguments).code == 2
    assert plant.run("dead-letters", "replay", "--rate", "fast").code == 2
    plant.send(b"rubbish")
    assert plant.run("dead-letters", "replay").code == 2
    assert plant.run("dead-letters", "discard", "--reason", "r").code == 2
    assert plant.run("dead-letters", "discard", "--error", "malformed_json").code == 2


def test_a_dry_run_prints_the_plan_and_does_nothing(plant: Plant) -> None:
    plant.send(event("asset.created", "A-1", ZONELESS, "a"), b"rubbish")
    plant.send(event("asset.created", "A-1", "08:00", "a"), to="nobody")

    plan = plant.run("dead-letters", "replay", "--dry-run", "--json").row
    told = plant.run("dead-letters", "replay", "--dry-run")

    assert (plan["matched"], plan["eligible"]) == (3, 2)
    assert plan["by"] == [
        {"error": "malformed_json", "connection": "plant", "why_not": None, "letters": 1},
        {"error": "missing_time_zone", "connection": "plant", "why_not": None, "letters": 1},
        {"error": "unknown_connection", "connection": "nobody", "why_not": "connection_unknown", "letters": 1},
    ]
    assert "no: connection_unknown" in told.out
    assert told.out.endswith("2 of 3 letters can be replayed\n")
    assert _rows(plant, schema.retries) == _rows(plant, schema.replays) == _rows(plant, schema.audit_log) == []


def test_a_mended_map_and_a_replay_apply_what_was_buried_once(plant: Plant) -> None:
    (name,) = plant.send([event("asset.created", f"A-{n}", ZONELESS, f"e{n}") for n in range(3)])
    _mend(plant)

    done = plant.run("dead-letters", "replay", "--reason", "zone set", "--by", "anna", "--rate", "500/s", "--json")
    _work(plant)

    assert done.code == 0
    plan, result = done.rows
    assert (plan["eligible"], result["state"], result["sent"], result["skipped"]) == (3, "done", 3, 0)
    assert [row["key"] for row in plant.run("get", "assets", "--json").rows] == ["A-0", "A-1", "A-2"]
    shown = plant.run("dead-letters", "show", f"{name}/1", "--json").row
    assert (shown["state"], shown["replay_id"]) == ("replayed", result["replay"])
    assert [each["outcome"] for each in shown["events"]] == ["applied"]
    assert plant.run("dead-letters", "list").code == 4
    standing = plant.run("dead-letters", "replay", "--resume", result["replay"], "--json")
    assert (standing.code, standing.row["applied"], standing.row["on_their_way"]) == (0, 3, 0)

    again = plant.run("dead-letters", "replay", "--id", name, "--reason", "once more", "--json")

    assert (again.code, again.row["eligible"]) == (4, 0)
    assert [row["why_not"] for row in again.row["by"]] == ["already_replayed"]
    assert _rows(plant, schema.retries) == []
    assert [row["who"] for row in _rows(plant, schema.audit_log)] == ["anna", "anna"]


def test_a_replay_that_leaves_some_behind_is_partly_done(plant: Plant) -> None:
    plant.send(event("asset.created", "A-1", ZONELESS, "a"))
    plant.send(event("asset.created", "A-1", "08:00", "a"), to="nobody")

    done = plant.run("dead-letters", "replay", "--reason", "r")

    assert done.code == 3
    assert "is done: 1 of 1 sent, 0 skipped" in done.out


def test_who_waits_is_told_what_the_letters_came_to(local: Plant) -> None:
    local.send([event("asset.created", "A-1", ZONELESS, "a"), event("asset.created", "A-2", "yesterdayT", "b")])
    _mend(local)
    done: list[Done] = []
    waiting = threading.Thread(
        target=lambda: done.append(local.run("dead-letters", "replay", "--reason", "r", "--wait", "--json"))
    )
    waiting.start()
    while waiting.is_alive():
        _work(local)
        waiting.join(0.1)

    assert done[0].code == 3
    assert (done[0].rows[1]["applied"], done[0].rows[1]["open"], done[0].rows[1]["on_their_way"]) == (1, 1, 0)


def test_a_letter_is_edited_after_its_difference_was_shown(plant: Plant, tmp_path: Path) -> None:
    bad = event("asset.created", "A-1", "yesterdayT", "a", name="Pump")
    (name,) = plant.send(bad)
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps(event("asset.created", "A-1", "08:00", "a", name="Pump")))
    arguments = ["dead-letters", "edit", f"{name}/0", str(mended)]

    shown = plant.run(*arguments, "--dry-run")
    assert '-  "occurred_at": "yesterdayT",\n+  "occurred_at": "2026-03-01T08:00:00Z",\n' in shown.out
    assert _rows(plant, schema.retries) == []
    assert plant.run(*arguments).code == 2

    done = plant.run(*arguments, "--reason", "typing error", "--by", "anna", "--json").row
    _work(plant)

    assert plant.run("get", "assets", "--json").row["name"] == "Pump"
    letter = plant.run("dead-letters", "show", name, "--json").row
    assert (letter["state"], letter["edited_into"]) == ("superseded", done["edited_into"])
    story = plant.run("events", "show", done["edited_into"], "--json").row
    assert (story["verdict"], [each["event_id"] for each in story["events"]]) == ("edited by anna", ["a"])
    again = plant.run(*arguments, "--reason", "r")
    assert (again.code, again.said) == (
        1,
        f"maintenworks: {name}/0: it is superseded; only an open letter can be edited\n",
    )


def test_an_edit_reads_standard_input_and_refuses_what_changes_nothing_or_means_several(plant: Plant) -> None:
    bad = event("asset.created", "A-1", ZONELESS, "a")
    (name,) = plant.send([bad, {**bad, "id": "b"}])
    home = Home(plant.home, MAINTENWORKS_DATABASE_URL=plant.url)
    same = json.dumps(bad).encode() + b"\n"
    arguments = ("dead-letters", "edit", f"{name}/0", "-", "--reason", "r")

    assert home.run(*arguments, given=same).said == f"maintenworks: {name}/0: nothing was changed\n"
    several = home.run("dead-letters", "edit", name, "-", "--reason", "r", given=b"{}")
    assert several.said == f"maintenworks: {name}: several letters are open there; name one: {name}/0, {name}/1\n"
    assert home.run("dead-letters", "edit", f"{name}/0", "--reason", "r").code == 2
    assert home.run(*arguments, given=b"{}").code == 0
    assert "is superseded by delivery" in home.run("dead-letters", "edit", f"{name}/1", *arguments[3:], given=b"[]").out


def test_discarded_letters_stay_and_are_neither_replayed_nor_listed_as_open(plant: Plant) -> None:
    (name,) = plant.send([event("asset.created", f"A-{n}", ZONELESS, f"e{n}") for n in range(2)])
    _mend(plant)

    would = plant.run("dead-letters", "discard", "--id", f"{name}/0", "--dry-run", "--json").row
    done = plant.run("dead-letters", "discard", "--id", f"{name}/0", "--reason", "test data", "--json")

    assert (would["open"], would["discarded"]) == (1, 0)
    assert (done.code, done.row["discarded"]) == (0, 1)
    assert [row["id"] for row in plant.run("dead-letters", "list", "--json").rows] == [f"{name}/1"]
    assert [row["id"] for row in plant.run("dead-letters", "list", "--state", "discarded", "--json").rows] == [
        f"{name}/0"
    ]
    assert plant.run("dead-letters", "replay", "--id", f"{name}/0", "--reason", "r").code == 4
    assert plant.run("dead-letters", "discard", "--id", f"{name}/0", "--reason", "r").code == 4
    assert plant.run("events", "replay", name, "--reason", "r").code == 0
    _work(plant)
    assert [row["key"] for row in plant.run("get", "assets", "--json").rows] == ["A-1"]
    assert plant.run("dead-letters", "discard", "--id", name, "--reason", "r").code == 4


def test_an_export_has_the_bytes_as_they_came(plant: Plant) -> None:
    bodies = [b"\xff\x00 rubbish", b'{"a":1}']
    plant.send(*bodies)

    rows = plant.run("dead-letters", "export").rows

    assert [base64.b64decode(row["body_base64"]) for row in rows] == bodies
    assert [row["state"] for row in rows] == ["open", "open"]


def test_an_applied_event_that_is_replayed_changes_nothing(plant: Plant) -> None:
    (name,) = plant.send([event("asset.created", "A-1", "08:00", "a"), event("asset.created", "A-2", "08:00", "b")])
    before = _rows(plant, schema.events), _rows(plant, schema.assets), _rows(plant, schema.asset_history)

    assert plant.run("events", "replay", "a", "--dry-run", "--json").row == {"id": "a", "matched": 1, "sent": 0}
    assert plant.run("events", "replay", "a").code == 2
    assert plant.run("events", "replay", "a", "--reason", "r", "--json").row["sent"] == 1
    assert plant.run("events", "replay", name, "--reason", "r").out == "1 of 1 on their way again\n"
    assert plant.run("events", "replay", "nothing", "--reason", "r").code == 4
    _work(plant)

    assert (_rows(plant, schema.events), _rows(plant, schema.assets), _rows(plant, schema.asset_history)) == before
    assert _rows(plant, schema.retries) == []
    assert [row["act"] for row in _rows(plant, schema.audit_log)] == ["events.replay"] * 2


def test_ctrl_c_leaves_a_replay_that_can_be_resumed(local: Plant) -> None:
    local.send([event("asset.created", f"A-{n}", ZONELESS, f"e{n}") for n in range(LETTERS)])
    environment = {**os.environ, "MAINTENWORKS_HOME": str(local.home), "MAINTENWORKS_DATABASE_URL": local.url}
    command = [sys.executable, "-c", SCRIPT, "dead-letters", "replay", "--reason", "r", "--rate", "2/s", "--json"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as running:
        deadline = time.monotonic() + 120
        while not _rows(local, schema.retries) and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, said = running.communicate(timeout=120)

    stopped = json.loads(out.splitlines()[-1])
    assert (running.returncode, stopped["state"]) == (3, "stopped")
    assert 0 < stopped["sent"] < LETTERS
    assert f"--resume {stopped['replay']}" in said.decode()

    done = local.run("dead-letters", "replay", "--resume", stopped["replay"], "--rate", "100000/s", "--json")

    assert (done.code, done.row["state"], done.row["sent"]) == (0, "done", LETTERS)
    acts = [row["act"].partition(".")[2] for row in _rows(local, schema.audit_log)]
    assert acts == ["replay", "replay_stopped", "replay_resumed", "replay_done"]


@pytest.mark.parametrize(("answer", "sent"), [(b"n\n", 0), (b"y\n", 1)])
def test_on_a_terminal_it_asks_first(local: Plant, answer: bytes, sent: int) -> None:
    local.send(b"rubbish")
    environment = {**os.environ, "MAINTENWORKS_HOME": str(local.home), "MAINTENWORKS_DATABASE_URL": local.url}
    command = [sys.executable, "-c", SCRIPT, "dead-letters", "replay", "--reason", "r"]
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    with subprocess.Popen(command, env=environment, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE) as running:
        running.communicate(timeout=120)
    os.close(theirs)
    said = os.read(ours, 10_000).decode()
    os.close(ours)

    assert "Replay 1 letters at 100/s?" in said
    assert running.returncode == (0 if sent else 1)
    assert len(_rows(local, schema.retries)) == sent


def _mend(plant: Plant) -> None:
    """Gives the first connection the time zone that its events lack."""
    text = CONNECTIONS.replace('source = "unified"', 'source = "unified"\ntime_zone = "Europe/Berlin"', 1)
    (plant.home / "connections.toml").write_text(text)


def _work(plant: Plant) -> None:
    """What scheduler and workers do with what is due."""
    reader = Reader(Registry(plant.home / "connections.toml", plant.home), load(), max_body_bytes=1024 * 1024)
    now = datetime.now(UTC)
    dispatcher = Dispatcher(plant.database, reader, clock=lambda: now, dice=random.Random(1))
    with plant.database.write() as connection:
        ids = retries.lease_due(Transaction(connection), now=now, lease=timedelta(minutes=1), limit=1_000)
    dispatcher.process_rows(ids)


def _rows(plant: Plant, table: sa.Table) -> list[dict[str, Any]]:
    with plant.database.read() as connection:
        found = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
        return [dict(row) for row in found.mappings()]
