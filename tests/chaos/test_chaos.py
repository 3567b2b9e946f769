"""What was answered 200 is applied, once, and right, whatever fails meanwhile: three seeds, small by default.

`python -m tests.chaos` is the same with a report, and how a seed that failed here is done again.
"""

import sys

import pytest

from tests.chaos.plan import POSTGRESQL, REDIS, SQLITE, VALKEY, Plan
from tests.chaos.report import show
from tests.chaos.runner import run
from tests.sizes import size

EVENTS = size(2_000, 20_000)


SEEDS = [Plan(1, EVENTS, POSTGRESQL, VALKEY), Plan(2, EVENTS, POSTGRESQL, REDIS), Plan(3, EVENTS, SQLITE, VALKEY)]


@pytest.mark.long
@pytest.mark.timeout(size(240, 1_800))
@pytest.mark.usefixtures("valkey_session", "redis_session", "postgres_session")  # it skips where there is none
@pytest.mark.parametrize("plan", SEEDS, ids=lambda plan: f"{plan.seed}-{plan.database}-{plan.broker}")
def test_nothing_is_lost_doubled_or_different_whatever_fails(plan: Plan) -> None:
    report = run(plan, say=_say)

    show(report)
    assert report.differences == []
    assert (report.lost, report.doubled) == (0, 0)
    assert report.faults


def _say(text: str) -> None:
    """For whoever looks at a failure."""
    sys.stderr.write(text + "\n")
