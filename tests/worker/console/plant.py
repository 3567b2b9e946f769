"""A small plant for the pages about maintenance, told on 1 March 2026 at noon; some of what it says is hostile."""

from pathlib import Path

from handlers.connections import Registry
from handlers.connections.zones import zones_of
from handlers.events import Event, Json
from handlers.store.engine import Database
from tests import folding
from tests.handlers.effects.test_connection_health import said
from worker.console.house import House
from worker.console.replaying import Runner
from worker.occurrences import Looks
from worker.settings import WorkerSettings
from worker.tokens import add

NOW = folding.NOON
HOUR, DAY = 60, 24 * 60
"""Minutes."""
SECRET = "a-token-that-the-sender-left-there"
HOSTILE = '"><script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}'
CONNECTIONS = """
[connections.c]
source = "unified"
secrets = [{ ref = "env:PLANT_SECRET" }]
customer = "acme"
[connections.sand]
source = "unified"
environment = "sandbox"
secrets = [{ ref = "env:PLANT_SECRET" }]
"""


def ref(key: str, label: str | None = None) -> Json:
    return {"key": key, "label": label}


def word(value: str) -> Json:
    return {"value": value, "source_code": None, "source_label": None}


def facts() -> list[Event]:
    """What the plant told."""
    tell = folding.event
    return [
        tell(
            "asset.created",
            "PUMP-7",
            {"name": f"Feed pump {HOSTILE}", "site_ref": ref("NORTH"), "status": word("operating")},
            at=-200 * DAY,
            custom={"colour": HOSTILE, "api_token": SECRET, "link": {"password": SECRET, "size": 3}},
        ),
        tell("asset.created", "FAN/2 ?&#", {"name": "Fan", "site_ref": ref("SOUTH")}, at=-100 * DAY),
        tell("downtime.started", "D-1", {"asset_ref": ref("PUMP-7"), "planned": False}, at=-20 * DAY),
        tell(
            "downtime.ended",
            "D-1",
            {"ended_at": "2026-02-10T12:00:00Z", "reason": "bearing"},
            at=-19 * DAY,
        ),
        tell("downtime.started", "D-2", {"asset_ref": ref("PUMP-7"), "planned": True}, at=-5 * DAY),
        tell("downtime.ended", "D-2", {}, at=-5 * DAY + 3 * HOUR),
        tell("downtime.started", "D-3", {"asset_ref": ref("FAN/2 ?&#"), "planned": False}, at=-2 * HOUR),
        tell(
            "work_order.created",
            "WO-1",
            {
                "title": f"Change bearing {HOSTILE}",
                "status": word("approved"),
                "asset_ref": ref("PUMP-7", HOSTILE),
                "due_at": "2026-02-27T08:00:00Z",
                "priority": "high",
                "team_ref": ref("MECH", "Mechanics"),
                "costs": {"total": {"planned": {"amount": "120.50", "currency": "EUR"}}},
            },
            at=-4 * DAY,
            id_="made",
            custom={HOSTILE: HOSTILE},
        ),
        tell("work_order.status_changed", "WO-1", {"status": word("in_progress")}, at=-3 * DAY, id_="begun"),
        tell("work_order.created", "WO-2", {"title": "Paint", "status": word("requested")}, at=-2 * DAY),
        tell(
            "work_order.created",
            "WO-3",
            {"title": "Look", "status": word("scheduled"), "asset_ref": ref("FAN/2 ?&#"), "due_date": "2026-03-01"},
            at=-2 * DAY,
        ),
        tell("work_order.completed", "WO-4", {"title": "Done", "status": word("completed")}, at=-2 * DAY),
        tell(
            "purchase_order.created",
            "PO-1",
            {
                "number": "4500",
                "vendor_ref": ref("V-1", HOSTILE),
                "total": {"amount": "31.25", "currency": "EUR"},
                "lines": [{"line_number": "10", "description": HOSTILE, "quantity_ordered": "2"}],
            },
            at=-DAY,
        ),
        tell("vendor.created", "V-1", {"name": HOSTILE}, at=-DAY),
        tell("inventory_item.created", "I-1", {"number": "7", "name": "Bearing"}, at=-DAY),
        tell("meter_reading.recorded", "R-1", {"meter_ref": ref("M-1"), "asset_ref": ref("PUMP-7"), "value": "490"}),
        tell(
            "pm_plan.created",
            "GREASE",
            {
                "name": f"Grease {HOSTILE}",
                "cycles": [{"interval": "2", "unit": "week"}],
                "recurrence_basis": "fixed",
                "next_due_at": "2026-02-14",
                "asset_refs": [ref("PUMP-7")],
            },
            at=-30 * DAY,
        ),
        tell(
            "work_order.completed",
            "PM-1",
            {
                "title": "Grease",
                "status": word("completed"),
                "pm_plan_ref": ref("GREASE"),
                "due_date": "2026-02-14",
                "completed_at": "2026-02-13T09:00:00Z",
            },
            at=-16 * DAY,
        ),
        said("connection.offline", -HOUR, message=HOSTILE),
    ]


def told(folder: Path) -> Database:
    """The database of the plant, its maintenance looked at by the scheduler."""
    database = folding.sqlite(folder)
    folding.apply(database, [[each] for each in facts()])
    Looks(database, tuple, lambda: zones_of({}), lambda: NOW, lambda: 0.0).rounds.round()
    return database


def house(folder: Path, database: Database) -> House:
    """What pages work with; tokens of a viewer and an operator are in files of their names."""
    path = folder / "connections.toml"
    path.write_text(CONNECTIONS)
    settings = WorkerSettings(home=folder)
    for role in ("viewer", "operator"):
        (folder / role).write_text(add(folder, f"a-{role}", role, NOW))
    return House(database, Registry(path, folder), settings, Runner(database, lambda: NOW), lambda: NOW)
