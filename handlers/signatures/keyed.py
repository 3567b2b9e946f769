"""HMAC of a template around the body, in a header of its own: Makini, GitHub, Slack, Shopify and `hmac = {…}`."""

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handlers.errors import ConfigurationError
from handlers.signatures.base import MALFORMED_SIGNATURE, NO_SIGNATURE, Claim, Scheme, Signature
from handlers.signatures.encodings import DECODERS, entries, timestamp

SIZES: Final[Mapping[str, int]] = {"sha1": 20, "sha256": 32, "sha512": 64}
"""Length of each digest in bytes (FIPS 180-4, figure 1)."""

BODY: Final = "{body}"
TIMESTAMP: Final = "{timestamp}"

_HEADER_VALUE = re.compile(r"[\x21-\x7e]+(?: +[\x21-\x7e]+)*")


def keyed_digest(algorithm: str, secret: bytes, message: bytes) -> bytes:
    """HMAC (RFC 2104) of a message; the only place that makes one."""
    return hmac.digest(secret, message, algorithm)


def any_equal(expected: bytes, candidates: tuple[bytes, ...]) -> bool:
    """Compares each candidate in constant time, without stopping at one that matches; none still costs one."""
    found = False
    for candidate in candidates or (bytes(len(expected)),):
        found = hmac.compare_digest(expected, candidate) or found
    return found and bool(candidates)


def id_headers(name: str | None, message_id: str | None) -> dict[str, str]:
    """The header of a delivery's id, if there is both a name and an id.

    Raises:
        ConfigurationError: the id is no header value (printable ASCII, no line breaks).
    """
    if message_id is not None and not _HEADER_VALUE.fullmatch(message_id):
        raise ConfigurationError(["event id: cannot be sent in a header; use printable ASCII without line breaks"])
    return {name: message_id} if name and message_id else {}


@dataclass(frozen=True, kw_only=True)
class KeyedScheme(Scheme):
    """An HMAC in one header, over a template with the body in it.

    Attributes:
        header: lower-case name of the signature's header; a comma-separated list of signatures is accepted.
        algorithm: `sha1`, `sha256` or `sha512`.
        encodings: those accepted, of `hex` and `base64`; the first is the one we sign with.
        prefix: what stands before each signature, such as `sha256=`.
        prefix_optional: whether a signature without the prefix is accepted too.
        signed: the template: `{body}` once, `{timestamp}` where there is a timestamp header.
        timestamp_header: lower-case name of the header with the Unix seconds that were signed.
    """

    header: str
    algorithm: str = "sha256"
    encodings: tuple[str, ...] = ("hex",)
    prefix: str = ""
    prefix_optional: bool = False
    signed: str = BODY
    timestamp_header: str | None = None

    @property
    def secret_headers(self) -> frozenset[str]:
        """The signature's header."""
        return frozenset((self.header,))

    @property
    def sought(self) -> tuple[str, ...]:
        """The signature's header and the timestamp's."""
        return (self.header,) if self.timestamp_header is None else (self.header, self.timestamp_header)

    @property
    def expects(self) -> str:
        """Prefix, length and encoding."""
        size = SIZES[self.algorithm]
        lengths = {"hex": 2 * size, "base64": 4 * ((size + 2) // 3)}
        forms = " or ".join(f"{lengths[each]} characters of {each}" for each in self.encodings)
        if not self.prefix:
            return forms
        return f"`{self.prefix}`{' (optional)' if self.prefix_optional else ''} and {forms}"

    def claim(self, headers: Mapping[str, str], body: bytes) -> Claim:
        """Reads the list of signatures and, where it is signed, the timestamp."""
        found = headers.get(self.header)
        if not found:
            return Claim(body, fault=NO_SIGNATURE)
        signatures = tuple(Signature("", value) for entry in entries(found, ",") if (value := self._decode(entry)))
        stamp_text = "" if self.timestamp_header is None else headers.get(self.timestamp_header, "")
        stamp = timestamp(stamp_text)
        if not signatures or (self.timestamp_header is not None and stamp is None):
            return Claim(body, signatures, fault=MALFORMED_SIGNATURE)
        return Claim(self._signed(stamp_text, body), signatures, stamp)

    def matches(self, secret: bytes, claim: Claim) -> bool:
        """One HMAC, then a comparison an entry."""
        expected = keyed_digest(self.algorithm, secret, claim.signed)
        return any_equal(expected, tuple(each.value for each in claim.signatures))

    def sign(self, secret: bytes, body: bytes, *, now: float, message_id: str | None) -> dict[str, str]:
        """Signature, timestamp and id, each where the scheme has a header for it."""
        stamp_text = str(int(now))
        digest = keyed_digest(self.algorithm, secret, self._signed(stamp_text, body))
        encoded = digest.hex() if self.encodings[0] == "hex" else base64.b64encode(digest).decode()
        headers = {self.header: ("" if self.prefix_optional else self.prefix) + encoded}
        if self.timestamp_header is not None:
            headers[self.timestamp_header] = stamp_text
        return headers | id_headers(self.id_header, message_id)

    def _decode(self, entry: str) -> bytes | None:
        if entry.startswith(self.prefix):
            entry = entry.removeprefix(self.prefix)
        elif not self.prefix_optional:
            return None
        for encoding in self.encodings:
            value = DECODERS[encoding](entry, SIZES[self.algorithm])
            if value is not None:
                return value
        return None

    def _signed(self, stamp_text: str, body: bytes) -> bytes:
        if self.signed == BODY:
            return body
        before, _, after = self.signed.partition(BODY)
        return before.replace(TIMESTAMP, stamp_text).encode() + body + after.replace(TIMESTAMP, stamp_text).encode()
