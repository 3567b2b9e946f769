"""What is done in the machine of letters: by receiver, workers, scheduler and operators, each thing in one place."""

from datetime import timedelta
from pathlib import Path

from handlers.events import Delivery
from handlers.store import letter_acts, read_letters, schema
from handlers.store.read_candidates import candidates
from handlers.store.read_letters import KeptLetter, Wanted
from handlers.store.replays import Replay
from tests import folding
from tests.worker.letters import ANNA, ZONE, no_wait
from tests.worker.machine import LATE, NAP, PLANT, Faults, Fuse, Mortal, Site
from tests.worker.machine_checks import Sent
from worker import replay
from worker.dispatch import SUSPECT_LEASE
from worker.replay_plan import plan
from worker.scheduler import RING_LEASE

MENDING_ROUNDS = 12
"""Replays after which even what fails most often has had more attempts than it fails."""
MENDED_BY_TRYING = {"unclassified", "upstream_busy", "poison"}
"""Codes of letters that are right once they have been replayed often enough."""


class Hands:
    """Everybody's hands, and what they hold.

    Attributes:
        site: the installation.
        folder: an empty one.
        queued: what was accepted, in order.
        taken: batches whose worker did not come to their end, each with how often it was delivered.
        done: batches that were committed.
        sent: everything that was accepted, by its delivery's id.
        started: replays.
    """

    def prepare(self, database: Mortal, folder: Path, faults: Faults) -> None:
        """Begins with an empty installation."""
        folding.empty(database)
        database.ledger.clear()
        self.folder = folder
        self.site = Site(database, folder, faults)
        self.queued: list[Delivery] = []
        self.taken: list[tuple[list[Delivery], int]] = []
        self.done: list[list[Delivery]] = []
        self.sent: dict[str, Sent] = {}
        self.started: list[Replay] = []

    def come_to_rest(self) -> None:
        """Every cause is mended, and everything is worked on until nothing is left to do."""
        for name, options in ((LATE, [ZONE]), (NAP, [ZONE]), (PLANT, [ZONE])):
            self.site.connect(name, *options)
        while self.queued or self.taken:
            batch, times = self.taken.pop(0) if self.taken else (self.queued, 1)
            self.queued = self.queued if batch is not self.queued else []
            self.process(batch, times, None)
        for chosen in self.started:
            self.run(chosen)
        self.site.now += timedelta(days=1)  # every clock ahead has been caught up with
        self.exhaust()
        for _ in range(MENDING_ROUNDS):
            before = self.open()
            self.run(self.start_replay())
            self.exhaust()
            if not {letter.code for letter in before} & MENDED_BY_TRYING:
                break

    def exhaust(self) -> None:
        """Goes on until no row is left."""
        for _ in range(100):
            self.site.now += timedelta(hours=2)
            self.beat()
            if not self.site.rows(schema.retries):
                return
        raise AssertionError("it never ends")

    def beat(self) -> None:
        """Scheduler and workers do what is due."""
        self.site.survives(self.send_waiting)
        self.site.survives(lambda: self.site.ring(RING_LEASE + SUSPECT_LEASE))
        while self.site.bells:
            ids = self.site.bells.pop(0)
            self.site.survives(lambda ids=ids: self.site.dispatcher.process_rows(ids))  # type: ignore[misc]  # ids is bound now

    def accept(self, raw: bytes, parts: tuple[bytes, ...], to: str) -> None:
        """The receiver takes a delivery in."""
        name = f"d{len(self.sent):03d}"
        delivery = Delivery(name, to, self.site.now, raw, {"content-type": "application/json", "webhook-id": "m"})
        self.sent[name] = Sent(delivery, parts)
        self.queued.append(delivery)

    def process(self, batch: list[Delivery], times: int, fuse: Fuse | None) -> None:
        """A worker works on a batch, and comes to its end or not."""
        ended = self.site.survives(lambda: self.site.process(batch, times), fuse)
        if ended == "done":
            self.done.append(batch)
        else:
            self.taken.append((batch, times + 1 if ended == "died" else times))

    def send_waiting(self) -> None:
        """The scheduler sends letters whose time has come by itself."""
        there = [each.id for each in self.site.registry.all().values() if not each.paused]
        letter_acts.send_waiting(self.site.database, there, self.site.now, 500)

    def start_replay(self) -> Replay:
        """An operator freezes a plan of whatever can be replayed."""
        every = candidates(self.site.database, Wanted(state=None))
        planned = plan(every, self.site.registry.all(), self.site.now)
        self.started.append(replay.start(self.site.database, planned, {}, ANNA, rate=100, now=self.site.now))
        return self.started[-1]

    def run(self, chosen: Replay) -> None:
        """A replay runs to its end."""
        replay.run(self.site.database, chosen, clock=lambda: self.site.now, wait=no_wait)

    def open(self) -> list[KeptLetter]:
        """The open letters."""
        return list(read_letters.listed(self.site.database, Wanted()))
