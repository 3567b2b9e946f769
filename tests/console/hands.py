"""What tests of the console do and look at again and again."""

import sqlalchemy as sa
from playwright.sync_api import Locator, Page

from handlers.events import Outcome
from handlers.store.schema import audit_log, dead_letters, events
from tests.console.plant import Plant


def card(page: Page, title: str) -> Locator:
    """The figure under a title."""
    return page.locator(".card", has=page.get_by_role("heading", name=title, exact=True)).locator(".figure")


def act(page: Page, button: str, reason: str) -> None:
    """Says why, and presses a button beside."""
    pressed = page.get_by_role("button", name=button, exact=True)
    page.locator("form", has=pressed).get_by_label("Reason").fill(reason)
    pressed.click()


def acts(plant: Plant, act: str) -> list[tuple[str, str]]:
    """Who did something, and why."""
    found = plant.ask(sa.select(audit_log.c.who, audit_log.c.reason).where(audit_log.c.act == act))
    return [(row.who, row.reason) for row in found]


def is_applied(plant: Plant, event_id: str) -> bool:
    query = sa.select(events.c.outcome).where(events.c.event_id == event_id)
    return [row.outcome for row in plant.ask(query)] == [Outcome.APPLIED.value]


def state(plant: Plant, letter: str) -> str:
    delivery, _, index = letter.rpartition("/")
    query = sa.select(dead_letters.c.state).where(dead_letters.c.delivery_id == delivery)
    ((state,),) = plant.ask(query.where(dead_letters.c.event_index == int(index)))
    return str(state)
