"""A worker stands still, and somebody is paged in time, by the real Prometheus and the real Alertmanager."""

import re
import signal
import sys
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types

from tests.deploy.shipped import runbook_pages
from tests.deploy.watching import HASTE, hastened, watched
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import Role, eventually
from tests.programs import program
from tests.worker.cli.plant import event

STALLED = "MaintenworksQueueStalled"


def test_a_worker_that_stands_still_is_paged_within_the_stated_time_and_the_end_of_it_is_told(tmp_path: Path) -> None:
    """In a fifteenth of the time: thresholds and intervals are shortened alike, and the stated time with them.

    `up` is stopped with the worker, or it would end a role that says nothing, and nobody would have to be woken.
    """
    for name in ("prometheus", "prometheus-alertmanager"):
        program(name)
    stated = _stated_seconds(STALLED)
    with installation() as running:
        sender = running.connect("plant")
        with running.up() as up, watched(tmp_path, running.console) as pager:
            sender.deliver([event("asset.updated", f"PUMP-{number}", "08:00", f"e-{number}") for number in range(20)])
            running.settle(sender)
            assert pager.told == []

            worker, since = _frozen(up), time.monotonic()
            sender.deliver([event("asset.updated", f"PUMP-{number}", "09:00", f"f-{number}") for number in range(20)])
            eventually(lambda: bool(pager.of(STALLED, "firing")), or_say=lambda: str(pager.told))
            [page] = pager.of(STALLED, "firing")
            sys.stdout.write(f"paged {(page.at - since) * HASTE / 60:.1f} min after the worker stood still\n")
            assert page.at - since <= stated / HASTE
            assert page.receiver == "page"
            assert page.labels == {"alertname": STALLED, "job": "maintenworks", "severity": "page"}
            assert page.annotations["runbook_url"].endswith(f"/deploy/runbook/{STALLED}.md")

            _go_on(up, worker)
            running.settle(sender)
            eventually(lambda: bool(pager.of(STALLED, "resolved")), or_say=lambda: str(pager.told))
            assert {each.labels["alertname"] for each in pager.told} == {STALLED}
            assert _processed(running) == 40


def test_time_is_shortened_in_rules_and_nothing_else() -> None:
    rule = (
        "for: 1m\nexpr: max(age) > 2 * 60 unless sum(rate(x_total[2m])) > 0 and sum_over_time(a:rate5m[1h:5m]) > 10\n"
    )
    assert hastened(rule) == (
        "for: 4000ms\n"
        "expr: max(age) > 8 unless sum(rate(x_total[8000ms])) > 0 and sum_over_time(a:rate5m[240000ms:20000ms]) > 10\n"
    )


def _stated_seconds(alert: str) -> int:
    """Within how long its page in the runbook says that it is told."""
    stated = re.search(r"\*\*Page\*\* within (\d+) minutes", runbook_pages()[alert])
    assert stated is not None
    return int(stated[1]) * 60


def _frozen(up: Role) -> psutil.Process:
    up.process.send_signal(signal.SIGSTOP)
    worker = up.parts()["worker"]
    worker.suspend()
    return worker


def _go_on(up: Role, worker: psutil.Process) -> None:
    worker.resume()
    up.process.send_signal(signal.SIGCONT)


def _processed(running: Installation) -> float:
    return running.metric("maintenworks_events_processed_total", connection="plant")
