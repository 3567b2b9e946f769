"""A request as a page sees it, and the row of the table by which a page is found."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from starlette.responses import RedirectResponse, Response

from worker.acts import Operator
from worker.console.access.principal import Principal
from worker.console.house import House
from worker.console.refusals import malformed
from worker.tokens import VIEWER, Role

LONGEST_REASON = 2_000
"""Characters."""


class Ask(NamedTuple):
    """One request.

    Attributes:
        house: database, registry, settings, runner, clock.
        who: whose it is; `who.csrf` goes into each form as the hidden field `csrf`.
        address: path and query as they were asked for, for links back.
        path: the parts of the path by name, `%2F` and all decoded.
        query: its parameters, those left empty left out; of one given twice the last.
        form: the fields of a form that was posted; of one given several times (boxes ticked) the values joined by line
            feeds. Its `csrf` has been checked.
        is_fragment: htmx asked, so a part of the page will do.
    """

    house: House
    who: Principal
    address: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    is_fragment: bool = False

    def operator(self) -> Operator:
        """Who acts and why, by the field `reason` of the form.

        Raises:
            RefusalError: no reason was given.
        """
        return Operator(self.who.name, reason(self.form.get("reason", "")))


class Page(NamedTuple):
    """One row of the table of pages.

    Attributes:
        path: with its variable parts in braces, such as `/dead-letters/{delivery}/{index}`.
        does: makes the answer; runs in a thread and may block.
        method: `POST` acts: then the form is read, checked, and its role is `operator`.
        role: who may.
    """

    path: str
    does: Callable[[Ask], Response]
    method: Literal["GET", "POST"] = "GET"
    role: Role = VIEWER


def reason(text: str) -> str:
    """A reason for the audit log.

    Raises:
        RefusalError: there is none, or it is a book.
    """
    found = text.strip()
    if not 0 < len(found) <= LONGEST_REASON:
        raise malformed(f"reason: say why, in {LONGEST_REASON} characters at most; the audit log keeps it")
    return found


def see(path: str) -> Response:
    """Has the browser look at another page, as after an act."""
    return RedirectResponse(path, 303)
