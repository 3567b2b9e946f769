"""The door of the operators' port: who asks, from a bearer token, a trusted proxy's header or a session's cookie."""

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

import structlog
from starlette.requests import Request
from starlette.responses import Response

from worker.console.access.failures import Failures
from worker.console.access.origin import is_ours
from worker.console.access.principal import Principal
from worker.console.access.proxies import Proxies
from worker.console.access.sessions import COOKIE, LIFETIME, Sessions
from worker.console.refusals import RefusalError
from worker.tokens import Role, Token, Tokens

CHALLENGE: Final = {"www-authenticate": 'Bearer realm="maintenworks"'}
CSRF_FIELD: Final = "csrf"
"""The name of the hidden field of every form."""
CSRF_HEADER: Final = "x-csrf-token"
"""Where a script of ours sends the same."""

log = structlog.get_logger()


class Door(NamedTuple):
    """Lets people in.

    Attributes:
        tokens: those that are valid.
        sessions: of browsers.
        failures: of tokens that were wrong.
        proxies: that are believed.
    """

    tokens: Tokens
    sessions: Sessions
    failures: Failures
    proxies: Proxies

    def who(self, request: Request) -> Principal:
        """Who asks.

        Raises:
            RefusalError: 401 for nobody who is known, 429 for one wrong token too many. A right bearer token is let in
                whatever others at its address did: 256 random bits are not guessed, and a proxy's address is shared.
        """
        given = request.headers.get("authorization")
        if given is not None:
            return self._bearer(request, given)
        person = self.proxies.person(request)
        if person is not None:
            return Principal(*person, self.sessions.csrf_of(person[0]))
        session = self.sessions.read(request.cookies.get(COOKIE))
        if session is not None:
            return Principal(session.token.name, session.token.role, session.csrf)
        raise RefusalError(HTTPStatus.UNAUTHORIZED, "A token is needed: as a bearer token, or at /login.", CHALLENGE)

    def demand(self, request: Request, role: Role) -> Principal:
        """Who asks, if they have a role.

        Raises:
            RefusalError: as `who`, and 403 where the role is not theirs.
        """
        who = self.who(request)
        if not who.may(role):
            raise RefusalError(HTTPStatus.FORBIDDEN, f"{who.name} may look, not act: the role {role} is needed.")
        return who

    def check_origin(self, request: Request, who: Principal, form: Mapping[str, str]) -> None:
        """Refuses an act that another site's page has a browser send.

        Args:
            request: the request that acts.
            who: whose it is said to be.
            form: the fields of its form; of a script's request none, which sends `CSRF_HEADER`.

        Raises:
            RefusalError: 403.
        """
        if who.csrf is None:
            return
        given = form.get(CSRF_FIELD) or request.headers.get(CSRF_HEADER) or ""
        if not is_ours(request.headers) or not hmac.compare_digest(given.encode(), who.csrf.encode()):
            raise RefusalError(HTTPStatus.FORBIDDEN, "This did not come from a page of this console; load it again.")

    def log_in(self, request: Request, given: str) -> Token:
        """The token that somebody typed.

        Raises:
            RefusalError: 403 for a form that is not ours, 429 before it is looked at where too many were wrong, 401.
        """
        if not is_ours(request.headers):
            raise RefusalError(HTTPStatus.FORBIDDEN, "This did not come from a page of this console.")
        address = self.proxies.client(request)
        wait = self.failures.wait(address)
        if wait:
            raise _too_many(wait)
        token = self.tokens.find(given)
        if token is None:
            self.failures.note(address)
            log.warning("login_refused", address=address)
            raise RefusalError(HTTPStatus.UNAUTHORIZED, "There is no such token.")
        log.info("session_began", name=token.name, role=token.role, address=address)
        return token

    def begin(self, request: Request, token: Token, answer: Response) -> None:
        """Puts a new session's cookie on an answer."""
        answer.set_cookie(
            COOKIE,
            self.sessions.begin(token),
            max_age=int(LIFETIME.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=self.proxies.is_https(request),
        )

    def end(self, answer: Response) -> None:
        """Has the browser forget its session."""
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")

    def _bearer(self, request: Request, given: str) -> Principal:
        # RFC 9110, 11.1: the scheme's name is case-insensitive.
        scheme, _, credentials = given.partition(" ")
        token = self.tokens.find(credentials.strip()) if scheme.lower() == "bearer" else None
        if token is not None:
            return Principal(token.name, token.role)
        address = self.proxies.client(request)
        wait = self.failures.wait(address)
        if wait:
            raise _too_many(wait)
        self.failures.note(address)
        raise RefusalError(HTTPStatus.UNAUTHORIZED, "There is no such token.", CHALLENGE)


def _too_many(seconds: int) -> RefusalError:
    detail = f"Too many wrong tokens; try again in {seconds} s."
    return RefusalError(HTTPStatus.TOO_MANY_REQUESTS, detail, {"retry-after": str(seconds)})
