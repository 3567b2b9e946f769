"""Two people at the console of one installation, and what its workers do meanwhile."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from handlers.store import read_letters, retries
from handlers.store.read_letters import KeptLetter, Wanted
from handlers.store.rowset import Transaction
from tests.worker.cli.plant import event
from tests.worker.console.browser import Browser, Page
from tests.worker.console.house import Site, site
from worker.console.house import utc_now

SCRIPT = "<script>alert(1)</script>"
OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
HOSTILE = f"\"'>{SCRIPT}{OVERRIDE}\a"
ODD = "e/../x y?&#"
"""An id that no path could carry."""


class Desk(NamedTuple):
    """Two people at the console of one installation."""

    site: Site
    viewer: Browser
    operator: Browser

    def work(self) -> None:
        """What scheduler and workers do with all that is due."""
        while True:
            with self.site.plant.database.write() as connection:
                ids = retries.lease_due(Transaction(connection), now=utc_now(), lease=timedelta(minutes=1), limit=500)
            if not ids:
                return
            self.site.plant._dispatcher.process_rows(ids)

    def letter(self, name: str) -> KeptLetter:
        """A dead letter as it stands."""
        delivery, _, place = name.rpartition("/")
        key = (delivery, -1 if place == "body" else int(place))
        (found,) = read_letters.listed(self.site.plant.database, Wanted(keys=(key,), state=None))
        return found


@contextmanager
def opened_desk(home: Path, broker_url: str) -> Iterator[Desk]:
    """Fills an installation, some of whose words are hostile, and logs both in."""
    with ExitStack() as held:
        filled = held.enter_context(site(home, f"sqlite:///{home / 'm.db'}", broker_url=broker_url))
        order = event("work_order.created", "WO-H", "08:00", title=HOSTILE, asset_key="PUMP-1")
        filled.plant.send({"id": ODD, **order}, {"id": HOSTILE, **event("asset.updated", f"K{HOSTILE}", "09:00")})
        filled.plant.send({**event("work_order.created", f"WO-Z{HOSTILE}", "x"), "id": HOSTILE, "occurred_at": HOSTILE})
        base = str(filled.client.base_url)
        people = [held.enter_context(Browser(base, token)) for token in (filled.viewer, filled.operator)]
        yield Desk(filled, *people)


def zoneless(desk: Desk, count: int, prefix: str) -> list[str]:
    """Letters that can be read once their connection has a time zone."""
    bodies = [
        {**event("work_order.created", f"{prefix}-{n}", "08:00", f"{prefix}-{n}"), "occurred_at": "2026-03-01T08:00:00"}
        for n in range(count)
    ]
    return [f"{each}/0" for each in desk.site.plant.send(*bodies, to="second")]


def await_state(desk: Desk, name: str, state: str) -> None:
    """A replay runs in a thread of the console."""
    while desk.letter(name).state != state:
        time.sleep(0.01)


def await_text(desk: Desk, address: str, text: str) -> Page:
    while True:
        page = desk.operator.get(address)
        if text in page.text:
            return page
        time.sleep(0.01)
