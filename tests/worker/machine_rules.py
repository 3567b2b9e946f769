"""The machine of letters: everybody who does something to one, each as a rule that Hypothesis may choose.

After each step the books must balance; at the end, with every cause mended, everything has come to one end and the
state is that of a fresh fold.
"""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from handlers import effects
from handlers.events import WHOLE_BODY
from handlers.store import read_deliveries
from handlers.store.replays import Replay
from tests.worker.letters import ANNA, ZONE
from tests.worker.machine import LATE, NAP, PLANT, Faults, Fuse, Mortal
from tests.worker.machine_checks import Books, Sent, check_fold, check_growth, check_ledger, check_letters
from tests.worker.machine_draws import bodies, fuses, is_sound, pauses
from tests.worker.machine_hands import Hands
from worker import acts
from worker.scheduler import RING_LEASE

WORK = {"data": {"key": "WO-1", "status": "completed"}}
"""What a corrected event says."""


class Machine(RuleBasedStateMachine, Hands):
    """Everybody who does something to a letter."""

    sent_bodies: Bundle[tuple[bytes, tuple[bytes, ...]]] = Bundle("sent_bodies")
    replays: Bundle[Replay] = Bundle("replays")

    def __init__(self, database: Mortal, folder: Path) -> None:
        super().__init__()
        faults = Faults(database)
        self.patched = mock.patch.object(effects, "load", return_value=faults.effects)
        self.patched.start()
        self.prepare(database, folder, faults)
        self.books = Books(self.site)

    @initialize()
    def begins(self) -> None:
        """Something is there to work on."""
        self.accept(b"rubbish", (), PLANT)

    @rule(target=sent_bodies, drawn=bodies, to=st.sampled_from([PLANT, PLANT, LATE, NAP]))
    def arrives(self, drawn: Any, to: str) -> Any:
        """A sender posts something new."""
        parts: tuple[bytes, ...] = ()
        if isinstance(drawn, bytes):
            raw = drawn
        elif isinstance(drawn, list):
            parts = tuple(map(orjson.dumps, drawn))
            raw = b"[" + b",".join(parts) + b"]"
        else:
            raw = orjson.dumps(drawn)
            parts = (raw,)
        self.accept(raw, parts, to)
        return raw, parts

    @rule(body=sent_bodies, to=st.sampled_from([PLANT, LATE, NAP]))
    def comes_again(self, body: tuple[bytes, tuple[bytes, ...]], to: str) -> None:
        """A sender posts what was posted before."""
        self.accept(*body, to)

    @precondition(lambda self: self.queued)
    @rule(number=st.integers(1, 4), fuse=fuses)
    def works(self, number: int, fuse: Fuse | None) -> None:
        """A worker takes a batch from the queue."""
        batch, self.queued = self.queued[:number], self.queued[number:]
        self.process(batch, 1, fuse)

    @precondition(lambda self: self.taken)
    @rule(fuse=fuses)
    def takes_over(self, fuse: Fuse | None) -> None:
        """Another worker gets the batch whose worker died, or the same one tries it again."""
        self.process(*self.taken.pop(0), fuse)

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
            self.process(batch, 1, fuse)
        for _ in range(times):
            self.site.now += timedelta(hours=2) if times > 1 else timedelta(seconds=20)
            self.beat()

    @rule(fuse=fuses)
    def sends_what_waits(self, fuse: Fuse | None) -> None:
        """The scheduler sends the letters whose time has come by itself."""
        self.site.survives(self.send_waiting, fuse)

    @rule(fuse=fuses)
    def replays_everything(self, fuse: Fuse | None) -> None:
        """An operator sends all open letters on their way, and the workers read them."""
        self.site.survives(lambda: self.run(self.start_replay()), fuse)
        self.beat()

    @rule(target=replays, fuse=fuses)
    def starts_a_replay(self, fuse: Fuse | None) -> Any:
        """An operator freezes a plan of all open letters."""
        before = len(self.started)
        self.site.survives(self.start_replay, fuse)
        return multiple(*self.started[before:])

    @rule(chosen=replays, fuse=fuses)
    def sends_a_replay(self, chosen: Replay, fuse: Fuse | None) -> None:
        """It runs, perhaps once more after a crash, perhaps twice at once."""
        self.site.survives(lambda: self.run(chosen), fuse)

    @precondition(lambda self: self.open())
    @rule(data=st.data(), mended=st.booleans(), fuse=fuses)
    def edits(self, data: st.DataObject, mended: bool, fuse: Fuse | None) -> None:  # noqa: FBT001  # drawn by name
        """An operator corrects an open letter; or means to."""
        letter = data.draw(st.sampled_from(self.open()))
        at = "2026-03-01T09:00:00Z" if mended else "never"
        element = orjson.dumps({"id": f"edit-{len(self.sent)}", "type": "work_order.updated", "occurred_at": at} | WORK)
        original = read_deliveries.delivery(self.site.database, letter.delivery_id)
        assert original is not None

        def edit() -> None:
            copy = acts.edit(self.site.database, letter, original, element, operator=ANNA, now=self.site.now)
            self.sent[copy.delivery_id] = Sent(copy, (element,))
            self.done.append([copy])

        self.site.survives(edit, fuse if fuse is None or fuse.how != "after" else None)

    @precondition(lambda self: self.open())
    @rule(data=st.data(), regretted=st.booleans(), fuse=fuses)
    def discards(self, data: st.DataObject, regretted: bool, fuse: Fuse | None) -> None:  # noqa: FBT001  # drawn by name
        """An operator gives an open letter up; or does so while it is on its way."""
        letter = data.draw(st.sampled_from(self.open()))
        if regretted:
            acts.again(self.site.database, [(*letter.key, letter.connection_id)], letter.name, ANNA, self.site.now)
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
            self.come_to_rest()
            books = Books(self.site)
            check_ledger(self.site, books)
            assert books.retries == {}
            for sent in self.sent.values():
                for index, its_digest in sent.parts():
                    fate = books.fate(sent, index, its_digest)
                    if is_sound(sent, index):
                        assert fate != "open", f"{sent.delivery.delivery_id}/{index} is still a letter"
                    else:
                        assert fate != "known"
        finally:
            self.patched.stop()
        check_fold(self.site, books, self.folder, random.Random(1))
        (self.folder / "test.db").unlink()
