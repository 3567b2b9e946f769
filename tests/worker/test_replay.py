"""A dead letter can be mended, sent again, corrected or given up; never lost, never applied twice."""

import threading
from datetime import timedelta

import orjson
import pytest

from handlers.errors import PermanentError
from handlers.events import WHOLE_BODY, Delivery
from handlers.rules.times import kept_instant
from handlers.store import (
    dead_letters,
    letter_acts,
    read_deliveries,
    read_letters,
    replays,
    retries,
    schema,
)
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests import folding
from tests.worker.letters import ANNA, NOW, ZONE, Yard, no_wait, order, zoneless
from worker import acts, replay
from worker.queue import Undecodable, encode
from worker.replay_plan import Line
from worker.scheduler import RING_LIMIT, waiting_letters
from worker.tracing import traceparent


def test_what_could_not_be_read_is_applied_once_the_map_is_mended_and_it_is_replayed(yard: Yard) -> None:
    """Given an event whose time has no zone; when the connection gets one; then a replay applies it, once."""
    name = yard.send(order("before"), zoneless("e1", status="approved"), order("after"))
    assert set(yard.outcomes()) == {"before", "after"}
    letter = yard.letter()
    assert (letter.state, letter.key, letter.type) == ("open", (name, 1), "work_order.updated")

    yard.connect("plant", ZONE)
    done = yard.replay()

    assert (done.state, done.sent, done.skipped) == ("done", 1, 0)
    [event] = [row for row in yard.rows(schema.events) if row["event_id"] == "e1"]
    assert (event["delivery_id"], event["event_index"], event["outcome"]) == (*letter.key, "applied")
    assert yard.rows(schema.work_orders)[0]["status"] == "approved"
    assert yard.rows(schema.retries) == []
    after = yard.letter()
    assert (after.state, after.replay_id) == ("replayed", done.replay_id)
    assert [each["outcome"] for each in read_letters.fate(yard.database, after).events] == ["applied"]
    assert yard.standing(done) == replays.Standing(on_their_way=0, open=0, applied=1)


def test_a_second_replay_of_the_same_letter_changes_nothing(yard: Yard) -> None:
    yard.send(zoneless("e1"))
    yard.connect("plant", ZONE)
    both = [yard.start(), yard.start()]
    for each in both:
        replay.run(yard.database, each, clock=lambda: yard.now)
    yard.work()
    before = yard.rows(schema.dead_letters), yard.rows(schema.events)

    assert yard.plan().lines == [Line("missing_time_zone", "plant", "already_replayed", 1)]
    again = replay.run(yard.database, both[1], clock=lambda: yard.now)
    yard.work()

    assert (again.sent, again.skipped) == (0, 1)
    assert (yard.rows(schema.dead_letters), yard.rows(schema.events)) == before
    assert sorted(row["state"] for row in yard.rows(schema.replay_items)) == ["sent", "skipped"]


def test_what_fails_again_is_open_again_with_the_attempt_added_and_the_newest_error(yard: Yard) -> None:
    name = yard.send(zoneless("e1"))
    first = yard.letter()
    yard.now += timedelta(hours=1)

    done = yard.replay()

    letter = yard.letter()
    assert (letter.state, letter.key, letter.first_seen_at) == ("open", (name, 0), first.first_seen_at)
    assert letter.buried_at == yard.now
    assert [attempt["at"] for attempt in letter.attempts] == [kept_instant(NOW), kept_instant(yard.now)]
    assert yard.rows(schema.retries) == []
    assert yard.standing(done) == replays.Standing(on_their_way=0, open=1, applied=0)

    yard.connect("plant", ZONE)
    yard.replay()
    assert yard.outcomes() == {"e1": "applied"}


def test_a_repeat_that_is_buried_while_the_first_is_on_its_way_takes_over(yard: Yard) -> None:
    """Only one letter of the same bytes is open, whichever comes back last."""
    first = yard.send(zoneless("e1"))
    replay.run(yard.database, yard.start(), clock=lambda: yard.now)
    second = yard.send(zoneless("e1"))

    yard.work()

    states = {letter.delivery_id: letter.state for letter in yard.letters()}
    assert states == {first: "superseded", second: "open"}
    assert [each["delivery"] for each in yard.letter(state="open").attempts] == [second, first]


