"""One filled plant and one browser for every test of the console; a fresh, watched context for each."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.console.chromium import DESKTOP, PROGRAM, Watched, chromium, watched
from tests.console.plant import Plant, filled
from tests.programs import program


@pytest.fixture(scope="package")
def plant() -> Iterator[Plant]:
    program(PROGRAM)
    with filled() as found:
        yield found


@pytest.fixture(scope="package")
def chrome(plant: Plant) -> Iterator[Browser]:
    """Once the plant is filled: where Playwright runs, the senders' loops cannot."""
    assert plant.up.console
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def logged_in(chrome: Browser, plant: Plant) -> Any:
    """What a browser keeps of an operator who has logged in."""
    with watched(chrome, plant.up.console) as look:
        look.log_in(plant.operator)
        return look.context.storage_state()


@pytest.fixture
def look(chrome: Browser, plant: Plant, logged_in: Any) -> Iterator[Watched]:
    """An operator at a desk; the test fails on whatever the browser finds fault with."""
    with watched(chrome, plant.up.console, storage_state=logged_in, viewport=DESKTOP) as found:
        yield found


@pytest.fixture
def stranger(chrome: Browser, plant: Plant) -> Iterator[Watched]:
    """Somebody who has not logged in."""
    with watched(chrome, plant.up.console, viewport=DESKTOP) as found:
        yield found


@pytest.fixture
def without_scripts(chrome: Browser, plant: Plant) -> Iterator[Watched]:
    """Likewise, with scripts switched off."""
    with watched(chrome, plant.up.console, viewport=DESKTOP, java_script_enabled=False) as found:
        yield found


@pytest.fixture
def page(look: Watched) -> Page:
    """The operator's tab."""
    return look.page()
