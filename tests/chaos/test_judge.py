"""The judge finds nothing where all went well, and each thing that is lost, doubled or wrong where it did not.

The stream is worked on by a dispatcher in this process, so this also holds the oracle against the product.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from handlers.store.schema import asset_history, dead_letters, deliveries, events, work_orders
from tests.chaos.faults import Happened
from tests.chaos.judge import NEW, Verdict, judge, recoveries
from tests.chaos.oracle import Expected, expected
from tests.chaos.plan import Plan
from tests.chaos.report import Recovery
from tests.chaos.schedule import KILLED, Fault
from tests.chaos.stream import CONNECTIONS, Stream
from tests.worker.cli.plant import NOW, Done, Plant

EVENTS = 600
BATCH = 40
REGISTRY = "".join(
    f'[connections.{name}]\nsource = "unified"\nsecrets = [{{ ref = "env:PLANT" }}]\n' for name in CONNECTIONS
)


class _Told:
    """A plant that was told a stream.

    Attributes:
        plant: it.
        wanted: what there must be.
        accepted: ids of its deliveries.
        metrics: a folder of counters.
    """

    def __init__(self, home: Path, stream: Stream) -> None:
        self.plant = Plant(home, f"sqlite:///{home / 'plant.db'}", connections=REGISTRY)
        self.wanted: Expected = expected(stream.events)
        self.accepted: list[str] = []
        for connection in CONNECTIONS:
            bodies = [post.body for post in stream.posts if post.connection == connection]
            for start in range(0, len(bodies), BATCH):
                self.accepted += self.plant.send(*bodies[start : start + BATCH], to=connection)
        self.metrics = home / "metrics"
        self.metrics.mkdir()

    def run(self, *arguments: str) -> Done:
        return self.plant.run(*arguments)

    def ask(self, query: sa.Select[*tuple[Any, ...]]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
        with self.plant.database.read() as connection:
            return connection.execute(query).all()

    def judged(self) -> Verdict:
        return judge(self, self.wanted, self.accepted, self.metrics)

    def spoil(self, statement: sa.Executable) -> None:
        with self.plant.database.write() as connection:
            connection.execute(statement)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[_Told]:
    made = _Told(tmp_path, Plan(7, EVENTS).stream())
    yield made
    made.plant.database.close()


def test_where_all_went_well_there_is_nothing_to_say(told: _Told) -> None:
    verdict = told.judged()

    assert verdict.differences == []
    assert (verdict.lost, verdict.doubled) == (0, 0)
    assert verdict.outcomes["dead_letters"] == len(told.wanted.buried) > 0
    assert sum(verdict.outcomes.values()) == len(told.wanted.events) + len(told.wanted.buried)


def test_what_is_missing_is_lost(told: _Told) -> None:
    one = sa.select(events.c.digest).limit(1).scalar_subquery()
    told.spoil(sa.delete(events).where(events.c.digest == one))
    told.accepted.append("never-archived")

    verdict = told.judged()

    assert verdict.lost == 1
    assert [each.partition(":")[0] for each in verdict.differences] == ["accepted and not in the archive", "lost"]


def test_a_letter_that_nobody_expects_has_no_reason(told: _Told) -> None:
    one = sa.select(dead_letters.c.digest).limit(1).scalar_subquery()
    told.spoil(sa.update(dead_letters).where(dead_letters.c.digest == one).values(digest="of another", code="poison"))

    verdict = told.judged()

    assert verdict.lost == 1
    assert [
        each for each in verdict.differences if each.startswith("dead letter without a reason") and "poison" in each
    ]


def test_a_repeat_that_a_worker_took_for_new_is_doubled(told: _Told) -> None:
    labels = {"connection": "north", "type": "asset.created", "outcome": "applied"}
    counters = MmapedDict(str(told.metrics / "counter_1.db"))  # type: ignore[no-untyped-call]  # untyped library
    key = mmap_key("maintenworks_events_processed", NEW, list(labels), list(labels.values()), "-")
    counters.write_value(key, len(told.wanted.events) + 3.0, 0.0)  # type: ignore[no-untyped-call]  # untyped library
    counters.close()  # type: ignore[no-untyped-call]  # untyped library

    verdict = told.judged()

    assert verdict.doubled == 3
    assert len(verdict.differences) == 1


def test_a_record_or_a_line_of_history_that_is_not_as_it_must_be_is_told(told: _Told) -> None:
    known = sa.select(sa.func.min(work_orders.c.key)).where(work_orders.c.connection_id == "north").scalar_subquery()
    told.spoil(sa.update(work_orders).where(work_orders.c.key == known).values(fields={"title": "Tampered with"}))
    told.spoil(sa.delete(asset_history).where(asset_history.c.type == "asset.restored"))

    verdict = told.judged()

    assert (verdict.lost, verdict.doubled) == (0, 0)
    assert {each.partition(":")[0] for each in verdict.differences} >= {"record", "line of history"}


def test_a_recovery_lasts_until_what_came_before_and_the_first_after_it_is_worked_on(told: _Told) -> None:
    """Everything is worked on when it comes, but for one that came before, and the first after the fault."""
    before, after, later = told.accepted[0], told.accepted[-1], told.accepted[-2]
    came = {before: (-1, 3), after: (4, 7), later: (9, 30)}
    for delivery, (received, processed) in came.items():
        times = {"received_at": _at(received), "processed_at": _at(processed)}
        told.spoil(sa.update(deliveries).where(deliveries.c.delivery_id == delivery).values(**times))
    fault = Fault(1.0, KILLED, "worker-1", "", 0.5)

    assert recoveries(told, [Happened(fault, _at(1)), Happened(fault, _at(4)), Happened(fault, _at(10))]) == [
        Recovery("killed worker", alone=False, seconds=seconds) for seconds in (6.0, 26.0, 20.0)
    ]


def _at(second: int) -> datetime:
    return NOW + timedelta(minutes=1, seconds=second)
