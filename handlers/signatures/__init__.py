"""Signatures of webhooks: whether these bytes were signed with one of these secrets, and by whom when.

Pure: no clock, no file, no network; the receiver hands over bytes, headers, secrets and the time. A new scheme is one
entry in `handlers.signatures.known`, with a class of its own only where it signs in a way that none before it does.
"""

from handlers.signatures.base import (
    MALFORMED_SIGNATURE,
    NO_SIGNATURE,
    QUERY,
    STALE_TIMESTAMP,
    TOLERANCE_SECONDS,
    WRONG_SIGNATURE,
    Scheme,
    Verdict,
    decoy_secrets,
    filled,
    sign,
    verify,
)
from handlers.signatures.explanation import Explanation, Step, explain
from handlers.signatures.known import FAMILIES, SCHEMES, scheme
from handlers.signatures.pointer import Pointer, pointer, pointer_problem

__all__ = [
    "FAMILIES",
    "MALFORMED_SIGNATURE",
    "NO_SIGNATURE",
    "QUERY",
    "SCHEMES",
    "STALE_TIMESTAMP",
    "TOLERANCE_SECONDS",
    "WRONG_SIGNATURE",
    "Explanation",
    "Pointer",
    "Scheme",
    "Step",
    "Verdict",
    "decoy_secrets",
    "explain",
    "filled",
    "pointer",
    "pointer_problem",
    "scheme",
    "sign",
    "verify",
]
