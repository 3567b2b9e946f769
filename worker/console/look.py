"""How pages look: Jinja2 templates beside this file (`worker.console.rendering`), everything from outside escaped."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from markupsafe import Markup
from starlette.responses import HTMLResponse, Response, StreamingResponse

from worker.console.ask import Ask
from worker.console.rendering import environment


def page(ask: Ask, template: str, /, *, status: int = 200, **context: Any) -> Response:
    """A page for somebody who was let in; templates know `ask` and `now` besides what they are given."""
    return bare(template, status=status, ask=ask, now=ask.house.now(), **context)


def sent_as_made(ask: Ask, template: str, /, **context: Any) -> Response:
    """The same, of which the browser has the head while the rest is made: for a page that takes longer than a moment.

    What takes long stands in the context as a function, which the template calls behind `{{ so_far }}`. It must tell of
    its failures on the page, which has begun with a 200: whatever it raises cuts the page short.
    """
    told = {"ask": ask, "now": ask.house.now(), "so_far": _SO_FAR, **context}
    pieces = environment().get_template(template).generate(**told)
    return StreamingResponse(_parts(pieces), media_type="text/html")


def _parts(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces of a page in few parts: up to each mark, and so many characters."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if piece == _SO_FAR or size >= _PART_CHARACTERS:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


_SO_FAR: Final = Markup("<!-- so far -->")
_PART_CHARACTERS: Final = 64 * 1024


def bare(template: str, /, *, status: int = 200, **context: Any) -> Response:
    """A page for anybody: the login, and what went wrong."""
    return HTMLResponse(environment().get_template(template).render(**{"ask": None, **context}), status)
