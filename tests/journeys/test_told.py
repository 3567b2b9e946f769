"""People are told of what went wrong, once; and `top` shows it, while `up` runs and when it does not."""

import base64
import contextlib
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from handlers.store.schema import deliveries
from handlers.store.schema_notices import notifications
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import COMMAND, PATIENCE_SECONDS, eventually
from tests.journeys.sender import Sender
from tests.worker.cli.plant import event

SECRET = "whsec_" + base64.b64encode(b"a secret of those who are told").decode()
MARK = "only-in-the-body"
FILE = """
name = "plant north"
console_url = "https://ops.example.com"
group_for = "1s"
[webhooks.hook]
url = "{receiver}/webhooks/told"
secret = "env:TOLD_SECRET"
"""
TOLD = """
[connections.told]
source = "unified"
scheme = "standard-webhooks"
secrets = [{ ref = "env:TOLD_SECRET" }]
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    """An `up` that tells itself, through an ordinary connection."""
    with installation(TOLD_SECRET=SECRET) as fresh:
        fresh.connect("plant")
        with (fresh.home / "connections.toml").open("a") as file:
            file.write(TOLD)
        with fresh.up():
            (fresh.home / "notifications.toml").write_text(FILE.format(receiver=fresh.senders[0].address))
            yield fresh


def _plant(running: Installation) -> Sender:
    return running.senders[0]


def _messages(running: Installation) -> list[dict[str, Any]]:
    """What the receiver took in of what people are told, its signature having been verified."""
    bodies = sa.select(deliveries.c.body).where(deliveries.c.connection_id == "told").order_by(deliveries.c.received_at)
    return [json.loads(row.body) for row in running.ask(bodies) if row.body is not None]


def _sent(running: Installation) -> float:
    return running.metric("maintenworks_notifications_total", channel="hook", outcome="sent")


def _codes(messages: list[dict[str, Any]]) -> list[str]:
    return [each["code"] for message in messages for each in message["data"]["standing"]]


def test_a_new_kind_of_dead_letter_is_told_once_and_another_kind_too(running: Installation) -> None:
    plant = _plant(running)
    plant.deliver([f'{{"type": "work_order.created", "note": "{MARK}'.encode()])
    eventually(lambda: _codes(_messages(running)) == ["malformed_json"], every=0.2)

    plant.deliver([f'{{"type": "work_order.updated", "note": "{MARK}'.encode()])  # the same again: nobody is told
    running.settle(plant)
    plant.deliver([{**event("work_order.created", "WO-1", "08:00"), "occurred_at": MARK}])  # and another
    eventually(lambda: len(_messages(running)) == 2, every=0.2)
    eventually(lambda: _sent(running) == 2, every=0.2)

    first, second = _messages(running)
    assert len(_codes([second])) == 1
    assert _codes([second]) != ["malformed_json"]
    (told,) = first["data"]["standing"]
    assert told["connections"] == ["plant"]
    assert told["command"] == f"maintenworks dead-letters list --fingerprint {told['subject']}"
    assert told["url"] == f"https://ops.example.com/dead-letters?fingerprint={told['subject']}"
    assert first["data"]["installation"] == "plant north"
    assert MARK not in json.dumps([first, second])
    assert {row.state for row in running.ask(sa.select(notifications.c.state))} == {"sent"}


def test_what_was_told_is_listed_and_a_channel_is_tried(running: Installation) -> None:
    (channel,) = running.run("notifications", "check", "--json").rows
    assert (channel["channel"], channel["problem"]) == ("hook", None)
    assert "/webhooks" not in channel["to"]
    sent = running.run("notifications", "test", "hook", "--json").row
    eventually(lambda: sent["message"] in {each["id"] for each in _messages(running)}, every=0.2)
    rows = running.run("notifications", "list", "--json").rows
    assert [(each["channel"], each["state"], each["attempts"]) for each in rows] == [("hook", "sent", 1)] * 2
    standing = running.run("notifications", "list", "--standing", "--json").rows
    assert {each["kind"] for each in standing} == {"dead_letters"}


def test_top_shows_one_frame_as_json_and_for_people(running: Installation) -> None:
    frame = running.run("top", "--json").row
    assert frame["away"] == {}
    assert frame["dead_letters_open"]["malformed_json"] == 2
    assert {each["id"] for each in frame["connections"]} == {"plant", "told"}
    assert [each["queue"] for each in frame["queues"]] == ["live", "heavy", "again", "fetch"]
    assert {"due_rows", "notifications"} <= {each["schedule"] for each in frame["schedules"]}
    assert frame["committed_per_s"] is not None
    assert frame["today"]["down"] == 0

    text = running.run("top", "--once").out
    assert "malformed_json 2" in text
    assert "\x1b" not in text


def test_top_on_a_terminal_goes_on_until_q(running: Installation) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
    environment = {**running.environment, "TERM": "xterm"}
    process = subprocess.Popen(
        [str(COMMAND), "top", "--every", "0.5"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    try:
        shown = b""
        while shown.count(b"committed") < 3:
            assert select.select([ours], [], [], PATIENCE_SECONDS)[0], shown.decode(errors="replace")
            shown += os.read(ours, 65536)
        os.write(ours, b"q")
        with contextlib.suppress(OSError):  # at the end the other side is closed
            while select.select([ours], [], [], PATIENCE_SECONDS)[0] and (more := os.read(ours, 65536)):
                shown += more
        assert process.wait(PATIENCE_SECONDS) == 0
        assert b"\x1b[?1049l" in shown  # the screen is given back
    finally:
        process.kill()
        os.close(ours)


def test_top_says_what_is_away(running: Installation) -> None:
    frame = running.run(
        "top",
        "--json",
        MAINTENWORKS_BROKER_URL="redis://127.0.0.1:1/0",
        MAINTENWORKS_DATABASE_URL="sqlite:////nowhere/x.db",
    ).row
    assert set(frame["away"]) == {"broker", "database"}
    assert "maintenworks migrate" in frame["away"]["database"]
    assert (frame["queues"], frame["dead_letters_open"], frame["connections"]) == (None, None, None)
