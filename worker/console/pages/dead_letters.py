"""Dead letters: by what they have in common, as a list, and what is done to all that match."""

from typing import Final

from starlette.responses import Response

from handlers.model.types import ACTIONS
from handlers.store import read_letter_groups, read_letters
from handlers.store.dead_letters import OPEN, STATES
from handlers.store.read_letter_groups import GROUPS, Group
from handlers.store.read_letters import KeptLetter
from handlers.store.reading import Part
from handlers.store.searching import Search
from worker.console import acts, links
from worker.console.api import paging
from worker.console.api.letter_filters import ALL
from worker.console.ask import Ask, Page, see
from worker.console.look import page
from worker.console.pages._asked import ROWS, page_of
from worker.console.pages._letters import given, wanted
from worker.console.refusals import malformed
from worker.shapes.letters import filters

NO_GROUPS: Final = "none"
MOST_GROUPS: Final = 200
BY_DEFAULT: Final = "fingerprint"


def listing(ask: Ask) -> Response:
    """Groups of them, or a list where single ones or one cause are asked for."""
    asked = ask.query
    narrow = "fingerprint" in asked or "id" in asked or "cursor" in asked
    by = asked.get("by") or (NO_GROUPS if narrow else BY_DEFAULT)
    if by not in {*GROUPS, NO_GROUPS}:
        raise malformed(f"by: one of {', '.join((*GROUPS, NO_GROUPS))}")
    which = wanted(asked)
    groups: list[Group] = []
    found: list[KeptLetter] = []
    following: str | None = None
    search = Search()
    if by == NO_GROUPS:
        part = Part(paging.decode(asked.get("cursor"), tuple[str, int]), ROWS + 1, search)
        found, following = page_of(read_letters.listed(ask.house.database, which, part), _place, search=search)
    else:
        groups = read_letter_groups.groups(ask.house.database, which, by)
    return page(
        ask,
        "dead_letters.html",
        by=by,
        groups=groups[:MOST_GROUPS],
        left_out=max(0, len(groups) - MOST_GROUPS),
        letters=found,
        next=following,
        search=search,
        total=sum(each.letters for each in groups),
        filters=given(asked),
        is_narrowed=bool(filters(which).keys() - {"state"}),
        open_only=which.state == OPEN,
        connections=sorted(ask.house.registry.all()),
        types=sorted(ACTIONS),
        states=[*STATES, ALL],
        ways=[*GROUPS, NO_GROUPS],
    )


def discard(ask: Ask) -> Response:
    """Gives the open ones among those that match up for good."""
    if ask.form.get("sure") != "yes":
        raise malformed("Tick that you are sure; nothing brings a discarded letter back.")
    which = wanted(ask.form)
    acts.discard(ask.house, which, ask.operator())
    if which.keys is not None:
        return see(links.letter(ask.form["id"]))
    return see(links.to("/dead-letters", **{**given(ask.form), "state": "discarded", "by": NO_GROUPS}))


def _place(letter: KeptLetter) -> tuple[str, int]:
    return letter.key


PAGES: Final = (
    Page("/dead-letters", listing),
    Page("/dead-letters/discard", discard, "POST"),
)
