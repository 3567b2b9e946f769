"""Log in with a token, and out again."""

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from worker.console.access.door import Door
from worker.console.access.origin import CROSS_SITE, FETCH_SITE
from worker.console.bodies import form
from worker.console.links import local
from worker.console.look import bare
from worker.console.refusals import RefusalError

PATH: Final = "/login"
FRONT: Final = "/"
_MOST_BYTES: Final = 8_192


def address_of(request: Request) -> str:
    """Path and query as they were asked for."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def to_login(address: str) -> Response:
    """Sends a browser to log in, and back."""
    return RedirectResponse(PATH if address == FRONT else f"{PATH}?next={quote(address, safe='/')}", 303)


def routes(door: Door) -> list[Route]:
    """The login and the logout."""

    async def show(request: Request) -> Response:
        following = local(request.query_params.get("next"))
        if request.headers.get(FETCH_SITE) == CROSS_SITE:
            # A link from elsewhere, such as a mail: the cookie is SameSite=Strict, so it comes only with a request that
            # a page of ours makes. This is one.
            return bare("arriving.html", address=to_login(following).headers["location"])
        try:
            door.who(request)
        except RefusalError:
            return bare("login.html", next=following, problem=None)
        return RedirectResponse(following, 303)

    async def log_in(request: Request) -> Response:
        fields = await form(request, _MOST_BYTES)
        following = local(fields.get("next"))
        try:
            token = door.log_in(request, fields.get("token", "").strip())
        except RefusalError as error:
            answer = bare("login.html", status=error.status, next=following, problem=str(error))
            answer.headers.update(error.headers or {})
            return answer
        answer = RedirectResponse(following, 303)
        door.begin(request, token, answer)
        return answer

    async def log_out(request: Request) -> Response:
        fields = await form(request, _MOST_BYTES)
        try:
            door.check_origin(request, door.who(request), fields)
        except RefusalError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:  # whoever is not logged in is out already
                raise
        answer = RedirectResponse(PATH, 303)
        door.end(answer)
        return answer

    return [
        Route(PATH, show, methods=["GET"]),
        Route(PATH, log_in, methods=["POST"]),
        Route("/logout", log_out, methods=["POST"]),
    ]
