"""Tokens of the operators' port: who may look, and who may act.

They are in a file of the home, for the console answers without the database too, and it holds digests alone. A token
has 256 random bits, so SHA-256 keeps it: there is nothing to guess that a slow hash would make
slower.
"""

import contextlib
import hmac
import secrets
import threading
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
import structlog

from handlers.connections.files import create, locked, replace
from handlers.errors import ConfigurationError

Role: TypeAlias = Literal["viewer", "operator"]
VIEWER: Final = "viewer"
OPERATOR: Final = "operator"
ROLES: Final[tuple[Role, ...]] = (VIEWER, OPERATOR)
"""Each may do what those before it may."""
FILE: Final = "tokens.json"
OPERATOR_FILE: Final = "operator-token"
"""Where `up` leaves the token that it makes (contract, section 8), 0600."""
MARK: Final = "mwt_"
"""How a token begins, so that scanners find one that leaked."""
_BYTES: Final = 32

log = structlog.get_logger()


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token as it is kept.

    Attributes:
        name: whose it is; the audit log names them so.
        role: what it may do.
        digest: SHA-256 of it, in hexadecimal.
        created_at: when it was made; None for the one of `up`.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$")]
    role: Role
    digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    created_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None

    def may(self, role: Role) -> bool:
        """Whether it has a role, or one above."""
        return ROLES.index(self.role) >= ROLES.index(role)


_decoder = msgspec.json.Decoder(list[Token])


def add(home: Path, name: str, role: str, now: datetime) -> str:
    """Makes a token and keeps its digest.

    Args:
        home: where.
        name: whose.
        role: one of `ROLES`.
        now: the clock.

    Returns:
        The token; nobody can show it again.

    Raises:
        ConfigurationError: name or role cannot be, the name is taken, or the file is bad.
    """
    made = MARK + secrets.token_urlsafe(_BYTES)
    try:
        token = msgspec.convert(
            {"name": name, "role": role, "digest": digest_of(made), "created_at": now}, Token, strict=True
        )
    except msgspec.ValidationError as error:
        raise ConfigurationError([f"token: {error}; names are like anna or grafana.prod"]) from None
    path = home / FILE
    with locked(path):
        held = _read(path)
        if name == OPERATOR or any(each.name == name for each in held):
            raise ConfigurationError([f"{path}: there is a token {name!r} already; revoke it, or take another name"])
        _write(path, [*held, token])
    return made


def revoke(home: Path, name: str) -> bool:
    """Takes a token back, with every session that began by it; says whether there was one.

    Raises:
        ConfigurationError: the file is bad.
    """
    path = home / FILE
    if name == OPERATOR:
        try:
            (home / OPERATOR_FILE).unlink()
        except FileNotFoundError:
            return False
        return True
    with locked(path):
        held = _read(path)
        left = [each for each in held if each.name != name]
        if len(left) < len(held):
            _write(path, left)
    return len(left) < len(held)


def listed(home: Path) -> list[Token]:
    """Every token, that of `up` first.

    Raises:
        ConfigurationError: the file is bad.
    """
    return [*_operator(home), *_read(home / FILE)]


def make_operator_token(home: Path) -> Path:
    """Sees to it that `up` has its token, for the operator to read; returns where."""
    path = home / OPERATOR_FILE
    with contextlib.suppress(FileExistsError):
        create(path, f"{MARK}{secrets.token_urlsafe(_BYTES)}\n".encode())
    return path


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return sha256(token.encode(errors="surrogatepass")).hexdigest()


class Tokens:
    """The tokens as the files say now: each question looks whether they changed.

    A file that cannot be read lets nobody in; the log says why.

    Args:
        home: where they are.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._seen: object = None
        self._held: Sequence[Token] = ()
        self._lock = threading.Lock()

    def find(self, given: str) -> Token | None:
        """The token that somebody gave; every one is compared, in constant time."""
        digest = digest_of(given)
        found = None
        for each in self._now():
            if hmac.compare_digest(each.digest, digest):
                found = each
        return found

    def named(self, name: str) -> Token | None:
        """The token of that name."""
        return next((each for each in self._now() if each.name == name), None)

    def _now(self) -> Sequence[Token]:
        seen = [_stamp(self._home / name) for name in (FILE, OPERATOR_FILE)]
        with self._lock:
            if seen != self._seen:
                try:
                    self._held = listed(self._home)
                except ConfigurationError as error:
                    log.error("tokens_not_read", problems=list(error.problems))  # noqa: TRY400  # no traceback: it is a file
                    self._held = ()
                self._seen = seen
            return self._held


def _operator(home: Path) -> list[Token]:
    try:
        text = (home / OPERATOR_FILE).read_text().strip()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{home / OPERATOR_FILE}: cannot be read: {type(error).__name__}"]) from None
    # A file that somebody emptied must not make the empty token one.
    return [Token(OPERATOR, OPERATOR, digest_of(text))] if len(text) >= _BYTES else []


def _read(path: Path) -> list[Token]:
    try:
        return _decoder.decode(path.read_bytes())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigurationError([f"{path}: {error.strerror}"]) from None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ConfigurationError([f"{path}: {error}; make it anew with `maintenworks tokens add`"]) from None


def _write(path: Path, tokens: Sequence[Token]) -> None:
    replace(path, msgspec.json.format(msgspec.json.encode(tokens)) + b"\n")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
