"""`events`: what came and what became of it; and what every command that looks does without a database."""

import gzip
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from handlers.store.engine import Database
from tests.worker.cli.plant import Plant, event

COMMANDS = [
    ["events", "list"],
    ["events", "show", "x"],
    ["events", "raw", "x"],
    ["get", "assets"],
    ["history", "PUMP-1", "--connection", "plant"],
    ["uptime", "--from", "2026-03-01", "--to", "2026-03-02"],
]
SCRIPT = "import sys; from worker.main import main; sys.argv[0] = 'maintenworks'; main()"


def test_events_are_listed_newest_arrival_first_with_how_they_ended(plant: Plant) -> None:
    late = event("work_order.updated", "WO-1", "07:00", "late", title="Old news")
    ids = plant.send(
        event("work_order.created", "WO-1", "08:00", "first", title="Seal"),
        [late, event("invoice.paid", "V-1", "06:00", "unhandled")],
    )
    plant.send(late)

    rows = plant.run("events", "list", "--json").rows

    assert [(row["event_id"], row["outcome"]) for row in rows] == [
        ("unhandled", "ignored"),
        ("late", "stale"),
        ("first", "applied"),
    ]
    row = rows[1]
    assert (row["connection"], row["type"], row["delivery_id"], row["event_index"]) == (
        "plant",
        "work_order.updated",
        ids[1],
        0,
    )
    assert (row["subject_kind"], row["subject_key"]) == ("work_order", "WO-1")
    assert (row["occurred_at"], row["received_at"]) == ("2026-03-01T07:00:00Z", "2026-07-01T00:00:00Z")
    assert row["processed_at"] == "2026-07-01T00:00:00Z"


def test_filters_narrow_the_list_of_events_and_a_limit_cuts_it(plant: Plant) -> None:
    plant.send(
        event("work_order.created", "WO/1", "08:00", "a"),
        event("work_order.completed", "WO/1", "09:00", "b"),
        event("asset.created", "WO/1", "09:00", "c"),
        event("invoice.paid", "V-1", "09:00", "d"),
    )
    plant.send(event("work_order.created", "WO/1", "08:00", "e"), to="second")

    def ids(*arguments: str) -> list[str]:
        return [row["event_id"] for row in plant.run("events", "list", *arguments, "--json").rows]

    assert ids() == ["e", "d", "c", "b", "a"]
    assert ids("--connection", "plant") == ["d", "c", "b", "a"]
    assert ids("--type", "work_order.created") == ["e", "a"]
    assert ids("--outcome", "ignored") == ["d"]
    assert ids("--subject", "WO/1") == ["e", "c", "b", "a"]
    assert ids("--subject", "work_order/WO/1") == ["e", "b", "a"]
    assert ids("--subject", "work_order/WO/1", "--connection", "second") == ["e"]
    assert ids("--since", "2026-07-01", "--limit", "2") == ["e", "d"]
    assert ids("--until", "2026-07-01") == []


def test_a_list_of_events_longer_than_a_page_is_whole_and_in_order(plant: Plant) -> None:
    told = [event("invoice.paid", f"V-{number}", "08:00", f"{number:05d}") for number in range(2_500)]
    for start in range(0, 2_500, 500):
        plant.send(told[start : start + 500])

    rows = plant.run("events", "list", "--connection", "plant", "--json").rows

    assert [row["event_id"] for row in rows] == [f"{number:05d}" for number in reversed(range(2_500))]


def test_a_delivery_shows_its_events_its_dead_letters_and_its_bytes(plant: Plant) -> None:
    bad = {"id": "bad", "type": "work_order.updated", "occurred_at": "yesterday", "data": {"key": "WO-2"}}
    body = f"[ {json.dumps(event('work_order.created', 'WO-1', '08:00', 'good'))},\n{json.dumps(bad)}]".encode()
    (delivery,) = plant.send(body)

    row = plant.run("events", "show", delivery, "--json").row

    assert (row["delivery_id"], row["connection"], row["verdict"]) == (delivery, "plant", "verified")
    assert (row["received_at"], row["body_bytes"], row["repeat_of"]) == ("2026-07-01T00:00:00Z", len(body), None)
    assert [each["event_id"] for each in row["events"]] == ["good"]
    (letter,) = row["dead_letters"]
    assert (letter["event_index"], letter["code"], letter["state"]) == (1, "malformed_value", "open")
    assert letter["path"] == "$[1].occurred_at"
    assert len(letter["attempts"]) == 1
    assert plant.run("events", "raw", delivery).raw == body


def test_an_event_is_shown_without_what_its_delivery_held_beside_it(local: Plant) -> None:
    bad = {"id": "bad", "type": "work_order.updated", "data": {"key": "WO-2"}}
    body = [event("work_order.created", "WO-1", "08:00", "a"), event("work_order.created", "WO-3", "08:00", "b"), bad]
    (delivery,) = local.send(body)

    row = local.run("events", "show", "b", "--json").row

    assert row["delivery_id"] == delivery
    assert [each["event_id"] for each in row["events"]] == ["b"]
    assert row["dead_letters"] == []
    assert json.loads(local.run("events", "raw", "b").raw) == body


def test_a_repeat_is_shown_as_one_and_has_the_bytes_of_the_first(local: Plant) -> None:
    body = json.dumps(event("work_order.created", "WO-1", "08:00", "a")).encode()
    first, again = local.send(body, body)

    row = local.run("events", "show", again, "--json").row

    assert (row["repeat_of"], [each["event_id"] for each in row["events"]]) == (first, ["a"])
    assert local.run("events", "raw", again).raw == body


