"""What stands around a delivery: who acted on it, which replays sent its letters, which records its events touched."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from handlers.store.audit import Entry
from handlers.store.engine import Database
from handlers.store.schema import asset_history, audit_log, dead_letters, events, replay_items, replays

CLOCKS = timedelta(days=1)
"""How far the clocks of a receiver and of whoever acts may be apart, generously."""
MOST_ACTS = 1_000
"""Acts that are read of one delivery."""


class Record(msgspec.Struct, frozen=True, order=True):
    """A record that a delivery has to do with."""

    kind: str
    key: str


class Sent(msgspec.Struct, frozen=True):
    """A letter that a replay has had its turn with.

    Attributes:
        replay_id: the replay.
        event_index: the letter, by its event's place.
        at: when the replay was started (UTC).
        who: by whom.
        reason: why.
        state: `pending`, `sent` or `skipped`.
    """

    replay_id: str
    event_index: int
    at: datetime
    who: str
    reason: str
    state: str


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What stands around a delivery.

    Attributes:
        acts: of operators that name it, or a replay of its letters; in their order.
        replays: of its letters.
        edited_from: the letter whose corrected copy it is: delivery id and event index.
        touched: records that its events are about, and assets in whose history these stand.
    """

    acts: Sequence[Entry] = ()
    replays: Sequence[Sent] = ()
    edited_from: tuple[str, int] | None = None
    touched: Sequence[Record] = ()


def around(
    database: Database, delivery_id: str, received_at: datetime, told_by: str, indexes: Collection[int] | None
) -> Around:
    """Reads it.

    Args:
        database: to read from.
        delivery_id: which.
        received_at: when it came (UTC); nobody acted on it before.
        told_by: the delivery that its events were recorded from: another one for a repeat.
        indexes: places of the events that are asked about; None for all.
    """
    letters = sa.select(dead_letters.c.first_seen_at).where(dead_letters.c.delivery_id == delivery_id)
    source = sa.select(dead_letters.c.delivery_id, dead_letters.c.event_index).where(
        dead_letters.c.edited_into == delivery_id
    )
    with database.read() as session:
        first = min(session.execute(letters).scalars(), default=None)
        sent = [] if first is None else _replays(session, delivery_id, first)
        original = session.execute(source).first()
        names = {delivery_id, *(each.replay_id for each in sent)}
        return Around(
            acts=_acts(session, names, received_at),
            replays=sent,
            edited_from=None if original is None else (original.delivery_id, original.event_index),
            touched=_touched(session, told_by, indexes),
        )


def _replays(session: sa.Connection, delivery_id: str, since: datetime) -> list[Sent]:
    """Found from the replays of that time: their letters have no index by delivery."""
    column, item = replays.c, replay_items.c
    wanted = (
        sa.select(column.replay_id, item.event_index, column.created_at, column.who, column.reason, item.state)
        .join_from(replays, replay_items, column.replay_id == item.replay_id)
        .where(column.created_at >= since - CLOCKS, item.delivery_id == delivery_id)
        .order_by(column.replay_id, item.event_index)
    )
    return [Sent(*row) for row in session.execute(wanted)]


def _acts(session: sa.Connection, names: Collection[str], since: datetime) -> list[Entry]:
    """Acts that name any of some ids, wherever they stand in what was planned and what came of it."""
    column = audit_log.c
    texts = [sa.cast(each, sa.Text) for each in (column.plan, column.outcome)]
    wanted = (
        sa.select(*(column[name] for name in Entry.__struct_fields__))
        .where(
            column.at >= since - CLOCKS,
            sa.or_(*(text.contains(name, autoescape=True) for text in texts for name in names)),
        )
        .order_by(column.sequence)
        .limit(MOST_ACTS)
    )
    return [Entry(**row) for row in session.execute(wanted).mappings()]


def _touched(session: sa.Connection, delivery_id: str, indexes: Collection[int] | None) -> list[Record]:
    mine = events.c.delivery_id == delivery_id
    if indexes is not None:
        mine = sa.and_(mine, events.c.event_index.in_(indexes))
    subjects = sa.select(events.c.subject_kind, events.c.subject_key).where(mine).distinct()
    names = ("connection_id", "subject_kind", "subject_key", "event_id", "digest")
    stand = sa.and_(*(events.c[name] == asset_history.c[name] for name in names))
    assets = (
        sa.select(sa.literal("asset"), asset_history.c.asset_key)
        .join_from(events, asset_history, stand)
        .where(mine, asset_history.c.asset_key.is_not(None))
        .distinct()
    )
    return sorted({Record(*row) for wanted in (subjects, assets) for row in session.execute(wanted)})
