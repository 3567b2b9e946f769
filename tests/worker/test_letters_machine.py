"""Retries, dead letters and replay as a machine: whatever happens in whatever order, nothing is lost, nothing doubled.

Hypothesis draws what arrives, what operators do, when time passes and where processes die; see `machine` for what of
it is real. After each step the books must balance; at the end, with every cause mended, everything has come to one end
and the state is that of a fresh fold.
"""

import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from handlers import effects
from handlers.errors import PermanentError
from handlers.events import WHOLE_BODY, Delivery
from handlers.store import letter_acts, migrate, read_deliveries, read_letters, schema
from handlers.store.read_letters import KeptLetter, Wanted
from handlers.store.replays import Replay
from tests import folding
from tests.sizes import size
from tests.worker.letters import ANNA, ZONE, no_wait
from tests.worker.machine import FAILS, KILLS, LATE, NAP, PLANT, SHAKES, START, Faults, Fuse, Mortal, Site
from tests.worker.machine_checks import Books, Sent, check_fold, check_growth, check_ledger, check_letters
from worker import acts, replay
from worker.dispatch import SUSPECT_LEASE
from worker.scheduler import RING_LEASE

MENDING_ROUNDS = 12
"""Replays after which even what fails most often has had more attempts than it fails."""
MOST_FAILURES = 30
STEPS = 30

times_failing = st.sampled_from([1, 2, 11, 12, 13, MOST_FAILURES])
fuses = st.none() | st.builds(Fuse, st.integers(1, 4), st.sampled_from(["before", "after", "away"]))
pauses = st.sampled_from([timedelta(seconds=1), timedelta(seconds=61), timedelta(minutes=10), timedelta(hours=2)])


@st.composite
def elements(draw: st.DrawFn) -> Mapping[str, Any]:
    """An event of some fate."""
    data: dict[str, Any] = {"key": draw(st.sampled_from(["WO-1", "WO-2"])), "asset_down": draw(st.booleans())}
    data["status"] = draw(st.sampled_from(["approved", "in_progress", "completed"]))
    minute = draw(st.integers(0, 59))
    at = f"2026-03-01T08:{minute:02d}:00"
    fate = draw(
        st.sampled_from(["good", "good", "good", "zoneless", "never", "early", "foreign", "failing", "killing"])
    )
    if fate == "early":
        at = (START + timedelta(minutes=draw(st.integers(1, 300)))).isoformat()[:19]
    elif fate == "failing":
        data["title"] = f"{FAILS}{draw(times_failing)}:{draw(st.integers(0, 2))}"
    elif fate == "killing":
        data["title"] = f"{KILLS}{draw(st.integers(1, 5))}:{draw(st.integers(0, 2))}"
    zone = {"zoneless": "", "never": " o'clock"}.get(fate, "Z")
    type_ = "foreign.thing" if fate == "foreign" else "work_order.updated"
    event = {"type": type_, "occurred_at": f"{at}{zone}", "data": data}
    return event | draw(st.sampled_from([{}, {"id": "e-1"}, {"id": "e-2"}]))


bodies = st.one_of(
    elements(),
    elements(),
    st.lists(elements(), min_size=1, max_size=4),
    st.lists(elements(), min_size=2, max_size=3, unique_by=str).map(lambda several: [*several, several[0]]),
    st.tuples(elements(), times_failing, st.integers(0, 2)).map(
        lambda drawn: [drawn[0], {**drawn[0], "shaken_by": f"{SHAKES}{drawn[1]}:{drawn[2]}"}]
    ),
    st.sampled_from([b"rubbish", b"[]", b"17", b"\xff"]),
)