def test_of_two_letters_of_the_same_bytes_that_come_back_together_one_is_open(yard: Yard) -> None:
    first = yard.send(zoneless("e1"))
    replay.run(yard.database, yard.start(), clock=lambda: yard.now)
    second = yard.send(zoneless("e1"))
    replay.run(yard.database, yard.start(state="open"), clock=lambda: yard.now)

    yard.work()

    assert sorted(letter.state for letter in yard.letters()) == ["open", "superseded"]
    assert {letter.delivery_id for letter in yard.letters()} == {first, second}


def test_a_stopped_replay_goes_on_where_it_was_in_another_process(yard: Yard) -> None:
    yard.send(*(zoneless(f"e{n}", f"WO-{n}") for n in range(50)))
    yard.connect("plant", ZONE)
    begun = yard.start()

    def stop(seconds: float) -> None:
        assert 0 < seconds < 1
        replay.stop(yard.database, begun.replay_id, ANNA, yard.now)

    stopped = replay.run(yard.database, begun, clock=lambda: yard.now, wait=stop)
    yard.work()
    assert (stopped.state, stopped.sent) == ("stopped", 20)
    assert len(yard.outcomes()) == 20
    yard.send(order("late", at="never"))  # the selection is frozen: this one is not in it

    other = Database(yard.database.engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    resumed = replay.resume(other, begun.replay_id, ANNA, yard.now)
    done = replay.run(other, resumed, clock=lambda: yard.now, wait=no_wait)
    other.close()
    yard.work()

    assert (done.state, done.sent, done.skipped) == ("done", 50, 0)
    assert len(yard.outcomes()) == 50
    assert [act.act.removeprefix("dead_letters.") for act in yard.acts()] == [
        "replay",
        "replay_stopped",
        "replay_resumed",
        "replay_done",
    ]


def test_a_replay_whose_process_died_can_be_resumed_though_it_says_it_is_running(yard: Yard) -> None:
    yard.send(*(zoneless(f"e{n}", f"WO-{n}") for n in range(5)))
    yard.connect("plant", ZONE)
    begun = yard.start()
    with yard.database.write() as connection:
        replays.send(Transaction(connection), begun.replay_id, 2, yard.now)

    resumed = replay.resume(yard.database, begun.replay_id, ANNA, yard.now)
    done = replay.run(yard.database, resumed, clock=lambda: yard.now, wait=no_wait)

    assert (done.state, done.sent) == ("done", 5)
    with pytest.raises(LookupError):
        replay.resume(yard.database, "nothing", ANNA, yard.now)


def test_letters_are_sent_at_the_rate_asked_for(yard: Yard) -> None:
    yard.send(*(zoneless(f"e{n}") for n in range(30)))
    planned = yard.plan()
    begun = replay.start(yard.database, planned, {}, ANNA, rate=10, now=yard.now)
    waits: list[float] = []
    turns: list[int] = []

    replay.run(
        yard.database,
        begun,
        clock=lambda: yard.now,
        wait=waits.append,
        monotonic=lambda: sum(waits),
        advance=turns.append,
    )

    assert turns == [2] * 15
    assert sum(waits) == pytest.approx(2.8)


def test_a_replay_lets_the_workers_catch_up_and_ends_nevertheless(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "BACKLOG", 2)
    yard.send(*(zoneless(f"e{n}") for n in range(3)))
    with yard.database.write() as connection:
        waiting = [retries.Row(f"x{n}", 0, "plant", 0, NOW, []) for n in range(2)]
        retries.schedule(Transaction(connection), waiting)
    waits: list[float] = []

    done = replay.run(yard.database, yard.start(), clock=lambda: yard.now, wait=waits.append)

    assert done.state == "done"
    assert sum(waits) >= replay.BACKLOG_PATIENCE_SECONDS


def test_a_plan_says_how_many_go_and_what_holds_the_others_up(yard: Yard) -> None:
    yard.connect("asleep")
    yard.connect("gone")
    yard.send(zoneless("a"))
    yard.send(zoneless("b", "WO-2"))
    yard.send(b"{not json")
    for name in ("asleep", "gone"):
        yard.send(zoneless("c"), to=name)
    yard.send(order("d"), to="nobody")
    early = yard.send(order("e", at="2026-03-02T09:00:00Z"))
    given_up = yard.send(b"rubbish")
    acts.discard(yard.database, [(given_up, WHOLE_BODY)], {}, ANNA, yard.now)
    yard.connect("asleep", "paused = true")
    yard.connect("gone", "revoked = true")

    planned = yard.plan()

    assert planned.matched == 8
    assert planned.lines == [
        Line("missing_time_zone", "plant", None, 2),
        Line("malformed_json", "plant", None, 1),
        Line("missing_time_zone", "asleep", "connection_paused", 1),
        Line("missing_time_zone", "gone", "connection_revoked", 1),
        Line("unknown_connection", "nobody", "connection_unknown", 1),
        Line("malformed_json", "plant", "discarded", 1),
        Line("clock_skew", "plant", "not_yet_time", 1),
    ]
    assert len(planned.keys) == 3
    assert yard.letter(keys=((early, None),)).retry_at is not None
    assert yard.acts()[-1].outcome == {"discarded": 1, "letters": [f"{given_up}/body"]}


def test_a_discarded_letter_stays_whatever_is_replayed(yard: Yard) -> None:
    name = yard.send(zoneless("e1"), zoneless("e2", "WO-2"))
    acts.discard(yard.database, [(name, 0)], {}, ANNA, yard.now)
    yard.connect("plant", ZONE)

    yard.replay()
    acts.again(yard.database, [(name, WHOLE_BODY, "plant"), (name, 0, "plant")], name, ANNA, yard.now)
    yard.work()

    assert yard.outcomes() == {"e2": "applied"}
    assert {letter.event_index: letter.state for letter in yard.letters()} == {0: "discarded", 1: "replayed"}
    assert yard.rows(schema.retries) == []


def test_a_discarded_body_stays_out_as_a_whole(yard: Yard) -> None:
    name = yard.send(order("e1"), order("e2"), to="later")
    acts.discard(yard.database, [(name, WHOLE_BODY)], {}, ANNA, yard.now)
    yard.connect("later")

    assert yard.beat() == 0
    acts.again(yard.database, [(name, WHOLE_BODY, "later")], name, ANNA, yard.now)
    yard.work()

    assert yard.outcomes() == {}
    assert yard.rows(schema.retries) == []


def test_an_edited_letter_is_replaced_by_a_delivery_that_says_who_edited_it(yard: Yard) -> None:
    bad = order("e2", "WO-2", at="yesterday", title="old")
    name = yard.send(order("e1"), bad)
    letter = yard.letter()
    original = read_deliveries.delivery(yard.database, name)
    assert original is not None
    assert read_letters.payload(yard.database, letter) == orjson.dumps(bad)
    mended = orjson.dumps(order("e2", "WO-2", title="new"))

    copy = acts.edit(yard.database, letter, original, mended, operator=ANNA, now=yard.now)
    yard.work()

    assert yard.outcomes() == {"e1": "applied", "e2": "applied"}
    kept = read_deliveries.delivery(yard.database, copy.delivery_id)
    assert kept is not None
    assert (kept.body, kept.verdict) == (mended, "edited by anna")
    assert kept.headers == {"content-type": "application/json", "traceparent": traceparent(name)}
    after = yard.letter()
    assert (after.state, after.edited_into) == ("superseded", copy.delivery_id)
    assert [event["outcome"] for event in read_letters.fate(yard.database, after).events] == ["applied"]
    [act] = yard.acts()
    assert (act.who, act.act, act.reason) == ("anna", "dead_letters.edit", "map mended")
    assert "new" not in str(act)


def test_an_edited_original_never_comes_back_by_itself_and_its_repeats_open_nothing(yard: Yard) -> None:
    bad = order("e1", at="yesterday")
    name = yard.send(bad)
    letter = yard.letter()
    original = read_deliveries.delivery(yard.database, name)
    assert original is not None
    acts.edit(yard.database, letter, original, orjson.dumps(order("e1")), operator=ANNA, now=yard.now)
    yard.work()

    repeat = yard.send(bad)
    acts.again(yard.database, [(name, 0, "plant")], name, ANNA, yard.now)
    yard.work()

    after = yard.letter()
    assert after.state == "superseded"
    assert [attempt["delivery"] for attempt in after.attempts] == [name, repeat]
    assert yard.outcomes() == {"e1": "applied"}
    with pytest.raises(PermanentError) as raised:
        acts.edit(yard.database, letter, original, b"{}", operator=ANNA, now=yard.now)
    assert raised.value.code == "not_open"
    assert len(yard.rows(schema.deliveries)) == 3


def test_a_corrected_copy_that_fails_too_is_a_letter_that_names_its_original(yard: Yard) -> None:
    name = yard.send(order("e1", at="yesterday"))
    original = read_deliveries.delivery(yard.database, name)
    assert original is not None
    worse = orjson.dumps(order("e1", at="tomorrow"))
    copy = acts.edit(yard.database, yard.letter(), original, worse, operator=ANNA, now=yard.now)
    yard.work()

    letter = yard.letter(state="open")
    assert letter.delivery_id == copy.delivery_id
    assert read_letters.fate(yard.database, letter).edited_from == (name, 0)


def test_what_waits_for_its_connection_goes_by_itself_once_that_is_there(yard: Yard) -> None:
    yard.send(order("e1"), order("e2", "WO-2"), to="new")
    yard.now += timedelta(seconds=1)
    assert yard.beat() == 0

    yard.connect("new", "paused = true")
    assert yard.beat() == 0

    yard.connect("new")
    assert yard.beat() == 1
    assert yard.outcomes() == {"e1": "applied", "e2": "applied"}
    assert yard.letter().state == "replayed"
    assert yard.beat() == 0


def test_what_comes_from_a_clock_ahead_goes_by_itself_when_its_time_has_come(yard: Yard) -> None:
    yard.send(order("e1", at="2026-03-02T01:00:00Z"))
    letter = yard.letter()
    assert (letter.code, letter.retry_at) == ("clock_skew", NOW + timedelta(minutes=55))

    yard.now = NOW + timedelta(minutes=54, seconds=59)
    assert yard.beat() == 0
    yard.now = NOW + timedelta(minutes=55)
    assert yard.beat() == 1

    assert yard.outcomes() == {"e1": "applied"}
    [event] = yard.rows(schema.events)
    assert event["received_at"] == NOW
    assert yard.letter().state == "replayed"


def test_what_comes_back_is_sent_by_itself_ever_more_seldom(yard: Yard) -> None:
    """As when the scheduler knows a connection that no worker does: attempts must not pile up by the second."""
    yard.send(order("e1"), to="new")
    pauses = []
    for _ in range(12):
        letter = yard.letter()
        assert letter.retry_at is not None
        pauses.append(letter.retry_at - yard.now)
        yard.now = letter.retry_at
        with yard.database.write() as connection:
            letter_acts.send_again(Transaction(connection), [letter.key], yard.now, None)
        yard.work()

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[1], pauses[-1]) == (timedelta(0), timedelta(seconds=20), timedelta(hours=1))


