import asyncio
import contextlib
import dataclasses
import socket
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from handlers.errors import ConfigurationError, TransientError
from tests.journeys.roles import PATIENCE_SECONDS
from tests.servers import BrokerServer
from worker.console.app import build_app
from worker.console.checks import FRESH_SECONDS, Check, Readiness
from worker.console.collector import StateCollector
from worker.console.serve import listen, serving
from worker.queue import LANES, LaneState, queue_state
from worker.telemetry import COLLECTOR_ERRORS


def _down() -> Sequence[str]:
    raise TransientError("broker_unavailable", "connection refused")


@contextlib.contextmanager
def _console(
    readiness: Readiness | None = None,
    *,
    collectors: Sequence[StateCollector] = (),
    ops_host: str = "127.0.0.1",
    token: str | None = None,
    names: Sequence[str] = (),
) -> Iterator[httpx.Client]:
    readiness = readiness or Readiness([Check("broker", list)])
    app = build_app(readiness, collectors, ops_host=ops_host, token=token, names=names)
    listener = listen("127.0.0.1", 0, "MAINTENWORKS_OPS_PORT")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with serving(app, listener), httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
        yield client


def test_a_browser_may_do_nothing_with_any_answer_but_show_it() -> None:
    with _console() as client:
        for path in ("/livez", "/nothing"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'none';")
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert "server" not in headers


def test_a_head_without_end_is_refused() -> None:
    """Before anybody is asked who they are: whoever reaches the port must not fill the memory of the process."""
    with _console() as client, socket.create_connection(("127.0.0.1", client.base_url.port or 0)) as sender:
        sender.settimeout(PATIENCE_SECONDS)
        with contextlib.suppress(ConnectionError):
            sender.sendall(b"GET /livez HTTP/1.1\r\nX: " + b"y" * 4_000_000)
        with contextlib.suppress(ConnectionError):
            assert sender.recv(4096)[:12] in {b"", b"HTTP/1.1 400", b"HTTP/1.1 431"}


def test_a_role_that_runs_alone_has_no_pages() -> None:
    with _console() as client:
        assert client.get("/").status_code == 404
        assert client.get("/login").status_code == 404
        assert client.get("/api/v1/me").status_code == 404
        assert client.get("/livez").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [("GET", "/nothing", 404, "not_found"), ("POST", "/metrics", 405, "method_not_allowed")],
)
def test_what_is_not_served_is_a_problem(method: str, path: str, status: int, slug: str) -> None:
    with _console() as client:
        answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == slug
    assert ("allow" in answer.headers) == (status == 405)


def test_ready_is_200_with_a_list_of_what_was_asked() -> None:
    checks = [Check("broker", list), Check("connections", lambda: ["connections.toml:3: no such source"])]
    with _console(Readiness(checks)) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "failing": [],
        "warnings": ["connections"],
        "checks": [
            {"name": "broker", "status": "ok", "problem": None, "warnings": []},
            {
                "name": "connections",
                "status": "warning",
                "problem": None,
                "warnings": ["connections.toml:3: no such source"],
            },
        ],
    }


def test_one_failing_check_is_503_and_the_others_are_told_too() -> None:
    with _console(Readiness([Check("broker", _down), Check("database", list)])) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["failing"] == ["broker"]
    assert [check["status"] for check in answer.json()["checks"]] == ["failing", "ok"]
    assert answer.json()["checks"][0]["problem"] == "connection refused"


def test_draining_is_503_while_the_process_still_lives() -> None:
    readiness = Readiness([Check("broker", list)])
    with _console(readiness) as client:
        readiness.draining = True
        assert client.get("/readyz").json()["failing"] == ["draining"]
        assert client.get("/readyz").status_code == 503
        assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8081", "127.0.0.1:1", "[::1]:8081"])
def test_loopback_names_are_answered(host: str) -> None:
    with _console() as client:
        assert client.get("/livez", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.7", "localhost.evil.example:8081", ""]
)
def test_a_host_that_is_not_ours_is_refused_everywhere(host: str) -> None:
    with _console() as client:
        for path in ("/", "/metrics", "/livez", "/nothing"):
            answer = client.get(path, headers={"host": host})
            assert (answer.status_code, answer.json()["type"]) == (421, "misdirected_request")


