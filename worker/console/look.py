"""How pages look: Jinja2 templates beside this file (`worker.console.rendering`), everything from outside escaped."""

from typing import Any

from starlette.responses import HTMLResponse, Response

from worker.console.ask import Ask
from worker.console.rendering import environment


def page(ask: Ask, template: str, /, *, status: int = 200, **context: Any) -> Response:
    """A page for somebody who was let in; templates know `ask` and `now` besides what they are given."""
    return bare(template, status=status, ask=ask, now=ask.house.now(), **context)


def bare(template: str, /, *, status: int = 200, **context: Any) -> Response:
    """A page for anybody: the login, and what went wrong."""
    return HTMLResponse(environment().get_template(template).render(**{"ask": None, **context}), status)
