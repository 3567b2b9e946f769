"""Time and signatures in one header, `t=…,v1=…`: Stripe, and those who took it over, such as MaintainX."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handlers.signatures.base import MALFORMED_SIGNATURE, NO_SIGNATURE, TOLERANCE_SECONDS, Claim, Scheme, Signature
from handlers.signatures.encodings import entries, from_hex, timestamp
from handlers.signatures.keyed import SIZES, any_equal, id_headers, keyed_digest

EARLIEST_MILLISECONDS: Final = 1_000_000_000_000
"""Seen as seconds this is the year 33658, as milliseconds 2001."""


@dataclass(frozen=True, kw_only=True)
class StampedScheme(Scheme):
    """`t=<Unix seconds>` and one or more `v1=<hex HMAC-SHA256 of "t.body">`; other entries are passed over.

    Attributes:
        header: lower-case name of the header.
        other_headers: lower-case names of headers that carry signatures too and are not read.
        reads_milliseconds: whether a time that can only be in milliseconds is taken as such; what is signed is its
            text, as it was sent.
    """

    header: str
    other_headers: frozenset[str] = frozenset()
    reads_milliseconds: bool = False
    tolerance: float | None = TOLERANCE_SECONDS

    @property
    def secret_headers(self) -> frozenset[str]:
        """The one header, and those passed over."""
        return frozenset((self.header,)) | self.other_headers

    @property
    def sought(self) -> tuple[str, ...]:
        """The one header."""
        return (self.header,)

    @property
    def expects(self) -> str:
        """The header's entries."""
        return "`t=` and Unix seconds, then `v1=` and 64 characters of hex, separated by commas"

    def claim(self, headers: Mapping[str, str], body: bytes) -> Claim:
        """Reads exactly one time and at least one `v1`."""
        found = headers.get(self.header)
        if not found:
            return Claim(body, fault=NO_SIGNATURE)
        pairs = [entry.partition("=") for entry in entries(found, ",")]
        times = [value for name, _, value in pairs if name == "t"]
        signatures = tuple(
            Signature(name, decoded)
            for name, _, value in pairs
            if name == "v1" and (decoded := from_hex(value, SIZES["sha256"]))
        )
        stamp = timestamp(times[0]) if len(times) == 1 else None
        if stamp is None or not signatures:
            return Claim(body, signatures, fault=MALFORMED_SIGNATURE)
        if self.reads_milliseconds and stamp >= EARLIEST_MILLISECONDS:
            stamp //= 1000
        return Claim(f"{times[0]}.".encode() + body, signatures, stamp)

    def matches(self, secret: bytes, claim: Claim) -> bool:
        """One HMAC, then a comparison an entry."""
        expected = keyed_digest("sha256", secret, claim.signed)
        return any_equal(expected, tuple(each.value for each in claim.signatures))

    def sign(self, secret: bytes, body: bytes, *, now: float, message_id: str | None) -> dict[str, str]:
        """The header with one time and one signature."""
        stamp_text = str(int(now))
        digest = keyed_digest("sha256", secret, f"{stamp_text}.".encode() + body)
        return {self.header: f"t={stamp_text},v1={digest.hex()}"} | id_headers(self.id_header, message_id)
