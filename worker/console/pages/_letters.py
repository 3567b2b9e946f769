"""Which dead letters a page is about: by its filters, or one by its name."""

from collections.abc import Mapping
from typing import Final

from handlers.store.read_letters import KeptLetter, Wanted
from worker.console import acts
from worker.console.api.letter_filters import Filters
from worker.console.ask import Ask
from worker.console.refusals import malformed

FILTERS: Final = ("connection", "type", "error", "fingerprint", "since", "until", "state", "id")
"""Of lists, of plans, and of what is done to all that match."""


def given(fields: Mapping[str, str]) -> dict[str, str]:
    """Those filters that have a value."""
    return {name: fields[name] for name in FILTERS if fields.get(name)}


def wanted(fields: Mapping[str, str]) -> Wanted:
    """Which letters are wanted; open ones, unless a state or single letters are named.

    Args:
        fields: of a query or a form; several ids a line each.

    Raises:
        RefusalError: there is no such state.
        ConfigurationError: a time is none.
    """
    asked = given(fields)
    ids = asked.pop("id", None)
    return Filters(**asked, ids=None if ids is None else ids.splitlines()).wanted()


def one(ask: Ask, name: str | None) -> KeptLetter:
    """The letter of a name, such as `DELIVERY/3`.

    Raises:
        RefusalError: there is none.
    """
    if not name:
        raise malformed("id: of a dead letter, such as DELIVERY/3")
    delivery, _, place = name.rpartition("/")
    return acts.letter(ask.house, delivery, place)
