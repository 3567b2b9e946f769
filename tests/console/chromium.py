"""Debian's Chromium, driven by Playwright, with an eye on everything that it finds fault with."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from tests.journeys.roles import PATIENCE_SECONDS
from tests.programs import program

PROGRAM: Final = "chromium"
OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
"""It may run as root in a container; it talks to nobody but the console."""
DESKTOP: Final = {"width": 1366, "height": 850}
PHONE: Final = {"width": 390, "height": 844}
PATIENCE_MS: Final = 1000 * PATIENCE_SECONDS
"""The machine may be busy; what takes longer never happens."""
TOLD_OF_VIOLATIONS: Final = """
document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`));
"""
LEFT: Final = "net::ERR_ABORTED"
"""How a request ends whose page was left meanwhile."""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, without a window."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(PROGRAM), args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A browser's context whose every fault is noted.

    Args:
        browser: whose.
        console: URL of the console.
        options: of the context, such as `viewport`, `color_scheme`, `java_script_enabled`.

    Attributes:
        context: it.
        faults: what went wrong: errors of the page and its console, failed requests, answers of 400 and more,
            violations of the policy.
        may_answer: statuses that are no fault, where a test asks for one.
    """

    def __init__(self, browser: Browser, console: str, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(base_url=console, **options)
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.add_init_script(TOLD_OF_VIOLATIONS)
        self.context.on("console", self._said)
        self.context.on("weberror", lambda error: self.faults.append(f"page: {error.error}"))
        self.context.on("requestfailed", self._failed)
        self.context.on("response", self._answered)
        self.faults: list[str] = []
        self.may_answer: set[int] = set()

    def page(self) -> Page:
        """A new tab."""
        return self.context.new_page()

    def log_in(self, token: str, path: str = "/") -> Page:
        """Opens a page as somebody who has never been here, and logs in where it leads."""
        page = self.page()
        page.goto(path)
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("navigation", name="Pages", exact=True).wait_for()
        return page

    def close(self) -> None:
        """Ends it."""
        self.context.close()

    def _said(self, message: ConsoleMessage) -> None:
        # Chromium tells of an answer that a test asked for here, too.
        is_expected = any(f"status of {status}" in message.text for status in self.may_answer)
        if message.type in {"error", "warning"} and not is_expected:
            self.faults.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _failed(self, request: Request) -> None:
        if request.failure != LEFT:
            self.faults.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.may_answer:
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")


@contextlib.contextmanager
def watched(browser: Browser, console: str, **options: Any) -> Iterator[Watched]:
    """A context that must end without a fault."""
    made = Watched(browser, console, **options)
    try:
        yield made
        assert made.faults == [], "\n".join(made.faults)
    finally:
        made.close()
