"""From what stands in the tables to what people get: found, decided, written down, sent until it is taken."""

import base64
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
import standardwebhooks

from handlers.connections import Registry
from handlers.connections.channel import Webhook
from handlers.connections.connection import SecretRef
from handlers.connections.notification_file import NotificationFile
from handlers.rules.notices import HOUR
from handlers.rules.times import kept_instant
from handlers.store import notices
from handlers.store.engine import Database
from handlers.store.notices import GIVEN_UP, PENDING, SENT, Sending
from tests import folding
from tests.worker.answering import Step, answering
from tests.worker.letters import Yard, order
from worker.http_client import ONCE, Patience
from worker.notifications import findings, sending, webhook, wording
from worker.notifications.findings import FAILS_FOR, Failing, Looks
from worker.notifications.notifier import Notifier
from worker.notifications.sending import GIVES_UP_AFTER, LEASE, Sender, wait
from worker.telemetry import CONFIGURATION_ERRORS

SECRET = "whsec_" + base64.b64encode(b"a secret of those who are told").decode()
FILE = 'group_for = "0s"\n[webhooks.hook]\nurl = "{url}/hook?token=mark"\nsecret = "file:secret"\n'
MINUTE = timedelta(minutes=1)
BAD = b'{"type": "mark-of-a-body"'


class Told:
    """An installation whose people are told by one webhook."""

    def __init__(self, yard: Yard, home: Path, *options: str) -> None:
        self.yard = yard
        self.home = home
        (home / "secret").write_text(SECRET)
        yard.connect("plant", *options)
        self.registry = Registry(home / "connections.toml", home)
        self.failing = Failing(lambda: yard.now)
        self.file = NotificationFile(home / "notifications.toml")
        self.sender = Sender(yard.database, self.file.channel, home, lambda: yard.now)
        looks = Looks(yard.database, self.registry, self.failing, sends_canaries=True, began_at=yard.now)
        self.notifier = Notifier(
            yard.database, self.file, looks, self.sender, installation="north", clock=lambda: yard.now
        )

    def configure(self, url: str, more: str = "") -> None:
        (self.home / "notifications.toml").write_text(more + FILE.format(url=url))

    def look(self, after: timedelta = timedelta(seconds=5)) -> int:
        self.yard.now += after
        return self.notifier.look()

    def messages(self) -> list[Sending]:
        return list(notices.listed(self.yard.database))


