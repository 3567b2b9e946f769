"""Pages as routes: who asks is settled, a form is read and checked, and then the page is made in a thread."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import groupby
from urllib.parse import parse_qsl, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from worker.console.access.door import Door
from worker.console.access.login import address_of, to_login
from worker.console.ask import Ask, Page
from worker.console.bodies import form
from worker.console.guard import Endpoint
from worker.console.house import House
from worker.console.refusals import RefusalError, malformed, missing
from worker.tokens import OPERATOR

FORM_OVERHEAD = 4
"""A payload in a form may be this many times as long as itself: each byte of it is written as three, and more."""


class WrittenPaths:
    """Routes go by the path as it was written: a key may hold a slash, which is `%2F` there.

    Args:
        app: what is routed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        written = scope.get("raw_path")
        if scope["type"] == "http" and written:
            scope = {**scope, "path": written.decode("latin-1")}
        await self._app(scope, receive, send)


def parts(request: Request) -> Mapping[str, str]:
    """The variable parts of the path, decoded.

    Raises:
        RefusalError: one is no UTF-8, or holds what no key has.
    """
    try:
        found = {name: unquote(value, errors="strict") for name, value in request.path_params.items()}
    except UnicodeDecodeError:
        raise missing("There is no such page.") from None
    if any("\0" in each for each in found.values()):
        raise missing("There is no such page.")
    return found


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """The parameters of the query as they were given.

    Raises:
        RefusalError: one holds what no text of ours does.
    """
    try:
        found = parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise malformed("query: it is no UTF-8") from None
    if any("\0" in each for pair in found for each in pair):
        raise malformed("query: it has a null in it")
    return found


def page_routes(house: House, door: Door, pages: Iterable[Page]) -> list[Route]:
    """The routes of pages; those of one path are one route, so that a wrong method is told which are right."""
    ordered = sorted(pages, key=lambda page: ("{" in page.path, page.path))  # what is spelt out goes before what is not
    found = []
    for path, group in groupby(ordered, key=lambda page: page.path):
        by_method: dict[str, Page] = {page.method: page for page in group}
        found.append(Route(path, _endpoint(house, door, by_method), methods=list(by_method)))
    return found


def _endpoint(house: House, door: Door, pages: Mapping[str, Page]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        page = pages["GET" if request.method == "HEAD" else request.method]
        acts = page.method == "POST"
        try:
            who = door.demand(request, OPERATOR if acts else page.role)
        except RefusalError as error:
            if error.status == HTTPStatus.UNAUTHORIZED and not acts and "authorization" not in request.headers:
                return to_login(address_of(request))
            raise
        fields = await form(request, FORM_OVERHEAD * house.settings.max_body_bytes) if acts else {}
        if acts:
            door.check_origin(request, who, fields)
        ask = Ask(
            house=house,
            who=who,
            address=address_of(request),
            path=parts(request),
            query={name: value for name, value in query_pairs(request) if value},
            form=fields,
            is_fragment=request.headers.get("hx-request") == "true",
        )
        return await run_in_threadpool(page.does, ask)

    return endpoint
