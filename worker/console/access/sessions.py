"""A browser's session: a cookie that says whose token it began by, until when, and that nobody made it but us.

Nothing of it is kept here, so that any console of an installation knows it. It ends with its time, or with its token.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from handlers.connections.files import create
from worker.tokens import Token, Tokens

COOKIE: Final = "maintenworks_session"
LIFETIME: Final = timedelta(hours=12)
"""A shift and its handover."""
KEY_FILE: Final = "console-key"
"""Under the home, 0600: whoever reads the digests of the tokens cannot make sessions of them."""
_KEY_BYTES: Final = 32
_PARTS: Final = 4

log = structlog.get_logger()


class Session(NamedTuple):
    """Who looks at a page.

    Attributes:
        token: by which it began.
        csrf: what every form of it must bring along.
    """

    token: Token
    csrf: str


class Sessions:
    """Makes cookies and reads them.

    Args:
        key: what they are signed with.
        tokens: those that are valid.
        clock: now (UTC).
    """

    def __init__(self, key: bytes, tokens: Tokens, clock: Callable[[], datetime]) -> None:
        self._key = key
        self._tokens = tokens
        self._clock = clock

    def begin(self, token: Token) -> str:
        """The value of a new session's cookie."""
        until = int((self._clock() + LIFETIME).timestamp())
        name = urlsafe_b64encode(token.name.encode()).decode().rstrip("=")
        head = f"{name}.{until}.{secrets.token_urlsafe(16)}"
        return f"{head}.{self._sealed('session', token.digest, head)}"

    def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie; None for none, one that has ended, and anything that we did not make."""
        if not cookie or not cookie.isascii():
            return None
        parts = cookie.split(".")
        if len(parts) != _PARTS:
            return None
        head, seal = cookie.rpartition(".")[0], parts[-1]
        token = self._tokens.named(_name(parts[0]))
        if token is None or not hmac.compare_digest(seal, self._sealed("session", token.digest, head)):
            return None
        if int(parts[1]) <= self._clock().timestamp():  # sealed, so a number
            return None
        return Session(token, self._sealed("csrf", token.digest, cookie))

    def csrf_of(self, name: str) -> str:
        """What the forms of a person whom a proxy named bring along; they have no cookie that it could be bound to."""
        return self._sealed("proxy", "", name)

    def _sealed(self, purpose: str, digest: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose}|{digest}|{text}".encode(), sha256).hexdigest()


def _name(text: str) -> str:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return ""


def session_key(home: Path) -> bytes:
    """The key of an installation, made where there is none yet.

    In a home that cannot be written it is this process's own, and its sessions end with it.
    """
    path = home / KEY_FILE
    made = secrets.token_bytes(_KEY_BYTES)
    try:
        try:
            create(path, made)
        except FileExistsError:
            held = path.read_bytes()
            if len(held) == _KEY_BYTES:
                return held
            log.warning("session_key_unusable", path=path, bytes=len(held))
    except OSError as error:
        log.warning("session_key_not_kept", path=path, reason=error.strerror)
    return made
