"""How requests end, as the metrics name it: known before it happens, so that its first time is seen as a rise."""

from collections.abc import Container, Iterable
from typing import Final

from handlers.connections import Address
from receiver import problems
from receiver.handshakes import HANDSHAKE
from worker.queue import Refusal
from worker.telemetry import SECRET_UNRESOLVED, SIGNATURE_SECRET_USED, WEBHOOKS_RECEIVED

ACCEPTED: Final = "accepted"
UNKNOWN: Final = "unknown"
"""Label of whatever names no connection of ours: a stranger must not choose label values."""

OUR_FAULT: Final = frozenset(
    {
        "broker_full",
        "broker_loading",
        "broker_not_durable",
        "broker_read_only",
        "broker_refused",
        "broker_slow",
        "broker_unavailable",
        "enqueue_failed",
        problems.DISK_FULL.type,
        problems.SECRET_UNRESOLVED.type,
        problems.TOO_MUCH_UNFINISHED.type,
        Refusal.OVER_MARK.value,
    }
)
"""Answered 503: what counts against the objective of ingest availability."""
UNVERIFIED: Final = frozenset({"no_signature", "malformed_signature", "wrong_signature", "stale_timestamp"})
OF_ADDRESS: Final = (
    OUR_FAULT
    | UNVERIFIED
    | {
        ACCEPTED,
        problems.BODY_TOO_LARGE.type,
        problems.RATE_LIMITED.type,
        Refusal.OVER_SHARE.value,
        Refusal.REVOKED.value,
    }
)
"""What a request to an address that we know may end with."""
OF_STRANGERS: Final = frozenset(
    {
        "unknown_connection",
        problems.BAD_REQUEST.type,
        problems.BODY_TOO_LARGE.type,
        problems.FAILED.type,
        problems.HEADERS_TOO_LARGE.type,
        problems.METHOD_NOT_ALLOWED.type,
        problems.NOT_FOUND.type,
        problems.REQUEST_TIMEOUT.type,
        problems.TOO_MUCH_UNFINISHED.type,
    }
)
"""Any other request."""


def begin_counting(addresses: Iterable[Address]) -> None:
    """Shows zeroes for what has not happened yet; called again when the registry has changed."""
    for outcome in OF_STRANGERS:
        WEBHOOKS_RECEIVED.labels(UNKNOWN, outcome)
    for address in addresses:
        for outcome in (*OF_ADDRESS, *([HANDSHAKE] if address.handshakes else [])):
            WEBHOOKS_RECEIVED.labels(address.id, outcome)
        for position in range(len(address.secrets)):
            SIGNATURE_SECRET_USED.labels(address.id, str(position))


def tell_unresolved(addresses: Iterable[str], unresolved: Container[str]) -> None:
    """Shows which addresses have a secret that cannot be had, or only its last value.

    Args:
        addresses: all of them by name, those that have just gone among them.
        unresolved: those.
    """
    for name in addresses:
        SECRET_UNRESOLVED.labels(name).set(int(name in unresolved))
