"""Dead letters: what could not be applied, and all that is known about why. Burying cannot fail."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from handlers.store.letter import Letter, attempt_of, row_of, together
from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters

OPEN = "open"
"""Somebody, or the scheduler once its time has come, has to do something; a replay or a repeat moves it out."""
REPLAYED = "replayed"
"""Sent on its way again; if that fails it is open once more."""
DISCARDED = "discarded"
"""An operator gave it up; nothing moves it out."""
SUPERSEDED = "superseded"
"""Something else stands in its place: a repeat that was applied or is buried, or a corrected copy."""
STATES = (OPEN, REPLAYED, DISCARDED, SUPERSEDED)
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
"""Between times that the scheduler sends the same letter: doubling, for each adds an attempt to its list."""

KEY = ("delivery_id", "event_index")
BYTES = ("connection_id", "digest")
IS_OPEN = dead_letters.c.state == sa.literal_column(f"'{OPEN}'")
"""Written out, so that the partial indexes serve."""
IS_CORRECTED = dead_letters.c.edited_into.is_not(None)


def bury(tx: Transaction, letters: Sequence[Letter], now: datetime) -> list[Letter]:
    """Writes dead letters.

    One that was replayed is open again, with the attempt added. One whose bytes have an open letter already adds an
    attempt to that, and so does one whose bytes have been corrected by an operator: the corrected copy stands for it.
    A discarded letter stays as it is.

    Returns:
        The letters that are new.
    """
    corrected = {tuple(row) for row in _of_bytes(tx, letters, BYTES, IS_CORRECTED)}
    fresh: dict[tuple[str, str], Letter] = {}
    for letter in sorted(letters, key=lambda each: (each.connection_id, each.digest, each.received_at)):
        if (letter.connection_id, letter.digest) not in corrected:
            fresh.setdefault((letter.connection_id, letter.digest), letter)
    rows = [{**row_of(letter, now), "state": OPEN} for letter in fresh.values()]
    inserted = {tuple(row) for row in tx.insert_missing(dead_letters, rows, returning=KEY)}
    new = [letter for letter in fresh.values() if (letter.delivery_id, letter.index) in inserted]
    told = {id(letter) for letter in new}
    again = [letter for letter in letters if id(letter) not in told]
    told |= _reopen(tx, again, now)
    _add_attempts(tx, [letter for letter in again if id(letter) not in told], now)
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
            .where(IS_OPEN)
        )
        tx.run(statement, rows)


def left_out(tx: Transaction, deliveries: Iterable[str]) -> set[tuple[str, int]]:
    """What of some deliveries (delivery id, index) has left the set: given up by an operator, or corrected."""
    wanted = sorted(set(deliveries))
    if not wanted:
        return set()
    statement = sa.select(dead_letters.c.delivery_id, dead_letters.c.event_index).where(
        dead_letters.c.delivery_id.in_(wanted),
        sa.or_(dead_letters.c.state == DISCARDED, IS_CORRECTED),
    )
    return {(row.delivery_id, row.event_index) for row in tx.connection.execute(statement)}


def _reopen(tx: Transaction, letters: Sequence[Letter], now: datetime) -> set[int]:
    """Opens the letters that were sent on their way and have failed again; returns which (by `id`) that told."""
    by_key = {(letter.delivery_id, letter.index): letter for letter in letters}
    wanted = [{**dict(zip(KEY, key, strict=True)), "state": REPLAYED} for key in sorted(by_key)]
    sent = tx.select(dead_letters, wanted, (*KEY, *BYTES, "attempts"), lock=True)
    if not sent:
        return set()
    taken = {tuple(row) for row in _of_bytes(tx, list(by_key.values()), BYTES, IS_OPEN)}
    opened, replaced, told = [], [], set()
    for row in sent:
        letter = by_key[row.delivery_id, row.event_index]
        if (row.connection_id, row.digest) in taken:
            # A repeat of the same bytes has been buried meanwhile: that letter takes the attempt.
            replaced.append({**dict(zip(KEY, row[:2], strict=True)), "state": SUPERSEDED})
            continue
        taken.add((row.connection_id, row.digest))
        told.add(id(letter))
        attempts = together(row.attempts, [*letter.attempts, attempt_of(letter, now)])
        known = {**row_of(letter, now), "state": OPEN}
        kept = {name: value for name, value in known.items() if name not in {*BYTES, "first_seen_at"}}
        opened.append({**kept, "attempts": attempts, "retry_at": _paused(known, len(attempts), now)})
    tx.update(dead_letters, opened, KEY)
    tx.update(dead_letters, replaced, KEY)
    return told


def _paused(known: dict[str, Any], attempts: int, now: datetime) -> datetime | None:
    """When the scheduler sends a letter that has come back; not at once, for it may come back again and again.

    One that waits for an id is sent only once somebody has registered that, so that it need not wait ever longer.
    """
    retry_at: datetime | None = known["retry_at"]
    if retry_at is None:
        return None
    if known["waits_for"] is not None:
        return now + FIRST_PAUSE
    return max(retry_at, now + min(FIRST_PAUSE * (1 << min(attempts - 1, 20)), LONGEST_PAUSE))


def _add_attempts(tx: Transaction, letters: Sequence[Letter], now: datetime) -> None:
    """Adds attempts to the open or corrected letters of the same bytes; one that stands there already is told once.

    It stands there where a batch is done again because nobody heard that it was committed.
    """
    by_bytes: dict[tuple[str, str], list[Letter]] = {}
    for letter in letters:
        by_bytes.setdefault((letter.connection_id, letter.digest), []).append(letter)
    rows = []
    for condition in (IS_OPEN, IS_CORRECTED):
        for row in _of_bytes(tx, letters, (*KEY, *BYTES, "attempts"), condition, lock=True):
            known = {(attempt.get("delivery"), attempt.get("index")) for attempt in row.attempts}
            told = [
                attempt
                for letter in by_bytes[row.connection_id, row.digest]
                if (letter.delivery_id, letter.index) not in known
                for attempt in (*letter.attempts, attempt_of(letter, now))
            ]
            rows.append({**dict(zip(KEY, row[:2], strict=True)), "attempts": together(row.attempts, told)})
    tx.update(dead_letters, rows, KEY)


def _of_bytes(
    tx: Transaction,
    letters: Sequence[Letter],
    columns: Sequence[str],
    condition: sa.ColumnElement[bool],
    *,
    lock: bool = False,
) -> list[sa.Row[Any]]:
    """Kept letters of the same connection and bytes as some others, by their key."""
    rows = [dict(zip(BYTES, each, strict=True)) for each in sorted({(a.connection_id, a.digest) for a in letters})]
    if not rows:
        return []
    source = tx.rows(dead_letters, BYTES)
    statement = (
        sa.select(*(dead_letters.c[name] for name in columns))
        .join_from(dead_letters, source, sa.and_(*(dead_letters.c[name] == source.c[name] for name in BYTES)))
        .where(condition)
        .order_by(*dead_letters.primary_key.columns)
    )
    return list(tx.run(statement.with_for_update(of=dead_letters) if lock else statement, rows))
