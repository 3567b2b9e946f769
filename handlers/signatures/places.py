"""Where a sender that cannot sign puts its secret: a header, basic auth, the address's query, the body itself."""

import abc
import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from handlers.signatures.base import QUERY
from handlers.signatures.encodings import wire
from handlers.signatures.pointer import MAX_TEXT_CHARACTERS, Pointer

AUTHORIZATION: Final = "authorization"
MAX_PARAMETERS: Final = 64
"""Of a query; a webhook's address has one or two."""

_BASIC: Final = "basic "
_IN_HEADER: Final = re.compile(rb"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_PLAIN: Final = re.compile(r"[^\x00-\x1f\x7f]*")


class Place(abc.ABC):
    """One place; holds no secret."""

    @property
    @abc.abstractmethod
    def sought(self) -> tuple[str, ...]:
        """As `Scheme.sought`."""

    @property
    @abc.abstractmethod
    def expects(self) -> str:
        """As `Scheme.expects`."""

    @abc.abstractmethod
    def found(self, headers: Mapping[str, str], body: bytes) -> tuple[bytes, ...] | None:
        """The tokens there, all of which must be right; None where there is nothing, empty where it is unreadable."""

    @abc.abstractmethod
    def headers(self, secret: bytes) -> dict[str, str]:
        """What of the request's head carries the secret."""

    @abc.abstractmethod
    def problem(self, secret: bytes) -> str | None:
        """Why the place could never carry that secret, without quoting it; None where it can."""

    def expected(self, secret: bytes) -> bytes:
        """What a token is that carries the secret."""
        return secret

    def filled(self, secret: bytes, body: bytes) -> bytes:
        """As `Scheme.filled`."""
        del secret
        return body


@dataclass(frozen=True)
class InHeader(Place):
    """`{ header = "X-Token" }`, or `{ header = "Authorization", prefix = "Bearer " }`.

    Attributes:
        header: lower-case name.
        prefix: what stands before the secret, just as the sender writes it.
    """

    header: str
    prefix: str = ""

    @property
    def sought(self) -> tuple[str, ...]:
        """The header."""
        return (self.header,)

    @property
    def expects(self) -> str:
        """The header's value."""
        return f"{f'`{self.prefix}` and ' if self.prefix else ''}the secret itself in the header {self.header}"

    def found(self, headers: Mapping[str, str], body: bytes) -> tuple[bytes, ...] | None:
        """The header's value without the prefix."""
        del body
        value = headers.get(self.header)
        if not value:
            return None
        token = wire(value[len(self.prefix) :]) if value.startswith(self.prefix) else None
        return (token,) if token else ()

    def headers(self, secret: bytes) -> dict[str, str]:
        """The header."""
        return {self.header: self.prefix + secret.decode("ascii")}

    def problem(self, secret: bytes) -> str | None:
        """A header carries printable ASCII (RFC 9110, section 5.5, without its obsolete part)."""
        fits = _IN_HEADER.fullmatch(secret)
        return None if fits else "holds characters that a header does not carry; make one of printable ASCII"


@dataclass(frozen=True)
class InBasicAuth(Place):
    """`{ basic = "USER" }`: the secret is the password (RFC 7617).

    Attributes:
        user: the name that goes with it.
    """

    user: str

    @property
    def sought(self) -> tuple[str, ...]:
        """The one header of HTTP authentication."""
        return (AUTHORIZATION,)

    @property
    def expects(self) -> str:
        """The header's value."""
        return f"`Basic ` and base64 of `{self.user}:` and the secret"

    def found(self, headers: Mapping[str, str], body: bytes) -> tuple[bytes, ...] | None:
        """User and password as they are compared: both."""
        del body
        value = headers.get(AUTHORIZATION)
        if not value:
            return None
        if value[: len(_BASIC)].lower() != _BASIC:
            return ()
        try:
            token = binascii.a2b_base64(value[len(_BASIC) :].strip(" "), strict_mode=True)
        except ValueError:  # binascii.Error is one; so is text beyond ASCII
            return ()
        canonical = base64.b64encode(token).decode() == value[len(_BASIC) :].strip(" ")
        return (token,) if canonical and b":" in token else ()

    def expected(self, secret: bytes) -> bytes:
        """User and password."""
        return self.user.encode() + b":" + secret

    def headers(self, secret: bytes) -> dict[str, str]:
        """The one header."""
        return {AUTHORIZATION: f"Basic {base64.b64encode(self.expected(secret)).decode()}"}

    def problem(self, secret: bytes) -> str | None:
        """A password has no control characters (RFC 7617, section 2)."""
        return None if _is_text(secret) else "holds control characters or is not UTF-8; make one of plain text"


@dataclass(frozen=True)
class InQuery(Place):
    """`{ query = "token" }`: `?token=` in the webhook's address.

    A proxy before us may log addresses: this place is for senders that know no other.

    Attributes:
        parameter: its name, unescaped.
    """

    parameter: str

    @property
    def sought(self) -> tuple[str, ...]:
        """The query."""
        return (QUERY,)

    @property
    def expects(self) -> str:
        """The parameter."""
        return f"the secret, percent-encoded, in the address's query as {self.parameter}="

    def found(self, headers: Mapping[str, str], body: bytes) -> tuple[bytes, ...] | None:
        """The parameter's value; one that is given twice is unreadable. A plus sign is itself (RFC 3986)."""
        del body
        parts = (wire(headers.get(QUERY, "")) or b"").split(b"&", MAX_PARAMETERS)
        pairs = (each.partition(b"=") for each in parts)
        values = [value for name, _, value in pairs if unquote_to_bytes(name) == self.parameter.encode()]
        if not values:
            return None
        sound = len(values) == 1 and values[0] and len(parts) <= MAX_PARAMETERS
        return (unquote_to_bytes(values[0]),) if sound else ()

    def headers(self, secret: bytes) -> dict[str, str]:
        """The query."""
        return {QUERY: f"{quote(self.parameter, safe='')}={quote(secret, safe='')}"}

    def problem(self, secret: bytes) -> str | None:
        """Whatever it is, it can be percent-encoded."""
        del secret
        return None


@dataclass(frozen=True)
class InBody(Place):
    """`{ pointer = "/value/0/clientState" }`: a text in the JSON body; with `*`, in every element of an array.

    The secret is then part of the bytes that are archived, since those are kept as they came.

    Attributes:
        pointer: where.
    """

    pointer: Pointer

    @property
    def sought(self) -> tuple[str, ...]:
        """No header at all."""
        return ()

    @property
    def expects(self) -> str:
        """The text."""
        return f"the secret as a text at {self.pointer.text} of the JSON body"

    def found(self, headers: Mapping[str, str], body: bytes) -> tuple[bytes, ...] | None:
        """The texts; each once, for a body of many events says the same in all of them."""
        del headers
        texts = self.pointer.texts(body)
        if not texts:
            return None
        tokens = [None if text is None else text.encode(errors="replace") for text in texts]
        if None in tokens:
            return () if any(tokens) else None
        return tuple(dict.fromkeys(token for token in tokens if token is not None))

    def headers(self, secret: bytes) -> dict[str, str]:
        """None."""
        del secret
        return {}

    def filled(self, secret: bytes, body: bytes) -> bytes:
        """With the secret at the place pointed at."""
        return self.pointer.put(body, secret.decode())

    def problem(self, secret: bytes) -> str | None:
        """A text of JSON is UTF-8, and no longer one is read."""
        fits = _is_text(secret) and len(secret.decode()) <= MAX_TEXT_CHARACTERS
        return None if fits else f"is no plain text of up to {MAX_TEXT_CHARACTERS} characters; make another"


def _is_text(secret: bytes) -> bool:
    try:
        return _PLAIN.fullmatch(secret.decode()) is not None
    except UnicodeDecodeError:
        return False
