"""What people were told, and the messages on their way to them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import msgspec
import sqlalchemy as sa

from handlers.rules.notices import Key, Notice
from handlers.store.engine import Database
from handlers.store.reading import Readable, walk
from handlers.store.rowset import Transaction
from handlers.store.schema_notices import notices, notifications

PENDING: Final = "pending"
"""On its way: tried until it is taken, or given up."""
SENT: Final = "sent"
GIVEN_UP: Final = "given_up"
Changes: TypeAlias = Mapping[Key, Notice | None]
"""What is to be remembered anew; None for what is to be forgotten."""
ORDER = (notifications.c.message_id, notifications.c.channel)


class Sending(msgspec.Struct, frozen=True):
    """A message on its way to one channel, as it is kept; its members are its columns.

    Attributes:
        attempts: made so far.
        due_at: when it is tried next.
        ended_at: when it was sent or given up.
        last_error: why the last attempt failed.
    """

    message_id: str
    channel: str
    made_at: datetime
    content: dict[str, Any]
    state: str
    attempts: int
    due_at: datetime
    ended_at: datetime | None = None
    last_error: str | None = None


def kept(database: Readable) -> list[Notice]:
    """All that is remembered; as many as stand, and some that are over."""
    with database.read() as connection:
        rows = connection.execute(sa.select(notices)).mappings().all()
    return [Notice(**row) for row in rows]


def made_since(database: Readable, since: datetime) -> list[datetime]:
    """When the messages were made that were made since."""
    statement = sa.select(notifications.c.made_at).where(notifications.c.made_at > since).distinct()
    with database.read() as connection:
        return list(connection.execute(statement).scalars())


def changes(known: Iterable[Notice], now_known: Iterable[Notice]) -> Changes:
    """What has to be written, so that what is known now is remembered; that something still stands is no change."""
    before, after = {each.key: each for each in known}, {each.key: each for each in now_known}
    return {
        key: after.get(key)
        for key in sorted(before.keys() | after.keys())
        if key not in before or key not in after or not _same(before[key], after[key])
    }


def keep(tx: Transaction, changed: Changes) -> None:
    """Writes it."""
    tx.delete(notices, [_named(key) for key in changed])
    # A leader that was thought gone may have written the same just now.
    tx.insert_missing(notices, [msgspec.structs.asdict(each) for each in changed.values() if each is not None])


def send(tx: Transaction, messages: Sequence[Sending]) -> None:
    """Puts messages on their way."""
    tx.insert(notifications, [msgspec.structs.asdict(each) for each in messages])


def take(database: Database, now: datetime, lease: timedelta) -> list[Sending]:
    """Takes what is due, the oldest first, so that nobody else tries it for so long; an attempt counts from here on."""
    due = sa.select(notifications).where(
        notifications.c.state == sa.literal_column(f"'{PENDING}'"), notifications.c.due_at <= now
    )
    with database.read() as connection:
        if connection.execute(due.limit(1)).first() is None:
            return []
    taken = []
    with database.write() as connection:
        for row in connection.execute(due.order_by(*ORDER)).mappings().all():
            mine = sa.update(notifications).where(
                *_is(row["message_id"], row["channel"]), notifications.c.due_at == row["due_at"]
            )
            claimed = connection.execute(mine.values(due_at=now + lease, attempts=notifications.c.attempts + 1))
            if claimed.rowcount == 1:
                taken.append(msgspec.structs.replace(Sending(**row), attempts=row["attempts"] + 1))
    return taken


def settle(database: Database, sending: Sending) -> None:
    """Notes what an attempt came to, unless somebody else has ended it meanwhile."""
    values = {name: getattr(sending, name) for name in ("state", "due_at", "ended_at", "last_error")}
    mine = _is(sending.message_id, sending.channel)
    with database.write() as connection:
        connection.execute(sa.update(notifications).where(*mine, notifications.c.state == PENDING).values(**values))


def forget(tx: Transaction, before: datetime) -> None:
    """Removes messages that ended and were made before a moment."""
    ended = notifications.c.state != PENDING
    tx.connection.execute(sa.delete(notifications).where(ended, notifications.c.made_at < before))


def listed(database: Database) -> Iterator[Sending]:
    """The messages, the newest first, each once a channel."""
    for row in walk(database, sa.select(notifications), ORDER, newest_first=True):
        yield Sending(**dict(zip(Sending.__struct_fields__, row, strict=True)))


def _same(one: Notice, other: Notice) -> bool:
    return msgspec.structs.replace(one, seen_at=other.seen_at) == other


def _is(message_id: str, channel: str) -> Iterable[sa.ColumnElement[bool]]:
    return notifications.c.message_id == message_id, notifications.c.channel == channel


def _named(key: Key) -> dict[str, str]:
    return {"kind": key[0], "subject": key[1]}
