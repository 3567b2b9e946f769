"""One run: a house, a stream, a schedule, and what it came to."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.faults import Faults
from tests.chaos.house import House, house
from tests.chaos.judge import judge, recoveries, settled
from tests.chaos.oracle import expected
from tests.chaos.plan import Plan
from tests.chaos.report import Report
from tests.chaos.upstream import Upstream
from tests.servers import MissingServerError


def run(
    plan: Plan, *, say: Callable[[str], None] = lambda _: None, on_taken: Callable[[int], None] = lambda _: None
) -> Report:
    """Does one run, and removes everything after a good one; of any other what the processes said is kept.

    Args:
        plan: what it is to be.
        say: told what happens, a line each.
        on_taken: called with 1 whenever a post was taken.

    Raises:
        MissingServerError: one of the servers is not on this machine.
    """
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="mw-chaos-"))
    try:
        with house(folder, plan) as built:
            report = _run(built, plan, say, on_taken, began)
    except MissingServerError:
        shutil.rmtree(folder)
        raise
    if report.is_good:
        shutil.rmtree(folder)
    else:
        say(f"what every process said is in {folder}")
    return report


def _run(built: House, plan: Plan, say: Callable[[str], None], on_taken: Callable[[int], None], began: float) -> Report:
    told = plan.stream()
    wanted = expected(told.events)
    faults = Faults(built, plan.schedule(), say)
    upstream = Upstream(built.running.senders, built.receivers, plan.seed)
    first = time.monotonic()
    faults.begin()
    upstream.send(told.posts, plan.pace, on_taken)
    faults.join()
    over = time.monotonic()
    is_settled = settled(built)
    at_rest = time.monotonic()
    built.drain()
    verdict = judge(built.running, wanted, built.accepted, built.metrics)
    complaints = [
        *faults.failures,
        *built.complaints,
        *(f"{text} ({count} times)" for text, count in upstream.complaints.items()),
        *([] if is_settled else ["not everything was worked on"]),
    ]
    return Report(
        seed=plan.seed,
        database=plan.database,
        broker=plan.broker,
        events=len(told.events),
        posts=len(told.posts),
        tries=upstream.tries,
        answers=dict(upstream.answers),
        outcomes=dict(verdict.outcomes),
        lost=verdict.lost,
        doubled=verdict.doubled,
        differences=[*verdict.differences, *complaints],
        recoveries=recoveries(built.running, faults.happened),
        pace=plan.pace,
        sending_s=over - first,
        settling_s=at_rest - over,
        total_s=time.monotonic() - began,
    )
