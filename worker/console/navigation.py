"""The menu of the console, in its order; a page that is not here is reached from others."""

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """A line of the menu.

    Attributes:
        title: what it says.
        path: where it leads; pages below it belong to it.
        key: goes there when typed after `g`.
    """

    title: str
    path: str
    key: str


NAVIGATION: Final[tuple[tuple[str, tuple[Entry, ...]], ...]] = (
    (
        "Operations",
        (
            Entry("Overview", "/", "o"),
            Entry("Events", "/events", "e"),
            Entry("Dead letters", "/dead-letters", "d"),
            Entry("Replays", "/replays", "r"),
        ),
    ),
    (
        "Maintenance",
        (
            Entry("Today", "/today", "t"),
            Entry("Work orders", "/work-orders", "w"),
            Entry("Assets", "/assets", "a"),
            Entry("PM calendar", "/pm", "p"),
            Entry("Figures", "/uptime", "f"),
            Entry("Records", "/records", "n"),
        ),
    ),
    (
        "System",
        (
            Entry("Connections", "/connections", "c"),
            Entry("Audit log", "/audit", "l"),
        ),
    ),
)
"""Groups with their entries."""
