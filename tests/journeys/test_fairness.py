"""Neighbours: one connection that sends ten times as much as another must not make the other's events late."""

import statistics
import sys
import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa

from handlers.store.schema import events
from tests.journeys.installation import Installation, installation
from tests.journeys.sender import Sender
from tests.sizes import size

TIMES = 10
"""How much more the one sends than the other."""
WITHIN = 3
"""By what factor the other's median may grow (issue 3, "Admission")."""
PER_SECOND = 40
"""What the quiet one sends; ten times as much is under what a small machine can commit."""
ROUNDS = 3
SECONDS = 4.0


def _body(tag: str, number: int) -> dict[str, Any]:
    """Spread over so many orders and assets as one customer has at work on one day."""
    return {
        "id": f"{tag}-{number}",
        "type": "work_order.updated",
        "occurred_at": "2026-03-01T08:00:00Z",
        "data": {"key": f"WO-{number % 500}", "asset_key": f"PUMP-{number % 50}", "title": "Replace seal"},
    }


def _paced(sender: Sender, tag: str, per_second: int) -> None:
    """Posts at a steady rate, whatever becomes of it."""
    began = time.monotonic()
    sent = 0
    while (passed := time.monotonic() - began) < SECONDS:
        due = int(passed * per_second)
        if due > sent:
            sender.deliver([_body(tag, number) for number in range(sent, due)], at_once=8)
            sent = due
        time.sleep(0.005)


def _together(quiet: Sender, loud: Sender, tag: str, times: int) -> None:
    thread = threading.Thread(target=_paced, args=(loud, f"{tag}-loud", PER_SECOND * times))
    thread.start()
    _paced(quiet, tag, PER_SECOND)
    thread.join()


def _median_ms(here: Installation, connection: str, tag: str) -> float:
    """Half of a connection's events of all rounds were committed in so many milliseconds after they were accepted."""
    query = sa.select(events.c.received_at, events.c.processed_at).where(
        events.c.connection_id == connection, events.c.event_id.like(f"{tag}-%")
    )
    found: list[float] = [(row.processed_at - row.received_at).total_seconds() * 1000 for row in here.ask(query)]
    assert len(found) >= PER_SECOND * SECONDS * 0.8
    return statistics.median(found)


@pytest.mark.long
def test_one_that_sends_ten_times_as_much_leaves_the_others_median_within_three_times(postgres_url: str) -> None:
    """Both at the same rate, then one at ten times it, by turns, so that whatever else the machine does meets both."""
    with installation(MAINTENWORKS_DATABASE_URL=postgres_url) as here:
        quiet, loud = here.connect("quiet"), here.connect("loud")
        with here.up():
            _paced(loud, "warm", PER_SECOND * TIMES)
            for number in range(size(ROUNDS, 3 * ROUNDS)):
                _together(quiet, loud, f"even-{number}", 1)
                _together(quiet, loud, f"loud-{number}", TIMES)
            here.settle(quiet, loud)
            even, flooded = (_median_ms(here, "quiet", tag) for tag in ("even", "loud"))
    sys.stdout.write(f"accepted to committed, median: {even:.1f} ms beside an equal, {flooded:.1f} ms beside a flood\n")
    assert flooded <= WITHIN * even
