"""What a scheme is, and the one loop that verifies: every secret, every time, whatever was sent."""

import abc
import base64
import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

TOLERANCE_SECONDS: Final = 300.0
"""How far a signed timestamp may be from our clock, either way: five minutes, as Standard Webhooks, Stripe and Slack
advise."""

NO_SIGNATURE: Final = "no_signature"
MALFORMED_SIGNATURE: Final = "malformed_signature"
WRONG_SIGNATURE: Final = "wrong_signature"
STALE_TIMESTAMP: Final = "stale_timestamp"

QUERY: Final = ":query"
"""Among headers, the request's query string as it was sent: for a scheme that `wants_query`. No header has a colon."""


class Verdict(NamedTuple):
    """What became of a verification.

    Attributes:
        position: which of the secrets verified it, from 0; None where it was refused.
        reason: None where it was verified, else `no_signature` (the header is missing or empty),
            `malformed_signature` (nothing readable in it, or a needed timestamp or id is missing or unreadable),
            `wrong_signature`, or `stale_timestamp` (rightly signed, but too long ago or too far ahead).
    """

    position: int | None
    reason: str | None

    @property
    def ok(self) -> bool:
        """Whether it was verified."""
        return self.reason is None

    def __bool__(self) -> bool:
        return self.ok  # a tuple would be true whatever it says


class Signature(NamedTuple):
    """One decoded entry of a signature header.

    Attributes:
        version: the scheme's own mark of the entry's algorithm; empty where it has none.
        value: the decoded bytes, already of the algorithm's length.
    """

    version: str
    value: bytes


class Claim(NamedTuple):
    """What the headers claim about a body.

    Attributes:
        signed: the bytes that the signatures should cover; the bare body where the headers are at fault, so that a
            refusal costs the same HMAC work.
        signatures: the readable entries.
        stamp: when it claims to be signed, Unix seconds; None where the scheme signs no time.
        fault: why it is refused whatever the secrets say; None where it is well formed.
    """

    signed: bytes
    signatures: tuple[Signature, ...] = ()
    stamp: int | None = None
    fault: str | None = None


@dataclass(frozen=True, kw_only=True)
class Scheme(abc.ABC):
    """How one kind of sender signs. Holds no secret.

    Attributes:
        name: as `scheme = "…"` names it.
        id_header: lower-case name of the header that carries the delivery's id, the same on each retry; None where
            the sender has none.
        tolerance: how far the signed timestamp may be off, in seconds; None where the scheme signs no time.
        wants_query: its verification reads `QUERY`.
    """

    name: str
    id_header: str | None = None
    tolerance: float | None = None
    wants_query: bool = False

    @property
    @abc.abstractmethod
    def secret_headers(self) -> frozenset[str]:
        """Lower-case names of the headers that carry a signature or a token: never kept, never logged."""

    @property
    @abc.abstractmethod
    def sought(self) -> tuple[str, ...]:
        """Lower-case names of the headers that verification reads, the signature's own first."""

    @property
    @abc.abstractmethod
    def expects(self) -> str:
        """The form of a signature, in words, for a person whose sender sends another."""

    @abc.abstractmethod
    def claim(self, headers: Mapping[str, str], body: bytes) -> Claim:
        """Reads what the headers claim; never raises."""

    @abc.abstractmethod
    def matches(self, secret: bytes, claim: Claim) -> bool:
        """Whether any of the claim's signatures is the secret's; the same work for a claim without any."""

    @abc.abstractmethod
    def sign(self, secret: bytes, body: bytes, *, now: float, message_id: str | None) -> dict[str, str]:
        """The headers an upstream would send; see `handlers.signatures.sign`."""

    def position(self, secrets: Sequence[bytes], claim: Claim) -> int | None:
        """Which secret is the claim's, the first of several; each is tried every time."""
        matched = None
        for position, secret in enumerate(secrets):
            if self.matches(secret, claim) and matched is None:
                matched = position
        return matched

    def filled(self, secret: bytes, body: bytes) -> bytes:
        """The body as an upstream would send it; see `handlers.signatures.filled`."""
        del secret
        return body

    def secret_problem(self, secret: bytes) -> str | None:
        """Why this scheme could never verify with that secret, without quoting it; None where it can."""
        del secret
        return None

    def message_id(self, headers: Mapping[str, str]) -> str | None:
        """The delivery's id by its header, None where there is none; `headers` have lower-case names."""
        return headers.get(self.id_header) or None if self.id_header else None


@functools.cache
def decoy_secrets(count: int = 1) -> tuple[bytes, ...]:
    """Secrets nobody knows, for the work owed to a connection that does not exist.

    They are of the form that every scheme can use (base64 of 32 random bytes), and stay the same for as long as the
    process lives. Verify with them and discard the verdict.
    """
    return tuple(base64.b64encode(os.urandom(32)) for _ in range(count))


def verify(scheme: Scheme, secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
    """Tells whether a body was signed with one of the secrets.

    Every secret is tried every time and compared in constant time, also once one has matched and where the headers
    are at fault. Without any secret a decoy stands in, and it is refused.

    Args:
        scheme: how the sender signs.
        secrets: the secrets' own text, in order.
        headers: names in lower case, values decoded as latin-1.
        body: the bytes exactly as sent.
        now: our clock, Unix seconds.

    Returns:
        The verdict; malformed input of any kind is a refusal, never an exception.
    """
    claim = scheme.claim(headers, body)
    matched = scheme.position(secrets or decoy_secrets(), claim)
    if claim.fault is not None:
        return Verdict(None, claim.fault)
    if matched is None or not secrets:
        return Verdict(None, WRONG_SIGNATURE)
    if not timely(scheme, claim, now):
        return Verdict(None, STALE_TIMESTAMP)
    return Verdict(matched, None)


def timely(scheme: Scheme, claim: Claim, now: float) -> bool:
    """Whether the claim's timestamp is near enough to `now` (Unix seconds); true where the scheme signs no time."""
    return scheme.tolerance is None or claim.stamp is None or abs(now - claim.stamp) <= scheme.tolerance


def sign(scheme: Scheme, secret: bytes, body: bytes, *, now: float, message_id: str | None = None) -> dict[str, str]:
    """Signs a body as the scheme's sender would.

    Args:
        scheme: how to sign.
        secret: the secret's own text (for Ed25519 the private `whsk_…`).
        body: the bytes to be sent.
        now: the time to sign, Unix seconds; cut to whole ones.
        message_id: the delivery's id; goes where the scheme's `id_header` says, nowhere if it has none. Standard
            Webhooks signs one always and makes it from `now` and the body if none is given.

    Returns:
        Headers, names in lower case; with `QUERY` among them what belongs into the address's query.

    Raises:
        ConfigurationError: the secret cannot sign, or the id cannot be a header's value.
    """
    return scheme.sign(secret, body, now=now, message_id=message_id)


def filled(scheme: Scheme, secret: bytes, body: bytes) -> bytes:
    """The body with the secret in it, where the scheme's sender has it there; any other body is returned as it is.

    Args:
        scheme: how to sign.
        secret: the secret's own text.
        body: with something at the place where the secret belongs.

    Raises:
        ConfigurationError: it has no such place.
    """
    return scheme.filled(secret, body)
