"""What the tables hold against what they must hold, and how long recoveries took."""

import bisect
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import redis
import sqlalchemy as sa
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from handlers.errors import TransientError
from handlers.store.schema import dead_letters, deliveries, events, retries
from tests.chaos.facts import Identity
from tests.chaos.faults import Happened
from tests.chaos.house import House
from tests.chaos.oracle import Expected
from tests.chaos.report import Recovery
from tests.chaos.state import Looking, state_differences, told

SETTLE_SECONDS = 120.0
"""How long after the last fault everything may take to be worked on; far beyond a lease and a round of retries."""
LOOK_SECONDS = 0.25
LANES = ("live", "heavy", "again")
NEW = "maintenworks_events_processed_total"
ENDED = {"applied", "stale", "ignored"}


class Verdict(NamedTuple):
    """What was found.

    Attributes:
        outcomes: events by how they ended, dead letters among them, as the tables say.
        lost: events accepted, and in no table.
        doubled: recorded or counted more often than once.
        differences: all that is not as it must be, in words.
    """

    outcomes: Mapping[str, int]
    lost: int
    doubled: int
    differences: Sequence[str]


def settled(built: House) -> bool:
    """Waits until all that was accepted is in the archive and nothing is left to do; False if that never comes."""
    accepted = built.accepted
    deadline = time.monotonic() + SETTLE_SECONDS
    while not _is_done(built, accepted):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _is_done(built: House, accepted: set[str]) -> bool:
    try:
        with built.broker_server.client() as client:
            waiting = [client.xlen(f"maintenworks:lane:{lane}") for lane in LANES]
        left = any(waiting) or built.running.ask(sa.select(retries.c.delivery_id))
        return not left and accepted <= _archived(built.running)
    except (redis.RedisError, TransientError):  # it is just being started again
        return False


def judge(looking: Looking, wanted: Expected, accepted: Collection[str], metrics: Path) -> Verdict:
    """Compares everything.

    Args:
        looking: asked what there is.
        wanted: what there must be.
        accepted: ids of the deliveries that were answered 200.
        metrics: the folder of the workers' counters.
    """
    found = looking.ask(sa.select(events.c.connection_id, events.c.event_id, events.c.digest, events.c.outcome))
    recorded = Counter(Identity(*row[:3]) for row in found)
    letters = looking.ask(sa.select(dead_letters.c.connection_id, dead_letters.c.digest, dead_letters.c.code))
    buried = Counter((row.connection_id, row.digest) for row in letters)
    unarchived = set(accepted) - _archived(looking)
    lost = (wanted.events - recorded.keys()) | (wanted.buried - buried.keys())
    extra = recorded - Counter(wanted.events)
    unreasoned = [tuple(row) for row in letters if tuple(row[:2]) not in wanted.buried]
    twice = buried - Counter(buried.keys())
    recounted = max(0, counted(metrics) - len(wanted.events))
    return Verdict(
        outcomes=Counter(row.outcome for row in found) + Counter(dead_letters=len(letters)),
        lost=len(lost),
        doubled=extra.total() + twice.total() + recounted,
        differences=[
            *told("accepted and not in the archive", sorted(unarchived)),
            *told("lost", lost),
            *told("recorded twice, or never sent", extra),
            *told("buried twice", twice),
            *told("dead letter without a reason", unreasoned),
            *([f"workers counted {recounted} events as new that were not"] if recounted else []),
            *state_differences(looking, wanted),
        ],
    )


def _archived(looking: Looking) -> set[str]:
    return {row.delivery_id for row in looking.ask(sa.select(deliveries.c.delivery_id))}


def counted(metrics: Path) -> int:
    """Events that workers counted as new; one that was killed between its commit and its count is missing.

    So this cannot tell what was lost, but more than there are is a repeat that a worker took for a new one.
    """
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(metrics))  # type: ignore[no-untyped-call]  # untyped library
    samples = [sample for family in registry.collect() for sample in family.samples]
    new = [sample.value for sample in samples if sample.name == NEW and sample.labels["outcome"] in ENDED]
    return round(sum(new))


def recoveries(looking: Looking, happened: Iterable[Happened]) -> list[Recovery]:
    """Of each fault: how long until all that had been accepted before was worked on, and the first after it too."""
    rows = looking.ask(sa.select(deliveries.c.received_at, deliveries.c.processed_at))
    rows = sorted(rows, key=lambda row: row.received_at)
    took = []
    for fault, since in happened:
        after = bisect.bisect_right(rows, since, key=lambda row: row.received_at)
        done = max((row.processed_at for row in rows[: after + 1]), default=since)
        took.append(Recovery(fault.kind, fault.alone, round(max(done - since, timedelta()).total_seconds(), 2)))
    return took
