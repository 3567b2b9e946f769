"""Pictures of every page, light and dark, on a desktop and on a phone: `python -m tests.console.shots FOLDER`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page

from tests.console.chromium import DESKTOP, PHONE, Watched, chromium, watched
from tests.console.places import MENU, Place, details
from tests.console.plant import LINE, Plant, await_calendar, filled
from worker.console import links

SIZES: Final = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES: Final = ("light", "dark")
SETTLED_MS: Final = 250


def visit(page: Page, place: Place) -> None:
    """Goes to a page, and on to what is meant."""
    page.goto(place.path)
    if place.edit:
        payload = page.get_by_label("Payload")
        payload.fill(payload.input_value().replace(*place.edit))
    if place.press:
        button = page.get_by_role("button", name=place.press)
        if place.reason:
            form = page.locator("form", has=button)
            form.get_by_label("Reason").fill(place.reason)
        button.click()
        page.wait_for_load_state()


def looks() -> Iterator[tuple[str, dict[str, Any]]]:
    """Names of ways to look, and what a browser's context is made with for each."""
    for size, viewport in SIZES.items():
        for scheme in SCHEMES:
            yield f"{size}-{scheme}", {"viewport": viewport, "color_scheme": scheme, "device_scale_factor": 1}


def take(look: Watched, plant: Plant, folder: Path) -> None:
    """All pages in one look."""
    folder.mkdir(parents=True, exist_ok=True)
    look.may_answer.add(404)
    stranger = look.page()
    stranger.goto("/login")
    stranger.screenshot(path=folder / "login.png", full_page=True)
    page = look.log_in(plant.operator)
    for place in (*MENU, *details(plant)):
        visit(page, place)
        page.wait_for_timeout(SETTLED_MS)
        page.screenshot(path=folder / f"{place.name}.png", full_page=True, animations="disabled")


def replayed(browser: Browser, plant: Plant) -> None:
    """Runs a replay of a few letters, so that there is one to look at."""
    with watched(browser, plant.up.console) as look:
        page = look.log_in(plant.operator, links.to("/dead-letters", connection=LINE, by="none"))
        boxes = page.get_by_role("checkbox")
        for number in range(5):
            boxes.nth(number).check()
        page.get_by_role("button", name="Plan a replay of those ticked").click()
        page.get_by_label("Reason").fill("a few first, to see")
        page.get_by_role("button", name="Start").click()
        page.get_by_text("done").first.wait_for()


def main(folder: Path) -> None:
    """Fills a plant and takes them all.

    Args:
        folder: one below it for each way to look.
    """
    with filled() as plant, chromium() as browser:
        await_calendar(plant)
        replayed(browser, plant)
        for name, options in looks():
            with watched(browser, plant.up.console, **options) as look:
                take(look, plant, folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
