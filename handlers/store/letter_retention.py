"""Dead letters that are settled and old are let go, where an operator wants it so; an open one never is.

Nor is one that says what is not to be read: what was discarded, what was corrected and what ends its reader stay as
long as the bytes of their delivery, for nothing else keeps those out when the archive is read anew.
"""

from collections import Counter
from datetime import datetime

import sqlalchemy as sa

from handlers.store.dead_letters import DISCARDED, KEY, REPLAYED, SUPERSEDED
from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters, deliveries, replays, retries
from handlers.store.standing import NEVER_AGAIN

_LETTER = dead_letters.c
_ON_ITS_WAY = sa.exists().where(retries.c.delivery_id == _LETTER.delivery_id)
_IS_ARCHIVED = sa.exists().where(deliveries.c.delivery_id == _LETTER.delivery_id, deliveries.c.purged_at.is_(None))
_KEEPS_NOTHING_OUT = sa.and_(
    _LETTER.state.in_((REPLAYED, SUPERSEDED)),
    _LETTER.edited_into.is_(None),
    _LETTER.code.not_in(sorted(NEVER_AGAIN)),
)


def expire(tx: Transaction, before: datetime, limit: int) -> Counter[tuple[str, str]]:
    """Removes settled letters that are older than that.

    Args:
        tx: the transaction.
        before: letters that last became open before then; what an operator's replay has sent is as old as that replay.
        limit: how many at most.

    Returns:
        How many were removed, by state and error.
    """
    lately = sa.exists().where(replays.c.replay_id == _LETTER.replay_id, replays.c.updated_at >= before)
    settled = (
        sa.select(*(_LETTER[name] for name in KEY), _LETTER.state, _LETTER.code)
        .where(_LETTER.state.in_((REPLAYED, SUPERSEDED, DISCARDED)), _LETTER.buried_at < before)
        .where(sa.or_(_KEEPS_NOTHING_OUT, ~_IS_ARCHIVED), ~_ON_ITS_WAY, ~lately)
        .limit(limit)
        .with_for_update(of=dead_letters, skip_locked=True)
    )
    found = list(tx.connection.execute(settled))
    tx.delete(dead_letters, [dict(zip(KEY, row[:2], strict=True)) for row in sorted(found)])
    return Counter((row.state, row.code) for row in found)