def test_what_is_tried_again_is_shown_with_its_last_error(local: Plant) -> None:
    asleep = '[connections.plant]\nsource = "unified"\npaused = true\nsecrets = [{ ref = "env:PLANT" }]\n'
    paused = Plant(local.home, local.url, connections=asleep)
    (delivery,) = paused.send(event("work_order.created", "WO-1", "08:00", "a"))
    paused.database.close()

    row = local.run("events", "show", delivery, "--json").row
    told = local.run("events", "show", delivery).out

    assert (row["events"], row["dead_letters"]) == ([], [])
    (due,) = row["retries"]
    assert (due["event_index"], due["attempt"], due["due_at"]) == (-1, 0, "2026-07-01T00:00:30Z")
    assert "retrying" in told


def test_an_id_that_several_deliveries_brought_shows_each_and_asks_which_bytes_are_meant(plant: Plant) -> None:
    ids = plant.send(event("work_order.created", "WO-1", "08:00", "same"))
    ids += plant.send(event("work_order.created", "WO-2", "08:00", "same"))
    ids += plant.send(event("work_order.created", "WO-3", "08:00", "same"), to="second")

    rows = plant.run("events", "show", "same", "--json").rows
    refused = plant.run("events", "raw", "same")

    assert [row["delivery_id"] for row in rows] == ids
    assert [row["events"][0]["event_id_reused"] for row in rows] == [False, True, False]
    assert (refused.code, refused.raw) == (2, b"")
    assert all(each in refused.said for each in ids)
    assert json.loads(plant.run("events", "raw", "same", "--connection", "second").raw)["data"]["key"] == "WO-3"


@pytest.mark.parametrize("body", [b"\x00\xff not json \x1b[31m", gzip.compress(b"{}", mtime=0), b"", b"[]"])
def test_raw_writes_the_very_bytes_whatever_they_are(local: Plant, body: bytes) -> None:
    (delivery,) = local.send(body)

    done = local.run("events", "raw", delivery)

    assert (done.code, done.raw) == (0, body)


def test_on_a_terminal_raw_bytes_are_spelt_out(local: Plant) -> None:
    (delivery,) = local.send(b"\xff \x1b[31mred")
    master, slave = pty.openpty()
    environment = os.environ | {"MAINTENWORKS_HOME": str(local.home), "MAINTENWORKS_DATABASE_URL": local.url}

    subprocess.run(
        [sys.executable, "-c", SCRIPT, "events", "raw", delivery], env=environment, stdout=slave, check=True, timeout=60
    )
    shown = os.read(master, 64)
    os.close(slave)
    os.close(master)

    assert shown.strip() == rb"\xff \x1b[31mred"


def test_an_empty_delivery_and_one_of_duplicates_say_that_nothing_new_was_in_them(local: Plant) -> None:
    (empty,) = local.send(b"[]")

    assert "nothing new was in it" in local.run("events", "show", empty).out


def test_people_are_told_what_became_of_it(local: Plant) -> None:
    body = [event("work_order.created", "WO-1", "08:00", "good"), {"type": "work_order.updated", "id": "\x1b[31m"}]
    (delivery,) = local.send(body)

    told = local.run("events", "show", delivery).out
    listed = local.run("events", "list").out.splitlines()

    assert "verified" in told
    assert "missing_field" in told
    assert listed[1].split()[1:5] == ["work_order.created", "work_order", "WO-1", "applied"]
    assert "\x1b" not in told


def test_what_has_not_come_to_the_database_has_not_been_processed_yet(local: Plant) -> None:
    for command in ("show", "raw"):
        done = local.run("events", command, "evt-7")
        assert (done.code, done.raw) == (4, b"")
        assert done.said.splitlines()[-1] == "maintenworks: evt-7: it has not been processed yet, or never came"


def test_an_outcome_that_there_is_not_is_refused(local: Plant) -> None:
    done = local.run("events", "list", "--outcome", "lost")

    assert (done.code, done.said) == (2, "maintenworks: --outcome: one of applied, stale, ignored; not 'lost'\n")


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_without_a_database_every_command_says_what_to_run_and_makes_none(local: Plant, arguments: list[str]) -> None:
    local.database.close()
    for file in local.home.glob("maintenworks.db*"):
        file.unlink()

    done = local.run(*arguments)

    assert (done.code, done.out) == (69, "")
    assert "run `maintenworks up`, or `maintenworks migrate`" in done.said
    assert not list(local.home.glob("maintenworks.db*"))


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_without_a_schema_every_command_says_to_migrate(tmp_path: Path, arguments: list[str]) -> None:
    local = Plant(tmp_path, f"sqlite:///{tmp_path / 'maintenworks.db'}")
    local.url = f"sqlite:///{tmp_path / 'bare.db'}"
    bare = Database(local.url)
    with bare.read():
        pass
    bare.close()

    done = local.run(*arguments)
    local.database.close()

    assert (done.code, done.out) == (69, "")
    assert "run `maintenworks migrate`" in done.said


def test_a_database_that_does_not_answer_is_unreachable(local: Plant) -> None:
    local.url = "postgresql://nobody@127.0.0.1:1/nothing"
    unreachable = local.run("events", "list")
    (local.home / "text").write_text("no database at all, and longer than a header of a hundred bytes would be: " * 3)
    local.url = f"sqlite:///{local.home / 'text'}"
    no_database = local.run("events", "list")

    for done in (unreachable, no_database):
        assert (done.code, done.out) == (69, "")
        assert done.said.startswith("maintenworks: the database does not answer: ")
        assert len(done.said.splitlines()) == 1
