"""Whether everybody can use the pages: axe-core finds no serious fault, and nothing is wider than the screen."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Browser, Page

from tests.console.chromium import DESKTOP, PHONE, watched
from tests.console.places import MENU, Place, details
from tests.console.plant import NORTH, Plant
from tests.console.shots import SCHEMES, SIZES, visit
from worker.console import links

GRAVE = frozenset({"serious", "critical"})
CORE = (
    Place("overview", "/"),
    Place("today", "/today"),
    Place("dead-letters", "/dead-letters"),
    Place("asset", links.record("asset", NORTH, "CONV-3")),
)
"""Between them they have every kind of part: cards, drawings, tickets, tables, forms."""


def _faults(page: Page, place: Place) -> Iterator[str]:
    visit(page, place)
    for each in Axe().run(page).response["violations"]:
        if each["impact"] in GRAVE:
            where = "; ".join(node["html"][:160] for node in each["nodes"][:3])
            yield f"{place.name}: {each['impact']} {each['id']}: {each['help']}: {where}"
    # What must be wide scrolls in a box of its own.
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    if wide > screen:
        yield f"{place.name}: {wide - screen} px wider than the screen"


def _all(browser: Browser, plant: Plant, places: tuple[Place, ...], **look: Any) -> list[str]:
    # axe-core is put into the page, which the policy forbids; the policy has the other tests.
    with watched(browser, plant.up.console, bypass_csp=True, **look) as found:
        found.may_answer.add(404)
        faults = list(_faults(found.page(), Place("login", "/login")))
        page = found.log_in(plant.operator)
        return faults + [fault for place in places for fault in _faults(page, place)]


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_the_main_pages_have_no_grave_fault(
    chrome: Browser, plant: Plant, viewport: dict[str, int], scheme: str
) -> None:
    assert _all(chrome, plant, CORE, viewport=viewport, color_scheme=scheme) == []


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", SIZES)
def test_no_page_has_a_grave_fault(chrome: Browser, plant: Plant, size: str, scheme: str) -> None:
    assert _all(chrome, plant, (*MENU, *details(plant)), viewport=SIZES[size], color_scheme=scheme) == []
