"""The page of metrics of a running `up`: the contract's names, everything known from the start, and after a death."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from handlers.events import Outcome
from handlers.store.schema import assets, events, work_orders
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import PATIENCE_SECONDS, Role, eventually
from tests.journeys.sender import Sender
from tests.programs import program
from worker import codes, tally
from worker.canary import OUTCOMES
from worker.queue import LANES
from worker.telemetry import MULTIPROCESS_DIR

CONTRACT: Final = {
    "webhooks_received": ("counter", {"connection", "outcome"}),
    "webhook_duration_seconds": ("histogram", set()),
    "enqueue_batch_size": ("histogram", set()),
    "events_processed": ("counter", {"connection", "type", "outcome"}),
    "event_end_to_end_seconds": ("histogram", set()),
    "handler_duration_seconds": ("histogram", {"handler"}),
    "queue_messages": ("gauge", {"queue", "state"}),
    "queue_oldest_age_seconds": ("gauge", {"queue"}),
    "retries": ("counter", {"error"}),
    "dead_letters_open": ("gauge", {"error"}),
    "dead_letters": ("counter", {"error"}),
    "replays": ("counter", {"outcome"}),
    "signature_secret_used": ("counter", {"connection", "position"}),
    "connection_up": ("gauge", {"connection"}),
    "sync_last_success_timestamp_seconds": ("gauge", {"connection"}),
    "asset_availability_ratio": ("gauge", {"site", "window"}),
    "assets_down": ("gauge", {"site"}),
    "work_orders": ("gauge", {"status", "site"}),
    "work_orders_overdue": ("gauge", {"site"}),
    "pm_overdue": ("gauge", {"site"}),
    "pm_compliance_ratio": ("gauge", {"site"}),
    "mtbf_seconds": ("gauge", {"site"}),
    "mttr_seconds": ("gauge", {"site"}),
    "build_info": ("gauge", {"version", "python"}),
}
"""Section 7, and nothing but these labels."""
OF_SITES: Final = ("asset", "work_orders", "pm_", "mtbf_", "mttr_")
"""These are reckoned once a minute; `tests/worker/test_site_gauges.py` has them."""
THREADS: Final = 24
KILLED: Final = ("worker", "receiver", "scheduler")
POSTS, AT_ONCE = 40, 50

Series = tuple[str, frozenset[tuple[str, str]]]


class Page(NamedTuple):
    """One reading of it."""

    text: str
    types: dict[str, str]
    series: dict[Series, float]

    def value(self, name: str, **labels: str) -> float:
        """Of one series, by its name without the prefix."""
        return self.series[f"maintenworks_{name}", frozenset(labels.items())]

    def has(self, name: str, **labels: str) -> bool:
        """Whether there is that series."""
        return (f"maintenworks_{name}", frozenset(labels.items())) in self.series


def _page(running: Installation) -> Page:
    text = httpx.get(f"{running.console}/metrics", timeout=PATIENCE_SECONDS).text
    families = list(text_string_to_metric_families(text))
    series = {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}
    return Page(text, {family.name: family.type for family in families}, series)


class Running(NamedTuple):
    """An `up`, and its page once a canary had come through and nothing else had been sent."""

    installation: Installation
    role: Role
    first: Page


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    """With a connection for orders and one for canaries, as a user switches them on."""
    with installation() as fresh:
        fresh.connect("plant")
        fresh.run("connections", "add", "beat", "--source", "canary", "--generate-secret")
        with fresh.up() as role:
            eventually(lambda: _page(fresh).has("canary_last_seen_timestamp_seconds"))
            yield Running(fresh, role, _page(fresh))


@pytest.fixture
def running(up: Running) -> Installation:
    return up.installation


def test_the_contracts_metrics_are_there_and_what_is_known_is_zero_before_it_happens(up: Running) -> None:
    page = up.first
    assert {f"maintenworks_{name}": kind for name, (kind, _) in CONTRACT.items()}.items() <= page.types.items()
    for name, (kind, labels) in CONTRACT.items():
        suffix = {"counter": "_total", "histogram": "_count"}.get(kind, "")
        found = [set(dict(key)) for (each, key) in page.series if each == f"maintenworks_{name}{suffix}"]
        may_be_missing = name.startswith(OF_SITES) or name in {"connection_up", "sync_last_success_timestamp_seconds"}
        assert all(each == labels for each in found), name
        assert found or may_be_missing, name

    for outcome in ("accepted", "wrong_signature", "broker_unavailable", "over_mark", "body_too_large"):
        assert page.value("webhooks_received_total", connection="plant", outcome=outcome) == 0
    assert page.value("webhooks_received_total", connection="unknown", outcome="unknown_connection") == 0
    for event_type in tally.known_types():
        assert page.value("events_processed_total", connection="plant", type=event_type, outcome="applied") == 0
    for outcome in tally.OUTCOMES:
        assert page.value("events_processed_total", connection="plant", type="other", outcome=outcome) == 0
    for code in (*codes.KNOWN, codes.OTHER):
        for name in ("dead_letters_total", "dead_letters_open", "retries_total"):
            assert page.value(name, error=code) == 0
    for lane in LANES:
        assert page.value("queue_messages", queue=lane, state="ready") == 0
        assert page.value("queue_messages", queue=lane, state="in_flight") == 0
    assert page.value("signature_secret_used_total", connection="plant", position="0") == 0
    assert all(page.has("canaries_sent_total", outcome=outcome) for outcome in OUTCOMES)


def test_promtool_finds_nothing_to_say_of_the_page(running: Installation) -> None:
    done = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=_page(running).text,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_canary_travels_the_whole_road_and_leaves_no_record(up: Running) -> None:
    running, page = up.installation, up.first
    rows = running.ask(sa.select(events.c.occurred_at, events.c.outcome).where(events.c.connection_id == "beat"))
    assert {outcome for _, outcome in rows} == {Outcome.IGNORED.value}
    assert page.value("canary_last_seen_timestamp_seconds") in {sent_at.timestamp() for sent_at, _ in rows}
    assert 0 < page.value("canary_duration_seconds") < PATIENCE_SECONDS
    assert page.value("canaries_sent_total", outcome="accepted") >= 1
    assert page.value("webhooks_received_total", connection="beat", outcome="accepted") >= 1
    assert page.value("events_processed_total", connection="beat", type="other", outcome="ignored") >= 1
    for table in (work_orders, assets):
        assert running.ask(sa.select(table.c.key).where(table.c.connection_id == "beat")) == []


def test_many_events_of_many_assets_and_strangers_add_no_series(running: Installation) -> None:
    sender = next(each for each in running.senders if each.connection == "plant")
    before = _page(running)
    answers = sender.post_at_once([_body(number) for number in range(POSTS)])
    assert {answer.status for answer in answers} == {200}
    assert sender.post(b"[1", "0" * 64).status == 401
    stranger = Sender("nobody", "0123456789abcdef0123")
    stranger.address = sender.address
    assert stranger.post({}).status == 401
    accepted = {answer.json["delivery_id"] for answer in answers}
    count = sa.select(sa.func.count(events.c.delivery_id.distinct())).where(events.c.connection_id == "plant")
    eventually(lambda: running.ask(count)[0][0] == len(accepted))

    applied = {"connection": "plant", "type": "asset.created", "outcome": "applied"}
    ignored = {"connection": "plant", "type": "other", "outcome": "ignored"}
    eventually(lambda: _page(running).value("events_processed_total", **applied) == POSTS * (AT_ONCE - 1))
    eventually(lambda: _page(running).value("events_processed_total", **ignored) == POSTS)
    after = _page(running)
    assert after.value("queue_wait_seconds_count", queue="live") > 0
    assert _lasting(after) == _lasting(before)
    eventually(lambda: _page(running).value("worker_threads_busy") == 0)
    eventually(lambda: _page(running).value("database_connections") == 0)


def test_what_a_killed_role_counted_stays_and_what_it_held_goes(up: Running) -> None:
    running, role, _ = up
    before, dead = _page(running), role.parts()
    assert before.value("worker_threads") == THREADS
    for name in KILLED:
        dead[name].kill()

    def is_back() -> bool:
        parts = role.parts()
        alive = all(name in parts and parts[name] != dead[name] for name in KILLED)
        return alive and len(role.logged("worker_ready")) == len(role.logged("receiver_ready")) == 2

    eventually(is_back)
    eventually(lambda: _page(running).value("worker_threads") == THREADS)
    after = _page(running)
    assert after.value("database_connections_limit") == before.value("database_connections_limit")
    counters = {f"{name}_total" for name, kind in before.types.items() if kind == "counter"}
    fallen = {key for key, value in before.series.items() if key[0] in counters and after.series[key] < value}
    assert fallen == set()
    folder = Path(role.parts()["worker"].environ()[MULTIPROCESS_DIR])
    gone = {str(dead[name].pid) for name in KILLED}
    eventually(lambda: not gone & {path.stem.rpartition("_")[2] for path in folder.glob("*.db")})


def _lasting(page: Page) -> set[Series]:
    """All but what the leader reckons, which may come to it at any moment."""
    return {key for key in page.series if not key[0].removeprefix("maintenworks_").startswith(OF_SITES)}


def _body(number: int) -> bytes:
    """Assets and sites that nobody else names, and one event of a type that nobody knows."""
    told = [
        {
            "id": f"many-{number}-{each}",
            "type": f"acme.{number}" if each == 0 else "asset.created",
            "occurred_at": "2026-03-01T08:00:00Z",
            "data": {"key": f"A-{number}-{each}", "site_key": f"S-{number}-{each}"},
        }
        for each in range(AT_ONCE)
    ]
    return json.dumps(told).encode()
