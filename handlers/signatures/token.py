"""A shared token in place of a signature, for senders that cannot sign (Limble, Odoo, Business Central).

It proves who sent, not what: whoever has seen one request can send any other. What is compared are SHA-256 digests, in
constant time, so that neither the token nor its length shows in how long it takes. The token itself is kept by nobody
here: no header or query that carries it is ever stored or logged. One that the sender writes into the body stays in
the archived bytes, which are kept exactly as they came.
"""

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from handlers.errors import ConfigurationError
from handlers.signatures.base import MALFORMED_SIGNATURE, NO_SIGNATURE, Claim, Scheme, Signature
from handlers.signatures.keyed import id_headers
from handlers.signatures.options import header_problem
from handlers.signatures.places import InBasicAuth, InBody, InHeader, InQuery, Place
from handlers.signatures.pointer import pointer, pointer_problem

_ABSENT: Final = Signature("", bytes(32))
"""Compared where there is no token, so that a refusal costs the same; no token has this digest."""

_PREFIX: Final = re.compile(r"[\x20-\x7e]{1,32}")
_USER: Final = re.compile(r"[^\x00-\x1f\x7f:]{1,200}")
_PARAMETER: Final = re.compile(r"[\x21-\x7e]{1,64}")


@dataclass(frozen=True, kw_only=True)
class TokenScheme(Scheme):
    """The secret itself, in one place.

    Attributes:
        place: where.
    """

    place: Place

    @property
    def secret_headers(self) -> frozenset[str]:
        """What carries the token."""
        return frozenset(self.place.sought)

    @property
    def sought(self) -> tuple[str, ...]:
        """The place, where it is in the head."""
        return self.place.sought

    @property
    def expects(self) -> str:
        """What the place should have."""
        return self.place.expects

    def claim(self, headers: Mapping[str, str], body: bytes) -> Claim:
        """Reads the tokens; in many events of one body there may be several."""
        found = self.place.found(headers, body)
        if found is None:
            return Claim(b"", fault=NO_SIGNATURE)
        tokens = tuple(Signature("", sha256(token).digest()) for token in found)
        return Claim(b"", tokens, fault=None if tokens else MALFORMED_SIGNATURE)

    def matches(self, secret: bytes, claim: Claim) -> bool:
        """Whether every token of the claim is the secret."""
        return self.position((secret,), claim) is not None

    def position(self, secrets: Sequence[bytes], claim: Claim) -> int | None:
        """The first secret that some token is, where every token is one: a rotation may fall between two events."""
        first = None
        known = [False] * len(claim.signatures)
        for position, secret in enumerate(secrets):
            expected = sha256(self.place.expected(secret)).digest()
            for number, token in enumerate(claim.signatures or (_ABSENT,)):
                if hmac.compare_digest(expected, token.value) and claim.signatures:
                    known[number] = True
                    first = position if first is None else first
        return first if all(known) else None

    def sign(self, secret: bytes, body: bytes, *, now: float, message_id: str | None) -> dict[str, str]:
        """The head that carries the token; one in the body is put there by `filled`."""
        del body, now
        self._check(secret)
        return self.place.headers(secret) | id_headers(self.id_header, message_id)

    def filled(self, secret: bytes, body: bytes) -> bytes:
        """The body with the token, where it belongs there."""
        self._check(secret)
        return self.place.filled(secret, body)

    def secret_problem(self, secret: bytes) -> str | None:
        """Why the place cannot carry it."""
        return self.place.problem(secret)

    def _check(self, secret: bytes) -> None:
        problem = self.place.problem(secret)
        if problem is not None:
            raise ConfigurationError([f"secret: {problem}"])


def _query(value: object) -> str | None:
    fits = isinstance(value, str) and _PARAMETER.fullmatch(value)
    return None if fits else 'is no parameter\'s name; write one like "token"'


def _basic(value: object) -> str | None:
    fits = isinstance(value, str) and _USER.fullmatch(value)
    return None if fits else "is no user name; write the one that the sender uses, which has no colon"


_PLACES: Final[Mapping[str, tuple[Callable[[object], str | None], Callable[[Any], Place]]]] = {
    "header": (header_problem, lambda value: InHeader(value.lower())),
    "basic": (_basic, InBasicAuth),
    "query": (_query, InQuery),
    "pointer": (pointer_problem, lambda value: InBody(pointer(value))),
}

_EXAMPLE: Final = 'token = { header = "X-Token" }'


def token_from_options(options: object) -> TokenScheme:
    """Builds the scheme of `token = {…}`.

    Args:
        options: one of `header`, `basic` (the user's name), `query` (the parameter's) and `pointer`; beside a header
            `prefix`, such as `Bearer ` with its space.

    Raises:
        ConfigurationError: one line a problem, each beginning with the option's path, `token.header: …`.
    """
    if not isinstance(options, Mapping):
        raise ConfigurationError([f"token: is no table; write {_EXAMPLE}"])
    problems = [
        f"token.{name}: is no option; there are {', '.join(_PLACES)} and, with a header, prefix"
        for name in options
        if name not in _PLACES and name != "prefix"
    ]
    places = [name for name in _PLACES if name in options]
    if not places:
        problems.append(f"token: does not say where it is; name one of {', '.join(_PLACES)}, as in {_EXAMPLE}")
    if len(places) > 1:
        problems.append(f"token: is in {' and '.join(places)} at once; keep the one place where the sender puts it")
    problems += [f"token.{name}: {wrong}" for name in places if (wrong := _PLACES[name][0](options[name]))]
    problems += _prefix_problems(options)
    if problems:
        raise ConfigurationError(problems)
    place = _PLACES[places[0]][1](options[places[0]])
    if isinstance(place, InHeader):
        place = InHeader(place.header, options.get("prefix", ""))
    return TokenScheme(name="token", place=place, wants_query=isinstance(place, InQuery))


def _prefix_problems(options: Mapping[Any, object]) -> list[str]:
    if "prefix" not in options:
        return []
    prefix = options["prefix"]
    if "header" not in options:
        return ["token.prefix: has no header to stand in; drop it, or name the header"]
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        return ['token.prefix: is no prefix; write 1 to 32 printable characters, such as "Bearer "']
    return []
