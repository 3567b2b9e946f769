"""A console that is served for real, over an installation with a little of everything in it."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from handlers.connections import Registry
from tests.journeys.roles import PATIENCE_SECONDS
from tests.worker.cli.plant import Plant, event
from worker import tokens
from worker.console.access.door import Door
from worker.console.access.failures import Failures
from worker.console.app import build_app
from worker.console.checks import Check, Readiness
from worker.console.house import House, utc_now
from worker.console.opening import door
from worker.console.replaying import Runner
from worker.console.serve import listen, serving
from worker.settings import WorkerSettings

NOW = datetime(2026, 7, 1, tzinfo=UTC)
CONNECTIONS = """
[connections.plant]
source = "unified"
customer = "acme"
secrets = [{ ref = "env:PLANT" }]
[connections.hook]
source = "unified"
scheme = { token = { pointer = "/data/hook" } }
secrets = [{ ref = "env:HOOK" }]
[connections.second]
source = "unified"
secrets = [{ ref = "env:PLANT" }]
"""
MARKED = "marked-secret"
"""Stands in every secret that the installation holds; no answer to a viewer may have it."""
SHOWN_EDITED = (
    b'{"id": "mended", "type": "work_order.created", "occurred_at": "2026-03-01T08:00:00Z", "data": {"key": "W"}}'
)


class Clock:
    """Seconds that stand still unless a test has them pass."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """Now."""
        return self.seconds


class Site(NamedTuple):
    """An installation, and its console being served.

    Attributes:
        plant: the installation.
        house: what the console works with.
        door: whom it lets in.
        client: asks it as nobody.
        viewer: a token of that role.
        operator: likewise.
        clock: of the limit on failures.
        letters: names of dead letters.
        event_delivery: a delivery that was applied.
    """

    plant: Plant
    house: House
    door: Door
    client: httpx.Client
    viewer: str
    operator: str
    clock: Clock
    letters: Sequence[str]
    event_delivery: str

    def get(self, path: str, token: str | None = None, **query: Any) -> httpx.Response:
        """Asks the API, as a viewer unless told otherwise."""
        return self.client.get(f"/api/v1{path}", params=query or None, headers=bearer(token or self.viewer))

    def post(self, path: str, token: str | None = None, **body: Any) -> httpx.Response:
        """Acts by the API, as an operator unless told otherwise."""
        return self.client.post(f"/api/v1{path}", json=body, headers=bearer(token or self.operator))

    def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, **query, **cursor).raise_for_status().json()
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    def acts(self) -> list[dict[str, Any]]:
        """The audit log, newest first."""
        return self.items("/audit")


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"authorization": f"Bearer {token}"}


@contextlib.contextmanager
def site(home: Path, url: str, *, broker_url: str | None = None, **settings: Any) -> Iterator[Site]:
    """Fills an installation and serves its console while the block runs."""
    plant = Plant(home, url, connections=CONNECTIONS)
    letters, applied = _filled(plant)
    urls: dict[str, Any] = {"database_url": url, "broker_url": broker_url}
    given = WorkerSettings(home=home, **urls, **settings)
    viewer, operator = (tokens.add(home, f"{role}-anna", role, NOW) for role in tokens.ROLES)
    clock = Clock()
    registry = Registry(given.connections_path, home)
    runner = Runner(plant.database, utc_now)
    house = House(plant.database, registry, given, runner)
    entry = door(given)._replace(failures=Failures(clock))
    app = build_app(Readiness([Check("broker", list)]), [], ops_host="127.0.0.1", token=None, console=(house, entry))
    listener = listen("127.0.0.1", 0, "MAINTENWORKS_OPS_PORT")
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with serving(app, listener), httpx.Client(base_url=base, timeout=PATIENCE_SECONDS) as client:
            yield Site(plant, house, entry, client, viewer, operator, clock, letters, applied)
    finally:
        runner.close(5)
        plant.database.close()


def _filled(plant: Plant) -> tuple[list[str], str]:
    """A few records of each kind, events of each outcome, dead letters, and secrets where senders leave them."""
    plant.send(*(event("asset.created", f"PUMP-{n}", "07:00", site_key="NORTH", name=f"Pump {n}") for n in range(5)))
    for n in range(9):
        plant.send(
            event(
                "work_order.created",
                f"WO-{n}",
                f"08:0{n}",
                f"wo-{n}",
                status="in_progress",
                asset_key=f"PUMP-{n % 5}",
                due_at="2026-03-02T08:00:00Z",
                api_token=f"{MARKED}-custom",
            )
        )
    (applied,) = plant.send(
        event("downtime.started", "D-1", "08:00", "down", asset_key="PUMP-1", planned=False, password=f"{MARKED}-body")
    )
    plant.send(
        event("downtime.ended", "D-1", "10:00"),
        event("downtime.started", "D/2", "11:00", asset_key="PUMP-1"),
        event("work_order.created", "WO/slash?", "09:00", asset_key="PUMP-1", asset_down=True, status="approved"),
        event("vendor.created", "V-1", "08:00", name="Seals & Co"),
        event("inventory_item.created", "I-1", "08:00", name="Seal"),
        event("purchase_order.created", "PO-1", "08:00", number="1"),
        event("pm_plan.created", "PM-1", "08:00", name="Grease"),
        *(event("meter_reading.recorded", f"R-{n}", f"08:1{n}", meter_key="M-1", value=n, unit="h") for n in range(6)),
        event("connection.online", "plant", "08:00"),
        event("nobody.knows", "X", "08:00"),
    )
    bad = event("work_order.created", "WO-BAD", "08:00", "bad", title="x", secret=f"{MARKED}-letter")
    names = [f"{each}/0" for each in plant.send(*({**bad, "id": f"bad-{n}", "version": "x"} for n in range(4)))]
    hook = {**event("work_order.created", "H-1", "08:00", "hook", hook=f"{MARKED}-hook"), "version": "x"}
    names += [f"{each}/0" for each in plant.send(hook, to="hook")]
    names += [f"{each}/body" for each in plant.send(f'{{"token": "{MARKED}-text", not json'.encode())]
    return names, applied