class Machine(RuleBasedStateMachine):
    """Everybody who does something to a letter."""

    sent_bodies: Bundle[tuple[bytes, tuple[bytes, ...]]] = Bundle("sent_bodies")
    replays: Bundle[Replay] = Bundle("replays")

    def __init__(self, database: Mortal, folder: Path) -> None:
        super().__init__()
        folding.empty(database)
        database.ledger.clear()
        self.folder = folder
        faults = Faults(database)
        self.real_effects = effects.load
        self.patched = mock.patch.object(effects, "load", lambda: faults.effects)
        self.patched.start()
        self.site = Site(database, folder, faults)
        self.queued: list[Delivery] = []
        self.taken: list[tuple[list[Delivery], int]] = []
        self.done: list[list[Delivery]] = []
        self.sent: dict[str, Sent] = {}
        self.started: list[Replay] = []
        self.books = Books(self.site)

    @initialize()
    def begins(self) -> None:
        """Something is there to work on."""
        self._arrives(b"rubbish", (), PLANT)

    @rule(target=sent_bodies, drawn=bodies, to=st.sampled_from([PLANT, PLANT, LATE, NAP]))
    def arrives(self, drawn: Any, to: str) -> Any:
        """A sender posts something new."""
        if isinstance(drawn, bytes):
            raw, parts = drawn, ()
        elif isinstance(drawn, list):
            parts = tuple(map(orjson.dumps, drawn))
            raw = b"[" + b",".join(parts) + b"]"
        else:
            raw = orjson.dumps(drawn)
            parts = (raw,)
        self._arrives(raw, parts, to)
        return raw, parts

    @rule(body=sent_bodies, to=st.sampled_from([PLANT, LATE, NAP]))
    def comes_again(self, body: tuple[bytes, tuple[bytes, ...]], to: str) -> None:
        """A sender posts what was posted before."""
        self._arrives(*body, to)

    @precondition(lambda self: self.queued)
    @rule(number=st.integers(1, 4), fuse=fuses)
    def works(self, number: int, fuse: Fuse | None) -> None:
        """A worker takes a batch from the queue."""
        batch, self.queued = self.queued[:number], self.queued[number:]
        self._process(batch, 1, fuse)

    @precondition(lambda self: self.taken)
    @rule(fuse=fuses)
    def takes_over(self, fuse: Fuse | None) -> None:
        """Another worker gets the batch whose worker died, or the same one tries it again."""
        self._process(*self.taken.pop(0), fuse)

    @precondition(lambda self: self.done)
    @rule(data=st.data(), times=st.integers(1, 3), fuse=fuses)
    def works_on_what_is_done(self, data: st.DataObject, times: int, fuse: Fuse | None) -> None:
        """The end of an entry did not reach the broker: all of it comes once more."""
        batch = data.draw(st.sampled_from(self.done))
        self.site.survives(lambda: self.site.process(batch, times), fuse)

    @rule(pause=pauses)
    def time_passes(self, pause: timedelta) -> None:
        """The clock goes on."""
        self.site.now += pause

    @rule(fuse=fuses)
    def rings(self, fuse: Fuse | None) -> None:
        """The scheduler leases what is due and rings for it; if it dies in between, nobody hears anything."""
        self.site.survives(lambda: self.site.ring(RING_LEASE), fuse)

    @precondition(lambda self: self.site.bells)
    @rule(data=st.data(), heard=st.sampled_from(["once", "once", "twice", "never"]), fuse=fuses)
    def answers(self, data: st.DataObject, heard: str, fuse: Fuse | None) -> None:
        """A worker hears a bell."""
        at = data.draw(st.integers(0, len(self.site.bells) - 1))
        ids = self.site.bells[at] if heard == "twice" else self.site.bells.pop(at)
        if heard != "never":
            self.site.survives(lambda: self.site.dispatcher.process_rows(ids), fuse)

    @rule(times=st.sampled_from([1, 1, 2, 14]), fuse=fuses)
    def goes_on_for_a_while(self, times: int, fuse: Fuse | None) -> None:
        """Scheduler and workers do all that there is, for hours perhaps, so that attempts run out."""
        if self.queued:
            batch, self.queued = self.queued, []
            self._process(batch, 1, fuse)
        for _ in range(times):
            self.site.now += timedelta(hours=2) if times > 1 else timedelta(seconds=20)
            self._beat()

    @rule(fuse=fuses)
    def sends_what_waits(self, fuse: Fuse | None) -> None:
        """The scheduler sends the letters whose time has come by itself."""
        self.site.survives(self._send_waiting, fuse)

    @rule(fuse=fuses)
    def replays_everything(self, fuse: Fuse | None) -> None:
        """An operator sends all open letters on their way, and the workers read them."""
        self.site.survives(lambda: self._run(self._start_replay()), fuse)
        self._beat()

    @rule(target=replays, fuse=fuses)
    def starts_a_replay(self, fuse: Fuse | None) -> Any:
        """An operator freezes a plan of all open letters."""
        before = len(self.started)
        self.site.survives(self._start_replay, fuse)
        return multiple(*self.started[before:])

    @rule(chosen=replays, fuse=fuses)
    def sends_a_replay(self, chosen: Replay, fuse: Fuse | None) -> None:
        """It runs, perhaps once more after a crash, perhaps twice at once."""
        self.site.survives(lambda: self._run(chosen), fuse)

    @precondition(lambda self: self._open())
    @rule(data=st.data(), mended=st.booleans(), fuse=fuses)
    def edits(self, data: st.DataObject, mended: bool, fuse: Fuse | None) -> None:  # noqa: FBT001  # drawn by name
        """An operator corrects an open letter; or means to."""
        letter = data.draw(st.sampled_from(self._open()))
        at = "2026-03-01T09:00:00Z" if mended else "never"
        element = orjson.dumps({"id": f"edit-{len(self.sent)}", "type": "work_order.updated", "occurred_at": at} | WORK)
        original = read_deliveries.delivery(self.site.database, letter.delivery_id)
        assert original is not None

        def edit() -> None:
            body = self.site.database
            copy = acts.edit(body, letter, original, element, operator=ANNA, now=self.site.now)
            self.sent[copy.delivery_id] = Sent(copy, (element,))
            self.done.append([copy])

        self.site.survives(edit, fuse if fuse is None or fuse.how != "after" else None)

    @precondition(lambda self: self._open())
    @rule(data=st.data(), fuse=fuses)
    def discards(self, data: st.DataObject, fuse: Fuse | None) -> None:
        """An operator gives an open letter up."""
        letter = data.draw(st.sampled_from(self._open()))
        self.site.survives(lambda: acts.discard(self.site.database, [letter.key], {}, ANNA, self.site.now), fuse)

    @precondition(lambda self: self.done)
    @rule(data=st.data(), fuse=fuses)
    def replays_an_event(self, data: st.DataObject, fuse: Fuse | None) -> None:
        """An operator has something of the archive worked on once more, which must be harmless."""
        delivery = data.draw(st.sampled_from(data.draw(st.sampled_from(self.done))))
        last = len(self.sent[delivery.delivery_id].elements) - 1
        place = (delivery.delivery_id, data.draw(st.integers(WHOLE_BODY, last)), delivery.connection_id)
        self.site.survives(lambda: acts.again(self.site.database, [place], "it", ANNA, self.site.now), fuse)

    @rule(asleep=st.booleans())
    def falls_asleep_or_wakes(self, asleep: bool) -> None:  # noqa: FBT001  # drawn by name
        """A connection is paused, or resumed."""
        self.site.connect(NAP, *(["paused = true"] if asleep else []))

    @rule(which=st.sampled_from([LATE, PLANT]))
    def is_mended(self, which: str) -> None:
        """An operator registers the connection that was unknown, or gives one its time zone."""
        self.site.connect(which, *([ZONE] if which == PLANT else []))

    @invariant()
    def the_books_balance(self) -> None:
        """Whatever has been committed is somewhere, once, and no attempt is forgotten."""
        before, self.books = self.books, Books(self.site)
        check_letters(self.books)
        check_growth(before, self.books)
        check_ledger(self.site, self.books)
        for delivery in (delivery for batch in self.done for delivery in batch):
            sent = self.sent[delivery.delivery_id]
            for index, its_digest in sent.parts():
                assert self.books.places(sent, index, its_digest), f"lost: {delivery.delivery_id}/{index}"

    def teardown(self) -> None:
        """Every cause is mended, and everything comes to its end."""
        try:
            self._come_to_rest()
            books = Books(self.site)
            check_ledger(self.site, books)
            assert books.retries == {}
            for sent in self.sent.values():
                for index, its_digest in sent.parts():
                    fate = books.fate(sent, index, its_digest)
                    if _is_sound(sent, index):
                        assert fate != "open", f"{sent.delivery.delivery_id}/{index} is still a letter"
                    else:
                        assert fate != "known"
        finally:
            self.patched.stop()
        check_fold(self.site, books, self.folder, random.Random(1))
        (self.folder / "test.db").unlink()

    def _come_to_rest(self) -> None:
        for name, options in ((LATE, [ZONE]), (NAP, [ZONE]), (PLANT, [ZONE])):
            self.site.connect(name, *options)
        while self.queued or self.taken:
            batch, times = self.taken.pop(0) if self.taken else (self.queued, 1)
            self.queued = self.queued if batch is not self.queued else []
            self._process(batch, times, None)
        for chosen in self.started:
            self._run(chosen)
        for _ in range(MENDING_ROUNDS):
            self._exhaust()
            self._run(self._start_replay())
        self._exhaust()

    def _exhaust(self) -> None:
        """Goes on until no row is left."""
        for _ in range(100):
            self.site.now += timedelta(hours=2)
            self._beat()
            if not self.site.rows(schema.retries):
                return
        raise AssertionError("it never ends")

    def _beat(self) -> None:
        self.site.survives(self._send_waiting)
        self.site.survives(lambda: self.site.ring(RING_LEASE + SUSPECT_LEASE))
        while self.site.bells:
            ids = self.site.bells.pop(0)
            self.site.survives(lambda ids=ids: self.site.dispatcher.process_rows(ids))  # type: ignore[misc]  # ids is bound now

    def _arrives(self, raw: bytes, parts: tuple[bytes, ...], to: str) -> None:
        name = f"d{len(self.sent):03d}"
        delivery = Delivery(name, to, self.site.now, raw, {"content-type": "application/json", "webhook-id": "m"})
        self.sent[name] = Sent(delivery, parts)
        self.queued.append(delivery)

    def _process(self, batch: list[Delivery], times: int, fuse: Fuse | None) -> None:
        ended = self.site.survives(lambda: self.site.process(batch, times), fuse)
        if ended == "done":
            self.done.append(batch)
        else:
            self.taken.append((batch, times + 1 if ended == "died" else times))

    def _send_waiting(self) -> None:
        there = [each.id for each in self.site.registry.all().values() if not each.paused]
        letter_acts.send_waiting(self.site.database, there, self.site.now, 500)

    def _start_replay(self) -> Replay:
        every = read_letters.listed(self.site.database, Wanted(state=None))
        planned = replay.plan(every, self.site.registry.all(), self.site.now)
        self.started.append(replay.start(self.site.database, planned, {}, ANNA, rate=100, now=self.site.now))
        return self.started[-1]

    def _run(self, chosen: Replay) -> None:
        replay.run(self.site.database, chosen, clock=lambda: self.site.now, wait=no_wait)

    def _open(self) -> list[KeptLetter]:
        return list(read_letters.listed(self.site.database, Wanted()))


