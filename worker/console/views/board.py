"""Today's board: what stands, what is late, what is due, what is under way, in columns of cards. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from handlers.rules.today import GROUPS, Group, Line

TITLES: Final[dict[Group, str]] = {
    "down": "Down",
    "overdue": "Overdue",
    "due": "Due today",
    "in_progress": "In progress",
}
MOST: Final = 60
"""Cards of a column: more nobody reads on a wall."""
URGENT: Final = frozenset({"critical", "high"})


class Card(NamedTuple):
    """One line of the day.

    Attributes:
        row: as `today --json` has it.
        class_: how it is marked: `bad`, `warn`, `info` or nothing.
    """

    row: dict[str, Any]
    class_: str


class Column(NamedTuple):
    """A group of lines.

    Attributes:
        group: its name.
        title: for people.
        cards: the first of them.
        total: how many there are.
    """

    group: Group
    title: str
    cards: Sequence[Card]
    total: int

    @property
    def left_out(self) -> int:
        """How many are not shown."""
        return self.total - len(self.cards)


def columns(lines: Sequence[Line], now: datetime, most: int = MOST) -> list[Column]:
    """The lines of a day by group, in their order; groups without any too."""
    found = []
    for group in GROUPS:
        held = [line for line in lines if line.group == group]
        cards = [_card(line, now) for line in held[:most]]
        found.append(Column(group, TITLES[group], cards, len(held)))
    return found


def _card(line: Line, now: datetime) -> Card:
    row: dict[str, Any] = dict(line.row(now))
    if line.group == "down":
        return Card(row, "info" if row["planned"] else "bad")
    is_urgent = bool(URGENT & {row["criticality"], row["priority"]})
    if line.group == "overdue":
        return Card(row, "bad" if is_urgent else "warn")
    return Card(row, "warn" if is_urgent else "")
