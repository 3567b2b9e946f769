"""What a role does beside its work goes on, whatever happens to it once."""

import threading

from worker.upkeep import repeating


def test_what_failed_once_is_done_again() -> None:
    """Else a worker would never again hear of a new connection, and nothing would show it."""
    done = threading.Event()
    failures = iter([RuntimeError("a bug")])

    def work() -> None:
        for failure in failures:
            raise failure
        done.set()

    with repeating("tested", 0.01, work):
        assert done.wait(60)