def test_the_schedulers_tick_goes_on_until_nothing_is_left() -> None:
    left = [RING_LIMIT, RING_LIMIT, 7]

    def send(limit: int) -> int:
        assert limit == RING_LIMIT
        return left.pop(0)

    assert waiting_letters(send).work() == 2 * RING_LIMIT + 7
    assert left == []


def test_a_message_that_an_older_version_could_not_decode_is_read_when_it_is_replayed(yard: Yard) -> None:
    sent = Delivery("d-new", "plant", NOW, orjson.dumps(order("e1")))
    yard.process(Undecodable("plant", encode(sent), "wire version 1"))
    assert yard.letter().code == "undecodable_message"

    yard.replay()

    assert yard.outcomes() == {"e1": "applied"}
    assert yard.letter().state == "replayed"
    assert yard.rows(schema.retries) == []


def test_what_has_ended_workers_is_replayed_alone(yard: Yard) -> None:
    name = yard.send(zoneless("e1"), order("e2", at="never"))
    with yard.database.write() as connection:
        poisoned = Transaction(connection)
        rows = [{"delivery_id": name, "event_index": 0, "code": letter_acts.POISON}]
        poisoned.update(schema.dead_letters, rows, dead_letters.KEY)

    replay.run(yard.database, yard.start(), clock=lambda: yard.now)

    assert [(row["event_index"], row["alone"]) for row in yard.rows(schema.retries)] == [(0, True), (1, False)]


