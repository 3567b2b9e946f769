"""What goes wrong when: made from the seed alone, so that the same seed goes wrong in the same way again."""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

RECEIVERS = ("receiver-1", "receiver-2")
WORKERS = ("worker-1", "worker-2")
SCHEDULER = "scheduler"
BROKER = "broker"
DATABASE = "database"
DISK = "disk"

KILLED, FROZEN, RESTARTED = "killed", "frozen", "restarted"
"""SIGKILL, and started again; SIGSTOP, and SIGCONT; SIGTERM, and started again."""
CUT, SLOW, STALLED, DEAF = "cut", "slow", "stalled", "deaf"
"""What happens to the connections between two of them (`proxy.Mode`)."""
FULL = "full"

ROLES = (*RECEIVERS, *WORKERS, SCHEDULER)
LINES = (*itertools.product(ROLES, (BROKER,)), *itertools.product((*WORKERS, SCHEDULER), (DATABASE,)))
"""Who talks to which server."""

SECONDS = {
    KILLED: (0.2, 2.5),
    FROZEN: (1.0, 6.0),
    RESTARTED: (0.0, 1.0),
    CUT: (0.3, 3.0),
    SLOW: (1.0, 4.0),
    STALLED: (0.5, 6.0),
    DEAF: (0.3, 2.0),
    FULL: (2.0, 4.0),
}
"""How long each lasts, from and to; of what is ended, how long until it is started again."""
LONG_FREEZE_SECONDS = 22.0
"""A worker that is frozen alone: longer than its lease of 12 s, so that another has its work when it wakes up."""
LATE_SECONDS = (0.05, 0.4)
PAUSE_SECONDS = (0.2, 1.5)
FIRST_SECOND = 1.5
WAIT_SECONDS = 6.0
"""How long a fault waits for the end of another on the same party; else it is left out."""
QUIET_SECONDS = 24.0
"""Around a fault that comes alone nothing else begins for so long, and its recovery is its own."""
TOGETHER = 8
"""Faults between two that come alone."""


class Fault(NamedTuple):
    """One thing that goes wrong.

    Attributes:
        at: when, in seconds since the first post.
        what: one of the constants above.
        target: whom it befalls; of a line, the role that talks.
        server: whom it talks to; empty for what befalls a process.
        seconds: how long.
        late: seconds by which each piece comes late, where it is slow.
        alone: whether nothing else goes wrong around it.
    """

    at: float
    what: str
    target: str
    server: str
    seconds: float
    late: float = 0.0
    alone: bool = False

    @property
    def kind(self) -> str:
        """What it counts as in the report: its parties without their numbers."""
        return f"{self.what} {self.target.partition('-')[0]}" + (f" to {self.server}" if self.server else "")

    def __str__(self) -> str:
        """A line of the schedule."""
        parties = self.target + (f" to {self.server}" if self.server else "")
        late = f", each piece {self.late * 1000:.0f} ms" if self.late else ""
        return f"{self.at:7.2f} s  {self.what} {parties}, {self.seconds:.2f} s{late}{', alone' if self.alone else ''}"


class Part(NamedTuple):
    """A fault without its time."""

    what: str
    target: str
    server: str = ""

    @property
    def parties(self) -> tuple[str, ...]:
        """What nothing else may befall meanwhile: a process, or a line; a full disk ends the broker."""
        if self.what == FULL:
            return (DISK, BROKER)
        return (f"{self.target} to {self.server}" if self.server else self.target,)


def schedule(seed: int, seconds: float, *, has_database_server: bool) -> list[Fault]:
    """The faults of one run, in the order of their times; no two at once on the same process or line.

    Args:
        seed: decides everything.
        seconds: until when one may begin.
        has_database_server: whether the database is a process that can be killed and talked to over a line.
    """
    dice = random.Random(f"schedule {seed}")
    servers = (BROKER, DATABASE) if has_database_server else (BROKER,)
    lonely = itertools.cycle(_promised(dice, servers))
    faults: list[Fault] = []
    busy_until: dict[str, float] = {}
    at = FIRST_SECOND
    for part in _drawn(dice, servers):
        if len(faults) % (TOGETHER + 1) == TOGETHER and at + 3 * QUIET_SECONDS < seconds:
            at = max(at, *busy_until.values()) + QUIET_SECONDS
            faults.append(_alone(dice, next(lonely), at))
            at += faults[-1].seconds + QUIET_SECONDS
        free = max(busy_until.get(party, 0.0) for party in part.parties)
        if free > at + WAIT_SECONDS:
            continue
        at = max(at, free)
        if at > seconds:
            break
        lasts = round(dice.uniform(*SECONDS[part.what]), 2)
        late = round(dice.uniform(*LATE_SECONDS), 3) if part.what == SLOW else 0.0
        faults.append(Fault(round(at, 2), *part, lasts, late))
        busy_until.update(dict.fromkeys(part.parties, at + lasts))
        # Some come while the one before still lasts or is being recovered from, some once all is well again.
        at += dice.uniform(0.0, lasts) + dice.uniform(*PAUSE_SECONDS)
    return faults


def _alone(dice: random.Random, part: Part, at: float) -> Fault:
    frozen_worker = part.what == FROZEN and part.target in WORKERS
    lasts = LONG_FREEZE_SECONDS if frozen_worker else round(dice.uniform(*SECONDS[part.what]), 2)
    return Fault(round(at, 2), *part, lasts, alone=True)


def _promised(dice: random.Random, servers: Sequence[str]) -> list[Part]:
    """Those whose recovery is promised."""
    killed, frozen = dice.sample(WORKERS, 2)
    parts = [Part(KILLED, killed), Part(FROZEN, frozen), *(Part(KILLED, server) for server in servers)]
    parts.append(Part(FULL, DISK))
    dice.shuffle(parts)
    return parts


def _drawn(dice: random.Random, servers: Sequence[str]) -> Iterator[Part]:
    """Faults without end: first some that each run shall have, then from all of them as cards from packs."""
    first = _promised(dice, servers)
    first += [Part(DEAF, dice.choice(RECEIVERS), BROKER), Part(DEAF, dice.choice(WORKERS), servers[-1])]
    dice.shuffle(first)
    yield from first
    pack = [Part(what, target) for what in (KILLED, FROZEN, RESTARTED) for target in (*ROLES, *servers)]
    pack += [
        Part(what, role, server) for what in (CUT, SLOW, STALLED, DEAF) for role, server in LINES if server in servers
    ]
    pack.append(Part(FULL, DISK))
    while True:
        dice.shuffle(pack)
        yield from pack