def test_a_console_for_other_machines_is_reached_by_address_and_by_its_own_name_only() -> None:
    with _console(ops_host="0.0.0.0") as client:
        assert client.get("/livez", headers={"host": "10.0.0.7:8081"}).status_code == 200
        assert client.get("/livez", headers={"host": "evil.example"}).status_code == 421
    with _console(ops_host="ops.example", names=["console.example"]) as client:
        assert client.get("/livez", headers={"host": "OPS.example:80"}).status_code == 200
        assert client.get("/livez", headers={"host": "Console.example"}).status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/livez"])
def test_the_token_is_demanded_where_there_is_one(path: str) -> None:
    with _console(token="t0ken") as client:
        for wrong in ("", "Bearer wrong", "Basic t0ken", "t0ken", "Bearer \u00e9"):
            answer = client.get(path, headers=[(b"authorization", wrong.encode())])
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"
        assert client.get(path, headers={"authorization": "bearer t0ken"}).status_code == 200


def _samples(page: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = list(text_string_to_metric_families(page))
    assert len({family.name for family in families}) == len(families)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


LANE = LaneState("live", 3, 2, timedelta(seconds=1.5))


def test_metrics_show_the_queues_and_the_dead_letters() -> None:
    collector = StateCollector(lambda: [LANE], lambda: 7, lambda: {"missing_field": 4})
    with _console(collectors=[collector]) as client:
        answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = _samples(answer.text)
    assert samples["maintenworks_queue_messages", (("queue", "live"), ("state", "ready"))] == 3
    assert samples["maintenworks_queue_messages", (("queue", "live"), ("state", "in_flight"))] == 2
    assert samples["maintenworks_queue_messages", (("queue", "again"), ("state", "retrying"))] == 7
    assert samples["maintenworks_queue_oldest_age_seconds", (("queue", "live"),)] == 1.5
    assert samples["maintenworks_dead_letters_open", (("error", "missing_field"),)] == 4


def test_a_part_that_cannot_be_read_is_counted_and_leaves_the_rest_of_the_page() -> None:
    def away() -> int:
        raise TransientError("database_unavailable", "no")

    counter = COLLECTOR_ERRORS.labels("retries")
    before = counter._value.get()
    with _console(collectors=[StateCollector(lambda: [LANE], away, dict)]) as client:
        samples = _samples(client.get("/metrics").text)
    assert ("maintenworks_queue_messages", (("queue", "live"), ("state", "ready"))) in samples
    assert ("maintenworks_queue_messages", (("queue", "again"), ("state", "retrying"))) not in samples
    assert counter._value.get() == before + 1


def test_the_real_brokers_queues_are_on_the_page(valkey: BrokerServer) -> None:
    collector = StateCollector(lambda: queue_state(valkey.url), lambda: 0, dict)
    with _console(collectors=[collector]) as client:
        samples = _samples(client.get("/metrics").text)
    for lane in LANES:
        assert samples["maintenworks_queue_messages", (("queue", lane), ("state", "ready"))] == 0


def test_a_port_that_is_taken_is_a_configuration_error_that_names_the_setting() -> None:
    with listen("127.0.0.1", 0, "MAINTENWORKS_OPS_PORT") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"MAINTENWORKS_OPS_PORT: 127.0.0.1 port {port}: "):
            listen("127.0.0.1", port, "MAINTENWORKS_OPS_PORT")


@dataclasses.dataclass
class _Clock:
    now: float = 50.0

    def __call__(self) -> float:
        return self.now


def test_a_check_is_asked_again_only_when_its_answer_is_stale() -> None:
    clock = _Clock()
    asked: list[int] = []

    def ask() -> Sequence[str]:
        asked.append(1)
        return []

    check = Check("broker", ask, clock)

    async def probe() -> None:
        await check.find()
        clock.now += FRESH_SECONDS / 2
        await check.find()
        assert len(asked) == 1
        clock.now += FRESH_SECONDS
        await check.find()
        assert len(asked) == 2

    asyncio.run(probe())


def test_a_service_that_hangs_is_a_problem_and_holds_one_thread() -> None:
    release = threading.Event()
    asked: list[int] = []

    def ask() -> Sequence[str]:
        asked.append(1)
        release.wait()
        return []

    check = Check("database", ask)

    async def probe() -> None:
        for _ in range(3):
            finding = await check.find(patience=0.01)
            assert finding.problem == "no answer within 0.01 s"
        release.set()
        assert (await check.find(patience=30)).problem is None

    asyncio.run(probe())
    assert len(asked) == 1