def test_a_message_that_still_cannot_be_decoded_is_open_again(yard: Yard) -> None:
    yard.process(Undecodable("plant", b"\x07\xff", "wire version 7"))

    yard.replay()

    letter = yard.letter()
    assert (letter.state, letter.code, len(letter.attempts)) == ("open", "undecodable_message", 2)
    assert yard.rows(schema.retries) == []


def test_an_event_that_a_new_map_no_longer_finds_is_not_forgotten(yard: Yard) -> None:
    """A row whose event is gone would be rung for ever, and its letter would look as if it had been applied."""
    name = yard.send(order("e1"))
    acts.again(yard.database, [(name, 5, "plant")], name, ANNA, yard.now)
    yard.work()

    assert yard.rows(schema.retries) == []
    assert (yard.letter().key, yard.letter().code) == ((name, 5), "event_gone")


def test_an_applied_event_is_a_duplicate_when_it_is_replayed(yard: Yard) -> None:
    name = yard.send(order("e1", status="approved"), order("e2", "WO-2"))
    before = [yard.rows(table) for table in (*folding.STATE, schema.events, schema.deliveries)]

    assert acts.again(yard.database, [(name, WHOLE_BODY, "plant")], name, ANNA, yard.now) == 1
    assert acts.again(yard.database, [(name, WHOLE_BODY, "plant")], name, ANNA, yard.now) == 0
    yard.work()

    assert [yard.rows(table) for table in (*folding.STATE, schema.events, schema.deliveries)] == before
    assert yard.rows(schema.retries) == []


