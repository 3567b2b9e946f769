"""What the console answers while something else is away, or nobody foresaw what happens: it is then looked at most."""

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx

from handlers.store.engine import Database
from tests.journeys.roles import PATIENCE_SECONDS
from tests.servers import free_port
from tests.worker.console.house import Site, bearer
from worker.console.app import build_app
from worker.console.checks import Readiness
from worker.console.house import House
from worker.console.serve import listen, serving


@contextlib.contextmanager
def _served_by(house: House, at: Site) -> Iterator[httpx.Client]:
    app = build_app(Readiness([]), [], ops_host="127.0.0.1", token=None, console=(house, at.door))
    listener = listen("127.0.0.1", 0, "MAINTENWORKS_OPS_PORT")
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with (
        serving(app, listener),
        httpx.Client(base_url=base, headers=bearer(at.operator), timeout=PATIENCE_SECONDS) as client,
    ):
        yield client


def test_without_the_database_what_needs_it_says_so_and_nothing_is_done(served: Site) -> None:
    away = Database(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    with _served_by(served.house._replace(database=away), served) as client:
        answer = client.get("/api/v1/work-orders")
        assert (answer.status_code, answer.json()["type"]) == (503, "service_unavailable")
        assert answer.headers["retry-after"] == "5"
        assert client.get("/api/v1/me").json()["role"] == "operator"
        assert {each["health"] for each in client.get("/api/v1/connections").json()["items"]} == {None}
        pausing = client.post("/api/v1/connections/plant/pause", json={"reason": "why"})
        assert (pausing.status_code, served.get("/connections/plant").json()["paused"]) == (503, False)
        page = client.get("/today", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
        begun = client.get("/uptime?period=2026-03", headers={"accept": "text/html"})
        assert (begun.status_code, "could not be reckoned" in begun.text, "</html>" in begun.text) == (200, True, True)


def test_what_nobody_foresaw_tells_nothing_of_itself(served: Site) -> None:
    broken: Any = None
    with _served_by(served.house._replace(registry=broken), served) as client:
        answer = client.get("/api/v1/connections")
    assert (answer.status_code, answer.json()["type"]) == (500, "internal_server_error")
    assert "NoneType" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none';")
