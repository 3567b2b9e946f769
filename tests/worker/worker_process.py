"""A worker process for tests: `python -m tests.worker.worker_process URL LEASE_SECONDS quick|stuck`.

Prints `began ENTRY` for each batch; a quick one then ends it, a stuck one works on it until killed.
"""

import sys
import threading
from datetime import timedelta

from tests.worker.brokers import Recorder
from worker.actors import declare
from worker.broker import make_broker, run_worker
from worker.streams_leases import Envelope


def main() -> None:
    """Runs until a signal."""
    url, lease_seconds, mode = sys.argv[1:]

    def begin(envelope: Envelope) -> None:
        print(f"began {envelope.entry_id}", flush=True)  # noqa: T201  # that is what the test reads
        if mode == "stuck":
            threading.Event().wait()

    broker = make_broker(url, lease=timedelta(seconds=float(lease_seconds)))
    declare(broker, Recorder(begin))
    run_worker(broker, threads=1)


if __name__ == "__main__":
    main()
