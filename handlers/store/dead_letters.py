"""Dead letters: what could not be applied, and all that is known about why. Burying cannot fail."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa

from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters

MESSAGE_LIMIT = 2_000
"""Characters kept of a message or a traceback's end; more would only repeat itself."""
OPEN, SUPERSEDED = "open", "superseded"


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


def fingerprint(letter: Letter) -> str:
    """Groups letters of one cause: the error and its place, list positions and values left out."""
    path = "".join(part for part in (letter.path or "") if not part.isdigit())
    return sha256(f"{letter.code}\n{letter.error_class}\n{path}\n{letter.place}".encode()).hexdigest()[:16]


def bury(tx: Transaction, letters: Sequence[Letter], now: datetime) -> list[Letter]:
    """Writes dead letters; one whose bytes have an open letter already adds an attempt to that.

    Returns:
        The letters that are new.
    """
    fresh: dict[tuple[str, str], Letter] = {}
    for letter in sorted(letters, key=lambda each: (each.connection_id, each.digest, each.received_at)):
        fresh.setdefault((letter.connection_id, letter.digest), letter)
    rows = [_row(letter, now) for letter in fresh.values()]
    names = ("delivery_id", "event_index")
    inserted = {tuple(row) for row in tx.insert_missing(dead_letters, rows, returning=names)}
    new = [letter for letter in fresh.values() if (letter.delivery_id, letter.index) in inserted]
    _add_attempts(tx, [letter for letter in letters if letter not in new], now)
    return new


def supersede(tx: Transaction, digests: Sequence[tuple[str, str]]) -> None:
    """Closes the open letters of events (connection, digest) that have been applied after all."""
    rows = [{"connection_id": connection, "digest": digest} for connection, digest in sorted(set(digests))]
    if rows:
        source = tx.rows(dead_letters, ("connection_id", "digest"))
        statement = (
            sa.update(dead_letters)
            .values(state=SUPERSEDED)
            .where(dead_letters.c.connection_id == source.c.connection_id, dead_letters.c.digest == source.c.digest)
            .where(dead_letters.c.state == sa.literal_column(f"'{OPEN}'"))
        )
        tx.run(statement, rows)


def _add_attempts(tx: Transaction, letters: Sequence[Letter], now: datetime) -> None:
    by_bytes: dict[tuple[str, str], list[Letter]] = {}
    for letter in letters:
        by_bytes.setdefault((letter.connection_id, letter.digest), []).append(letter)
    wanted = [{"connection_id": connection, "digest": digest, "state": OPEN} for connection, digest in sorted(by_bytes)]
    columns = ("delivery_id", "event_index", "connection_id", "digest", "attempts")
    known = tx.select(dead_letters, wanted, columns, lock=True)
    rows = [
        {
            "delivery_id": row.delivery_id,
            "event_index": row.event_index,
            "attempts": [*row.attempts, *(_attempt(each, now) for each in by_bytes[row.connection_id, row.digest])],
        }
        for row in known
    ]
    tx.update(dead_letters, rows, ("delivery_id", "event_index"))


def _attempt(letter: Letter, now: datetime) -> dict[str, Any]:
    return {
        "at": now.isoformat(),
        "code": letter.code,
        "message": _clean(letter.message),
        "delivery": letter.delivery_id,
    }


def _row(letter: Letter, now: datetime) -> dict[str, Any]:
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
        "attempts": [*letter.attempts, _attempt(letter, now)],
        "state": OPEN,
        "first_seen_at": letter.received_at,
        "buried_at": now,
    }


def _clean(text: str) -> str:
    """Text that every database takes, cut to a length that people read."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()[:MESSAGE_LIMIT]