@pytest.fixture
def told(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr(webhook, "PATIENCE", Patience(tries=2, first_wait=0.001, greatest_wait=0.1))
    return Told(Yard(database, tmp_path), tmp_path, 'expect_every = "2h"')


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """The same on SQLite alone, for what no database has a part in."""
    monkeypatch.setattr(webhook, "PATIENCE", ONCE)
    database = folding.sqlite(tmp_path)
    yield Told(Yard(database, tmp_path), tmp_path, 'expect_every = "2h"')
    database.close()


def _kinds(message: Sending, part: str = "standing") -> list[tuple[str, str]]:
    return [(each["kind"], each["subject"]) for each in message.content[part]]


def test_a_message_is_tried_until_it_is_taken_always_as_the_same_one(told: Told) -> None:
    told.yard.send(BAD)
    with answering(Step(500), Step(500), Step(302, (("location", "/elsewhere"),)), Step(204)) as (url, asked):
        told.configure(url)
        assert told.look() == 1
        assert told.sender.send_due() == 0  # 500, twice within one attempt
        assert told.sender.send_due() == 0  # and not yet due again
        (failed,) = told.messages()
        assert (failed.state, failed.attempts) == (PENDING, 1)
        assert failed.last_error == "notification_refused: answered 500"
        told.yard.now = failed.due_at
        assert told.sender.send_due() == 0  # no redirect is followed
        told.yard.now += MINUTE
        assert told.sender.send_due() == 1
    (sent,) = told.messages()
    assert (sent.state, sent.attempts, sent.last_error) == (SENT, 3, None)
    assert [each.path for each in asked] == ["/hook?token=mark"] * 4
    assert {each.headers["webhook-id"] for each in asked} == {sent.message_id}
    people = orjson.loads(asked[-1].body)
    assert (people["type"], people["data"]["installation"]) == ("maintenworks.notification", "north")
    assert "malformed_json, 1 open, of plant" in people["text"]
    assert b"mark" not in asked[-1].body


def test_what_is_posted_is_verified_by_the_reference_library(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "url").write_text("http://127.0.0.1:1")
    now = datetime.now(UTC)
    with answering(Step(200)) as (url, asked):
        (tmp_path / "url").write_text(f"{url}/kept-elsewhere")
        channel = Webhook(name="hook", url=SecretRef(text="file:url"), secret=SecretRef(text="file:secret"))
        webhook.send(channel, wording.trial("north"), "msg_1", made_at=now, now=now, home=tmp_path)
    (posted,) = asked
    assert standardwebhooks.Webhook(SECRET).verify(posted.body, posted.headers)["data"]["test"] is True
    assert webhook.shown(channel) == "file:url"


def test_whoever_takes_a_message_and_ends_leaves_it_to_be_tried_again(here: Told) -> None:
    here.yard.send(BAD)
    with answering(Step(200)) as (url, asked):
        here.configure(url)
        here.look()
        assert len(notices.take(here.yard.database, here.yard.now, LEASE)) == 1
        assert here.sender.send_due() == 0
        here.yard.now += LEASE
        assert here.sender.send_due() == 1
    assert len(asked) == 1


def test_what_nobody_takes_for_a_day_is_given_up_and_stands_in_the_list(here: Told) -> None:
    here.yard.send(BAD)
    here.configure("http://127.0.0.1:1")
    here.look()
    waits = []
    while (message := here.messages()[0]).state == PENDING:
        waits.append(message.due_at - here.yard.now)
        here.yard.now = message.due_at
        here.sender.send_due()
    assert message.state == GIVEN_UP
    assert message.last_error is not None
    assert message.last_error.startswith("http_unreachable")
    assert "mark" not in message.last_error
    assert max(waits) <= timedelta(minutes=15)
    assert here.yard.now - message.made_at >= GIVES_UP_AFTER


def test_a_channel_that_is_gone_fails_and_one_that_hangs_is_left_behind(
    here: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.yard.send(BAD)
    here.configure("http://127.0.0.1:1")
    here.look()
    (here.home / "notifications.toml").write_text("")
    here.look()
    assert here.sender.send_due() == 0
    assert "no channel 'hook'" in (here.messages()[0].last_error or "")

    hangs = threading.Event()
    monkeypatch.setattr(sending, "ATTEMPT_SECONDS", 0.05)
    monkeypatch.setattr(webhook, "send", lambda *_, **__: hangs.wait())
    here.configure("http://127.0.0.1:1")
    here.look(after=MINUTE)
    assert here.sender.send_due() == 0
    assert (here.messages()[0].last_error or "").startswith("notification_timeout")
    hangs.set()


def test_connections_that_ask_for_authorisation_or_fall_silent_are_told_and_their_recovery_too(told: Told) -> None:
    told.configure("http://127.0.0.1:1", 'settle_for = "10min"\n')
    told.yard.send(order("e-1", at="2026-03-02T00:00:00Z"))
    assert told.look() == 0
    offline = {"type": "connection.auth_required", "occurred_at": "2026-03-02T00:00:30Z", "data": {"message": "mark"}}
    told.yard.now += MINUTE
    told.yard.send({"id": "e-2", **offline})
    assert told.look() == 1
    assert told.look(after=2 * HOUR) == 1
    first, second = reversed(told.messages())
    assert _kinds(first) == [("auth_required", "plant")]
    assert first.content["standing"][0]["since"] == "2026-03-02T00:00:30Z"
    assert "mark" not in str(first.content)
    assert _kinds(second) == [("silent", "plant")]
    assert "expected every 2h" in second.content["standing"][0]["summary"]

    told.yard.send({"id": "e-3", **offline, "type": "connection.online", "occurred_at": kept_instant(told.yard.now)})
    assert told.look() == 0
    assert told.look(after=10 * MINUTE) == 1
    assert _kinds(told.messages()[0], "resolved") == [("auth_required", "plant"), ("silent", "plant")]


def test_a_paused_connection_is_not_missed(here: Told) -> None:
    here.configure("http://127.0.0.1:1")
    here.yard.connect("plant", 'expect_every = "2h"', "paused = true")
    here.registry.refresh()
    assert here.look(after=24 * HOUR) == 0


def test_a_schedule_is_told_once_it_has_failed_for_a_while_without_a_success(here: Told) -> None:
    here.configure("http://127.0.0.1:1")
    here.failing.hear("site_gauges", "database_unavailable")
    here.failing.hear("canary", "canary_not_taken")
    here.failing.hear("canary", None)
    assert here.look(after=FAILS_FOR - timedelta(seconds=1)) == 0
    assert here.look() == 1
    (message,) = here.messages()
    assert _kinds(message) == [("schedule", "site_gauges")]
    assert "fails: database_unavailable" in message.content["subject"]


def test_a_canary_that_does_not_come_through_is_missed(here: Told) -> None:
    with (here.home / "connections.toml").open("a") as file:
        file.write('[connections.ours]\nsource = "canary"\nsecrets = [{ ref = "env:P" }]\n')
    here.registry.refresh()
    here.configure("http://127.0.0.1:1")
    assert here.look() == 0
    assert here.look(after=findings.CANARY_LATE) == 1
    assert _kinds(here.messages()[0]) == [("canary", "canary")]


def test_a_bad_edit_keeps_the_last_good_file_and_counts(here: Told) -> None:
    here.configure("http://127.0.0.1:1")
    here.look()
    before = CONFIGURATION_ERRORS._value.get()
    (here.home / "notifications.toml").write_text("[webhooks.hook]\nurl = 7\n")
    here.yard.send(BAD)
    assert here.look() == 1
    here.look()
    assert CONFIGURATION_ERRORS._value.get() == before + 1
    assert len(here.file.problems) == 2


def test_without_a_channel_nobody_is_told_and_nothing_is_remembered(here: Told) -> None:
    here.yard.send(BAD)
    assert here.look() == 0
    assert notices.kept(here.yard.database) == []


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    assert [wait(attempts).total_seconds() <= most for attempts, most in ((1, 5), (2, 10), (3, 20), (99, 900))] == [
        True
    ] * 4
    assert wait(99) >= timedelta(seconds=450)
