"""What an operator does to dead letters and events at once, each act with its row in the audit log."""

import contextlib
import difflib
import os
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from handlers.errors import PermanentError
from handlers.events import WHOLE_BODY, Delivery, Json
from handlers.rules.times import kept_instant
from handlers.store import letter_acts
from handlers.store.audit import Act, append
from handlers.store.engine import Database
from handlers.store.purged import PURGED, since_when
from handlers.store.read_letters import KeptLetter, Key, name_of
from handlers.store.rowset import Transaction
from worker.tracing import traceparent

KEPT_HEADERS = frozenset({"content-type"})
"""What a corrected element of an array takes over from its delivery: an id there named the whole."""
NAMED_LETTERS = 1_000
"""Names of letters in one row of the audit log; of more the filters and the count must do."""


class Operator(NamedTuple):
    """Who acts, and why."""

    who: str
    reason: str

    def did(self, act: str, told: dict[str, Json], outcome: dict[str, Json]) -> Act:
        """What the audit log says of it.

        Args:
            act: as a slug, such as `dead_letters.discard`.
            told: on what: filters, counts, names of letters; never a payload.
            outcome: what it came to.
        """
        return Act(who=self.who, act=act, reason=self.reason, plan=told, outcome=outcome)


def discard(
    database: Database, keys: Sequence[Key], filters: dict[str, Json], operator: Operator, now: datetime
) -> list[Key]:
    """Gives open letters up for good; returns those that were open."""
    with database.write() as connection:
        tx = Transaction(connection)
        gone = letter_acts.discard(tx, keys)
        outcome: dict[str, Json] = {"discarded": len(gone), "letters": [name_of(key) for key in gone[:NAMED_LETTERS]]}
        append(tx, operator.did("dead_letters.discard", {"filters": filters, "matched": len(keys)}, outcome), now)
    return gone


def edit(
    database: Database, letter: KeptLetter, original: Delivery, body: bytes, *, operator: Operator, now: datetime
) -> Delivery:
    """Puts a corrected copy in an open letter's place and sends it on its way.

    Args:
        database: where both are kept.
        letter: the one to be corrected.
        original: the delivery it came in.
        body: the corrected bytes of the event, or of the whole body.
        operator: who corrected it, and why.
        now: the clock.

    Returns:
        The copy.

    Raises:
        PermanentError: of code `not_open`: somebody else was faster; nothing is changed.
    """
    headers = original.headers
    if body_is_part(original, letter):
        headers = {name: value for name, value in headers.items() if name in KEPT_HEADERS}
    copy = Delivery(
        delivery_id=new_id(now),
        connection_id=letter.connection_id,
        received_at=now,
        body=body,
        headers={**headers, "traceparent": traceparent(original.delivery_id)},  # its trace has a link to the first
        verdict=f"edited by {operator.who}",
        secret_position=original.secret_position,
    )
    with database.write() as connection:
        tx = Transaction(connection)
        letter_acts.correct(tx, letter.key, copy, now)
        told: dict[str, Json] = {"letter": letter.name, "error": letter.code, "bytes": len(body)}
        append(tx, operator.did("dead_letters.edit", told, {"edited_into": copy.delivery_id}), now)
    return copy


def again(
    database: Database, events: Sequence[tuple[str, int, str]], asked: str, operator: Operator, now: datetime
) -> int:
    """Has events (delivery, index, connection) worked on once more, which changes nothing where they are applied.

    Returns:
        How many were not on their way already.

    Raises:
        PermanentError: of code `purged`: the bytes of one are gone; nothing is changed.
    """
    with database.write() as connection:
        tx = Transaction(connection)
        for name, at in since_when(tx, [delivery_id for delivery_id, _, _ in events]).items():
            raise PermanentError(PURGED, f"{name} cannot be worked on again: {purged_words(at)}")
        sent = letter_acts.ring(tx, events, now)
        told: dict[str, Json] = {"asked": asked, "matched": len(events)}
        append(tx, operator.did("events.replay", told, {"sent": len(sent)}), now)
    return len(sent)


def purged_words(at: datetime) -> str:
    """What is to be said of a delivery whose bytes are gone since then."""
    return f"its bytes were purged at {kept_instant(at)}; what it told is kept, as it was read then"


def body_is_part(original: Delivery, letter: KeptLetter) -> bool:
    """Whether a letter is about one event of several that its delivery may hold."""
    return letter.event_index != WHOLE_BODY and original.body.lstrip()[:1] != b"{"


def diff(before: bytes, after: bytes, names: tuple[str, str]) -> list[str]:
    """The difference of two bodies, as lines of a unified diff; JSON is laid out first, so that members stand alone."""
    return list(difflib.unified_diff(_laid_out(before), _laid_out(after), *names, lineterm=""))


def new_id(now: datetime) -> str:
    """A UUIDv7 (RFC 9562, 5.7): its text sorts by time."""
    milliseconds = int(now.timestamp() * 1000)
    drawn = int.from_bytes(os.urandom(10), "big")
    high, low = drawn >> 68, drawn & ((1 << 62) - 1)
    text = f"{(milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _laid_out(body: bytes) -> list[str]:
    with contextlib.suppress(msgspec.MsgspecError, RecursionError):  # what is no JSON is compared as it is
        body = msgspec.json.format(body, indent=2)
    return body.decode(errors="backslashreplace").splitlines()