WORK = {"data": {"key": "WO-1", "status": "completed"}}


def _is_sound(sent: Sent, index: int) -> bool:
    """Whether a part is read in the end, as every cause but itself is mended."""
    if index == WHOLE_BODY:
        return sent.delivery.body == b"[]"
    return orjson.loads(sent.elements[index])["occurred_at"][-1:] not in {"k", "r"}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mortal]:
    if request.param == "sqlite":
        database = Mortal(f"sqlite:///{tmp_path / 'machine.db'}")
    else:
        database = Mortal(request.getfixturevalue("postgres_url"))
    migrate.upgrade(database)
    yield database
    database.close()


def _run(database: Mortal, folder: Path, examples: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(lambda: Machine(database, folder), settings=chosen)  # type: ignore[no-untyped-call]  # hypothesis leaves it so


def test_nothing_is_lost_or_doubled_whatever_happens_to_letters(database: Mortal, tmp_path: Path) -> None:
    _run(database, tmp_path, 60 if database.dialect == "sqlite" else 20)


@pytest.mark.long
@pytest.mark.timeout(size(300, 4 * 3600))
def test_nothing_is_lost_or_doubled_in_a_great_many_histories(database: Mortal, tmp_path: Path) -> None:
    _run(database, tmp_path, size(100, 5_000 if database.dialect == "sqlite" else 1_000))
