"""Standard Webhooks 1.0.0, symmetric (v1) and asymmetric (v1a).

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme" and "Webhook
headers". Svix sends the same under `svix-*` (docs.svix.com/receiving/verifying-payloads/how-manual).
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from handlers.errors import ConfigurationError
from handlers.signatures.base import (
    MALFORMED_SIGNATURE,
    NO_SIGNATURE,
    TOLERANCE_SECONDS,
    Claim,
    Scheme,
    Signature,
    decoy_secrets,
)
from handlers.signatures.encodings import entries, from_base64, timestamp, wire
from handlers.signatures.keyed import any_equal, id_headers, keyed_digest

SYMMETRIC: Final = b"whsec_"
PUBLIC: Final = b"whpk_"
PRIVATE: Final = b"whsk_"

SIGNATURE_SIZES: Final[Mapping[str, int]] = {"v1": 32, "v1a": 64}
"""Bytes of an HMAC-SHA256 and of an Ed25519 signature (RFC 8032, section 5.1.6)."""

KEY_SIZE: Final = 32
"""Bytes of an Ed25519 public key and of a private key's seed, which a `whsk_` holds before the public key."""


def _decoded(text: bytes) -> bytes | None:
    """A secret's base64, padded or not as the reference library reads it; None where it is none or empty."""
    try:
        return binascii.a2b_base64(text.rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4), strict_mode=True) or None
    except ValueError:
        return None


def _public_key(secret: bytes) -> Ed25519PublicKey | None:
    raw = _decoded(secret.removeprefix(PUBLIC))
    return Ed25519PublicKey.from_public_bytes(raw) if raw is not None and len(raw) == KEY_SIZE else None


def _verified(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class StandardScheme(Scheme):
    """`webhook-id`, `webhook-timestamp` and `webhook-signature`, or the same three under `svix-`.

    Which algorithm counts is the secret's to say, never the sender's: a `whpk_` key verifies v1a alone, so that a
    public key can never serve as an HMAC secret.
    """

    tolerance: float | None = TOLERANCE_SECONDS
    id_header: str | None = "webhook-id"

    @property
    def secret_headers(self) -> frozenset[str]:
        """Both families' signature."""
        return frozenset(("webhook-signature", "svix-signature"))

    @property
    def sought(self) -> tuple[str, ...]:
        """Both families; `webhook-` goes first."""
        parts = ("signature", "timestamp", "id")
        return tuple(f"{family}-{part}" for family in ("webhook", "svix") for part in parts)

    @property
    def expects(self) -> str:
        """The entries of the list."""
        return "`v1,` and 44 characters of base64, or `v1a,` and 88, separated by spaces"

    def claim(self, headers: Mapping[str, str], body: bytes) -> Claim:
        """Reads the three headers of one family."""
        family = _family(headers)
        found = headers.get(f"{family}-signature")
        if not found:
            return Claim(body, fault=NO_SIGNATURE)
        signatures = tuple(
            Signature(version, value)
            for version, _, text in (entry.partition(",") for entry in entries(found, " "))
            if version in SIGNATURE_SIZES and (value := from_base64(text, SIGNATURE_SIZES[version]))
        )
        message_id = wire(headers.get(f"{family}-id", ""))
        stamp_text = headers.get(f"{family}-timestamp", "")
        stamp = timestamp(stamp_text)
        if not signatures or not message_id or stamp is None:
            return Claim(body, signatures, fault=MALFORMED_SIGNATURE)
        return Claim(b"%b.%b.%b" % (message_id, stamp_text.encode(), body), signatures, stamp)

    def matches(self, secret: bytes, claim: Claim) -> bool:
        """One HMAC, or one Ed25519 check an entry."""
        if secret.startswith(PUBLIC):
            return _any_verified(_public_key(secret), claim)
        usable = self.secret_problem(secret) is None
        key = _decoded(secret.removeprefix(SYMMETRIC)) if usable else None
        expected = keyed_digest("sha256", key or decoy_secrets()[0], claim.signed)
        return any_equal(expected, tuple(each.value for each in claim.signatures if each.version == "v1")) and usable

    def sign(self, secret: bytes, body: bytes, *, now: float, message_id: str | None) -> dict[str, str]:
        """The three `webhook-` headers, v1 or, with a private key, v1a."""
        stamp_text = str(int(now))
        if message_id is None:
            message_id = "msg_" + hashlib.sha256(f"{now}.".encode() + body).hexdigest()[:32]
        headers = id_headers("webhook-id", message_id)
        signed = f"{message_id}.{stamp_text}.".encode() + body
        return headers | {"webhook-timestamp": stamp_text, "webhook-signature": _signature(secret, signed)}

    def secret_problem(self, secret: bytes) -> str | None:
        """Why a secret is no key of this scheme."""
        if secret.startswith(PRIVATE):
            return "is a private signing key (whsk_); verify with its public key (whpk_)"
        if secret.startswith(PUBLIC):
            return None if _public_key(secret) is not None else "is not whpk_ and base64 of 32 bytes"
        return None if _decoded(secret.removeprefix(SYMMETRIC)) else "is not base64, with or without whsec_ before it"

    def message_id(self, headers: Mapping[str, str]) -> str | None:
        """The id of the family that is verified, the signature's header being there or not."""
        return headers.get(f"{_family(headers)}-id") or None


def _family(headers: Mapping[str, str]) -> str:
    """`webhook` if any header is of it, so that what was dropped for its secrecy does not change the answer."""
    parts = ("id", "timestamp", "signature")
    if not any(f"webhook-{part}" in headers for part in parts) and any(f"svix-{part}" in headers for part in parts):
        return "svix"
    return "webhook"


def _any_verified(key: Ed25519PublicKey | None, claim: Claim) -> bool:
    if key is None:
        return False
    candidates = [each.value for each in claim.signatures if each.version == "v1a"]
    found = False
    for candidate in candidates or (bytes(SIGNATURE_SIZES["v1a"]),):
        found = _verified(key, candidate, claim.signed) or found
    return found and bool(candidates)


def _signature(secret: bytes, signed: bytes) -> str:
    if secret.startswith(PRIVATE):
        seed = (_decoded(secret.removeprefix(PRIVATE)) or b"")[:KEY_SIZE]
        if len(seed) == KEY_SIZE:
            return "v1a," + base64.b64encode(Ed25519PrivateKey.from_private_bytes(seed).sign(signed)).decode()
        raise ConfigurationError(["secret: is not whsk_ and base64 of 64 bytes; copy the signing key again"])
    if secret.startswith(PUBLIC):
        raise ConfigurationError(["secret: a public key (whpk_) cannot sign; sign with its private key (whsk_)"])
    key = _decoded(secret.removeprefix(SYMMETRIC))
    if key is None:
        raise ConfigurationError(["secret: is not base64, with or without whsec_ before it; copy it again"])
    return "v1," + base64.b64encode(keyed_digest("sha256", key, signed)).decode()
