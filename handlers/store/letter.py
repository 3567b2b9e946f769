"""A dead letter as a value, and as the columns of its row: whatever it holds, a database takes it."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from handlers.rules.times import kept_instant

MESSAGE_LIMIT = 2_000
"""Characters kept of a message or a traceback's end; more would only repeat itself."""
TYPE_LIMIT = 200
"""Characters kept of what an event says its type is."""
WAITS_FOR_LIMIT = 200
"""Characters of an id that somebody may yet register, which has no more (`handlers.connections.fields`); an index of
PostgreSQL would not take any number of them."""
MOST_ATTEMPTS = 100
"""Kept of a letter. Each repeat of bytes that cannot be read adds one, and rewrites all of them."""
FIRST_ATTEMPTS = 20
"""Of these; the others are the latest."""
UNKNOWN_CONNECTION = "unknown_connection"
"""Code of what waits for its connection to be registered."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter to be.

    Attributes:
        delivery_id: the delivery that has the bytes.
        index: the event's place in it.
        connection_id: whose.
        digest: SHA-256 of the event's own bytes, or of the body.
        code: stable slug of the error.
        error_class: name of the exception's class.
        message: what was wrong, for people; no value of the payload in it.
        path: JSON path of it, if one is known.
        found: type of what was found there.
        expected: what should have been there.
        traceback: for an error nobody foresaw.
        place: where in our code an unforeseen error was raised, for its fingerprint.
        received_at: when the delivery came.
        attempts: earlier attempts, each `{"at", "code", "message"}`.
        type: what the event says it is, if that could be read.
        retry_at: when it will be right by itself, if it will.
        waits_for: the external id that nobody has registered at its endpoint, if it is that.
    """

    delivery_id: str
    index: int
    connection_id: str
    digest: str
    code: str
    error_class: str
    message: str
    received_at: datetime
    path: str | None = None
    found: str | None = None
    expected: str | None = None
    traceback: str | None = None
    place: str = ""
    attempts: Sequence[dict[str, Any]] = ()
    type: str | None = None
    retry_at: datetime | None = None
    waits_for: str | None = None


def fingerprint(letter: Letter) -> str:
    """Groups letters of one cause: the error and its place, list positions and values left out."""
    path = "".join(part for part in (letter.path or "") if not part.isdigit())
    cause = f"{letter.code}\n{letter.error_class}\n{path}\n{letter.place}"
    return sha256(cause.encode(errors="replace")).hexdigest()[:16]


def together(known: Sequence[dict[str, Any]], told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A letter's attempts and those that came after them, oldest first.

    Args:
        known: as they are kept.
        told: each as `{"at", "code", "message", …}`.

    Returns:
        Of more than `MOST_ATTEMPTS` the first and the latest; between them one that stands for `left_out` of them.
    """
    attempts = [*known, *told]
    over = len(attempts) - MOST_ATTEMPTS
    if over <= 0:
        return attempts
    gone = attempts[FIRST_ATTEMPTS : FIRST_ATTEMPTS + over + 1]
    number = made(gone)
    message = f"{number} attempts in a row, of which this was the last, are told as one"
    stand_in = {"at": gone[-1]["at"], "code": gone[-1]["code"], "message": message, "left_out": number}
    return [*attempts[:FIRST_ATTEMPTS], stand_in, *attempts[FIRST_ATTEMPTS + over + 1 :]]


def made(attempts: Sequence[dict[str, Any]]) -> int:
    """How many attempts a letter tells of."""
    return sum(attempt.get("left_out", 1) for attempt in attempts)


def attempt_of(letter: Letter, now: datetime) -> dict[str, Any]:
    """What a letter's list of attempts says of this one."""
    return {
        "at": kept_instant(now),
        "code": letter.code,
        "message": _clean(letter.message),
        "delivery": letter.delivery_id,
        "index": letter.index,
    }


def row_of(letter: Letter, now: datetime) -> dict[str, Any]:
    """Its columns, but for the state."""
    waits_for = letter.waits_for if len(letter.waits_for or "") <= WAITS_FOR_LIMIT else None
    return {
        "delivery_id": letter.delivery_id,
        "event_index": letter.index,
        "connection_id": letter.connection_id,
        "digest": letter.digest,
        "code": letter.code,
        "class": letter.error_class,
        "message": _clean(letter.message),
        "path": None if letter.path is None else _clean(letter.path),
        "found": letter.found,
        "expected": letter.expected,
        "traceback": None if letter.traceback is None else _clean(letter.traceback[-MESSAGE_LIMIT:]),
        "fingerprint": fingerprint(letter),
        "attempts": [*letter.attempts, attempt_of(letter, now)],
        "first_seen_at": letter.received_at,
        "buried_at": now,
        "type": None if letter.type is None else _clean(letter.type)[:TYPE_LIMIT],
        "retry_at": now if letter.code == UNKNOWN_CONNECTION else letter.retry_at,
        "waits_for": None if waits_for is None else _clean(waits_for),
    }


def _clean(text: str) -> str:
    """Text that every database takes, cut to a length that people read."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()[:MESSAGE_LIMIT]