def test_replays_and_workers_at_once_neither_lose_nor_double_a_letter(yard: Yard) -> None:
    yard.send(*(zoneless(f"e{n}", f"WO-{n}") for n in range(120)))
    yard.connect("plant", ZONE)
    both = [yard.start(), yard.start()]
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            yard.work()

    def send(each: replays.Replay) -> None:
        replay.run(yard.database, each, clock=lambda: yard.now, wait=no_wait)

    worker = threading.Thread(target=work)
    senders = [threading.Thread(target=send, args=(each,)) for each in both]
    for thread in (worker, *senders):
        thread.start()
    for thread in senders:
        thread.join()
    done.set()
    worker.join()
    yard.work()

    assert len(yard.outcomes()) == 120
    assert {letter.state for letter in yard.letters()} == {"replayed"}
    assert sum(row["sent"] for row in yard.rows(schema.replays)) == 120
    assert yard.rows(schema.retries) == []


def test_the_diff_of_two_bodies_shows_the_member_that_differs_and_survives_what_is_no_json() -> None:
    assert acts.diff(b'{"a":1,"b":2}', b'{"a":1,"b":3}', ("x", "y")) == [
        "--- x",
        "+++ y",
        "@@ -1,4 +1,4 @@",
        " {",
        '   "a": 1,',
        '-  "b": 2',
        '+  "b": 3',
        " }",
    ]
    assert acts.diff(b"\xff{", b"{}", ("x", "y"))[3:] == ["-\\xff{", "+{}"]


def test_states_are_those_of_the_contract() -> None:
    assert dead_letters.STATES == ("open", "replayed", "discarded", "superseded")
