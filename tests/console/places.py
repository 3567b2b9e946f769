"""Every page of the console in a filled plant, as somebody would come to it."""

from typing import Final, NamedTuple
from urllib.parse import quote

import sqlalchemy as sa

from handlers.store.schema import dead_letters, deliveries, replays
from tests.console.plant import LINE, NORTH, SOUTH, Plant
from worker.console import links
from worker.console.navigation import NAVIGATION


class Place(NamedTuple):
    """A page.

    Attributes:
        name: of its picture.
        path: its address.
        press: a button that leads on to what is meant.
        reason: what is written into the field beside it first.
        edit: what is replaced in the payload first, and by what.
    """

    name: str
    path: str
    press: str = ""
    reason: str = ""
    edit: tuple[str, str] | None = None


MENU: Final = tuple(Place(each.title.lower().replace(" ", "-"), each.path) for _, group in NAVIGATION for each in group)
"""Those of the menu."""


def details(plant: Plant) -> list[Place]:
    """Those behind them."""
    secret = _letter(plant, dead_letters.c.code == "missing_field")
    bulk = _letter(plant, dead_letters.c.connection_id == LINE)
    typed = _letter(plant, dead_letters.c.path == "$.version")
    latest = sa.select(deliveries.c.delivery_id).where(deliveries.c.connection_id == NORTH)
    delivery = plant.ask(latest.order_by(deliveries.c.delivery_id).limit(1))[0][0]
    found = [
        Place("event", links.event("ignored-1", NORTH)),
        Place("delivery", links.event(delivery)),
        Place("letters-listed", links.to("/dead-letters", by="none")),
        Place("letters-of-a-cause", links.to("/dead-letters", connection=LINE, by="none")),
        Place("letter", links.letter(bulk)),
        Place("letter-with-secret", links.letter(secret)),
        Place("letter-revealed", links.letter(secret), "Show it whole", "looking"),
        Place("letter-edit", links.to("/dead-letters/edit", id=bulk)),
        Place("letter-edit-masked", links.to("/dead-letters/edit", id=secret)),
        Place("letter-edit-nothing", links.to("/dead-letters/edit", id=bulk), "Look at the difference"),
        Place("letter-preview", links.to("/dead-letters/edit", id=typed), "Look at the difference", edit=('"x"', "7")),
        Place("replay-plan", links.to("/replays/plan", connection=LINE)),
        Place("search", links.to("/search", q="V-1")),
        Place("search-nothing", links.to("/search", q="no such thing")),
        Place("events-of-a-type", links.to("/events", type="downtime.started", connection=NORTH)),
        Place("work-order", links.record("work_order", NORTH, "WO-NORTH-104")),
        Place("work-order-done", links.record("work_order", NORTH, "WO-CONV-3-1")),
        Place("asset", links.record("asset", NORTH, "CONV-3")),
        Place("asset-hostile", links.record("asset", SOUTH, "FAN/2 ?&#")),
        Place("asset-timeline", links.to("/assets/timeline", connection=NORTH, key="PUMP-7")),
        Place("figures-of-year", links.to("/uptime", period=f"{plant.began:%Y}", by="asset")),
        Place("plans", links.to("/records", kind="pm-plans")),
        Place("plan", links.record("pm_plan", NORTH, "PM-PUMP-7")),
        Place("purchase-order", links.record("purchase_order", NORTH, "PO-4501")),
        Place("downtime", links.record("downtime", NORTH, "D-CONV-3-now")),
        Place("meter", links.record("meter", NORTH, "M-PUMP-7")),
        Place("connection", links.connection(NORTH)),
        Place("connection-unwell", links.connection(SOUTH)),
        Place("audit-verified", "/audit/verify"),
        Place("not-found", f"/events/show?id={quote('no such event')}"),
    ]
    made = plant.ask(sa.select(replays.c.replay_id).order_by(replays.c.replay_id))
    return found + [Place("replay", links.replay(row.replay_id)) for row in made[:1]]


def _letter(plant: Plant, *where: sa.ColumnElement[bool]) -> str:
    return plant.letters(dead_letters.c.state == "open", *where)[0]
