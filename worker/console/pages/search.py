"""The one box: any id, and the page of what it names."""

from typing import Final

from starlette.responses import Response

from worker.console import finding
from worker.console.ask import Ask, Page, see
from worker.console.look import page


def search(ask: Ask) -> Response:
    """What an id names: its page where that is one thing, else a list."""
    sought = ask.query.get("q", "").strip()
    found = finding.find(ask.house, sought) if sought else []
    if len(found) == 1:
        return see(found[0].page)
    return page(ask, "search.html", sought=sought, found=found)


PAGES: Final = (Page("/search", search),)
