"""Dead letters are kept for ever unless a setting says otherwise; open ones, and what keeps something out, always."""

from datetime import timedelta
from pathlib import Path

import pytest

from handlers.errors import ConfigurationError
from handlers.settings import load
from handlers.store import audit, letter_retention, read_deliveries, schema
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests.worker.letters import ANNA, ZONE, Yard, zoneless
from worker import acts, replay, retention
from worker.audit import verify
from worker.retention import expired_letters
from worker.scheduler import Tick
from worker.settings import WorkerSettings

DAY = timedelta(days=1)


def _tick(yard: Yard) -> Tick:
    return expired_letters(yard.database, "90d", lambda: yard.now, lambda: 0.0)


def _states(yard: Yard) -> list[str]:
    return sorted(letter.state for letter in yard.letters())


def test_what_was_replayed_or_superseded_goes_when_it_is_old_and_that_is_in_the_audit_log(yard: Yard) -> None:
    yard.send(zoneless("replayed"))
    yard.send(zoneless("superseded"))
    yard.connect("plant", ZONE)
    yard.send(zoneless("superseded"))
    yard.replay(state="open")
    assert _states(yard) == ["replayed", "superseded"]
    tick = _tick(yard)

    yard.now += 90 * DAY
    assert tick.work() == 0
    yard.now += timedelta(microseconds=1)
    assert tick.work() == 2

    assert yard.letters() == []
    assert tick.work() == 0
    row = yard.acts()[-1]
    assert (row.who, row.act, row.reason) == (
        "scheduler",
        "dead_letters.expire",
        "MAINTENWORKS_DEAD_LETTER_RETENTION is 90d",
    )
    assert row.outcome == {
        "removed": 2,
        "by": [
            {"state": "replayed", "error": "missing_time_zone", "letters": 1},
            {"state": "superseded", "error": "missing_time_zone", "letters": 1},
        ],
    }
    assert [each.act for each in yard.acts()].count("dead_letters.expire") == 1
    assert verify(audit.entries(yard.database), audit.head(yard.database)).findings == []
    assert set(yard.outcomes()) == {"replayed", "superseded"}


def test_an_open_letter_never_goes(yard: Yard) -> None:
    yard.send(zoneless("e1"))
    yard.now += 1000 * DAY
    assert _tick(yard).work() == 0
    assert _states(yard) == ["open"]


def test_what_was_discarded_or_corrected_stays_for_it_keeps_its_event_out(yard: Yard) -> None:
    """Were the letter gone, whoever reads the delivery anew would apply what an operator has left out."""
    given_up, wrong = yard.send(zoneless("given-up")), yard.send(zoneless("wrong"))
    acts.discard(yard.database, [(given_up, 0)], {}, ANNA, yard.now)
    [letter] = yard.letters(state="open")
    original = read_deliveries.delivery(yard.database, wrong)
    assert original is not None
    acts.edit(yard.database, letter, original, b"[]", operator=ANNA, now=yard.now)
    yard.work()
    yard.connect("plant", ZONE)
    yard.now += 1000 * DAY

    assert _tick(yard).work() == 0

    acts.again(yard.database, [(given_up, -1, "plant"), (wrong, -1, "plant")], "all", ANNA, yard.now)
    yard.work()
    assert yard.outcomes() == {}


def test_a_suspect_whose_bytes_are_kept_stays_or_it_would_end_whoever_reads_them_anew(yard: Yard) -> None:
    name = yard.send(zoneless("e1"))
    with yard.database.write() as connection:
        marked = {"delivery_id": name, "event_index": 0, "code": "poison", "state": "superseded"}
        Transaction(connection).update(schema.dead_letters, [marked], ("delivery_id", "event_index"))
    yard.now += 91 * DAY
    assert _tick(yard).work() == 0


def test_what_was_discarded_goes_once_its_delivery_is_no_longer_kept(yard: Yard) -> None:
    name = yard.send(zoneless("e1"))
    acts.discard(yard.database, [(name, 0)], {}, ANNA, yard.now)
    with yard.database.write() as connection:
        connection.execute(schema.deliveries.delete())
    yard.now += 91 * DAY
    assert _tick(yard).work() == 1


def test_a_letter_is_as_old_as_the_replay_that_sent_it(yard: Yard) -> None:
    yard.send(zoneless("e1"))
    yard.now += 80 * DAY
    yard.connect("plant", ZONE)
    yard.replay()
    yard.now += 20 * DAY
    assert _tick(yard).work() == 0
    yard.now += 71 * DAY
    assert _tick(yard).work() == 1


def test_a_letter_that_is_on_its_way_stays_and_keeps_its_attempts_should_it_fail_again(yard: Yard) -> None:
    yard.send(zoneless("e1"))
    replay.run(yard.database, yard.start(), clock=lambda: yard.now)
    yard.now += 91 * DAY
    assert _tick(yard).work() == 0
    yard.work()
    assert len(yard.letter(state="open").attempts) == 2


def test_many_go_in_small_transactions_each_with_its_row_and_no_longer_than_the_leader_may(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PIECE", 5)
    yard.send(*(zoneless(f"e{n}", f"WO-{n}") for n in range(6)))
    yard.connect("plant", ZONE)
    yard.replay()
    yard.now += 91 * DAY
    seconds = iter((0.0, 1000.0))
    hurried = expired_letters(yard.database, "90d", lambda: yard.now, lambda: next(seconds))

    assert hurried.work() == 5
    assert _tick(yard).work() == 1

    assert [row.outcome["removed"] for row in yard.acts() if row.act == "dead_letters.expire"] == [5, 1]


def test_a_letter_that_another_transaction_holds_is_left_to_the_next_round(migrated_url: str, tmp_path: Path) -> None:
    """On PostgreSQL; SQLite has one writer."""
    database = Database(migrated_url)
    yard = Yard(database, tmp_path)
    yard.send(zoneless("e1"))
    yard.connect("plant", ZONE)
    yard.replay()
    yard.now += 91 * DAY
    with yard.database.write() as connection:
        assert letter_retention.expire(Transaction(connection), yard.now - 90 * DAY, 10).total() == 1
        with yard.database.write() as other:
            assert letter_retention.expire(Transaction(other), yard.now - 90 * DAY, 10).total() == 0
    database.close()


@pytest.mark.parametrize("value", ["90", "soon", "59min", "0d", "-1d", "999999d"])
def test_a_retention_that_cannot_be_meant_is_a_usage_error(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINTENWORKS_DEAD_LETTER_RETENTION", value)
    with pytest.raises(ConfigurationError, match="MAINTENWORKS_DEAD_LETTER_RETENTION"):
        load(WorkerSettings)


def test_without_the_setting_nothing_is_ever_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAINTENWORKS_DEAD_LETTER_RETENTION", raising=False)
    assert load(WorkerSettings).dead_letter_retention is None
