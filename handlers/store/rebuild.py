"""The two ends of a rebuild beside its rows: who may write meanwhile, and what becomes of dead letters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from handlers.events import WHOLE_BODY, Outcome
from handlers.store.dead_letters import IS_OPEN, KEY, OPEN, supersede
from handlers.store.differences import PAGE, Difference, paged
from handlers.store.reading import Held, walk
from handlers.store.replace import ORIGIN
from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters, deliveries, events, retries
from handlers.store.shadow import Shadow

LOCK_PATIENCE = "30s"
"""How long the locks are waited for on PostgreSQL: a worker's transaction takes a second at most."""
IDLE_PATIENCE = "5min"
"""What folding a shard takes on the slowest machine, many times over."""


def exclude(tx: Transaction, schema: str) -> None:
    """Keeps everybody else from writing until the transaction ends; whoever reads sees what stood before it.

    Workers, scheduler and operators wait meanwhile and try again, as in an outage of the database; none of their
    attempts is counted. SQLite has one writer anyway. The tables are those with which their transactions begin, in
    their order, so that nobody waits for one another.

    Args:
        tx: the transaction.
        schema: where the tables are.
    """
    if tx.connection.dialect.name == "postgresql":
        names = ", ".join(f'"{schema}"."{table.name}"' for table in (retries, deliveries, dead_letters))
        tx.connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_PATIENCE}'"))
        tx.connection.execute(sa.text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def stay(tx: Transaction) -> None:
    """Lets a transaction that only reads be idle while other processes work for it; one that is frozen ends still."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(sa.text(f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_PATIENCE}'"))


def told(difference: Difference) -> tuple[str, ...]:
    """The fields by which a row of events differs from what it should be; none where that is as it may be."""
    standing, anew = difference.standing, difference.anew
    if standing is None or anew is None:
        return difference.fields
    fields = [name for name in difference.fields if name not in ORIGIN]
    if "outcome" in fields and Outcome.IGNORED not in {standing["outcome"], anew["outcome"]}:
        fields.remove("outcome")  # applied or stale: that is said of the day when it came
    return tuple(fields)


def write_failures(held: Held, shadow: Shadow, connection_id: str, now: datetime) -> Counter[str]:
    """Closes the letters of what is applied after all, and opens those of what cannot be read any more.

    Whichever of two deliveries came first: bytes that one of them has had applied need no letter.

    Returns:
        How many were `applied`, and how many `buried`; `retried` counts what ran into an error that is tried again.
    """
    tx = Transaction(held.connection)
    counts: Counter[str] = Counter()
    is_open = sa.select(*(dead_letters.c[name] for name in (*KEY, "digest")))
    is_open = is_open.where(dead_letters.c.connection_id == connection_id, IS_OPEN)
    for page in paged(walk(held, is_open, (dead_letters.c.digest,)), PAGE):
        wanted = [{"connection_id": connection_id, "digest": row.digest} for row in page]
        applied = {row.digest for row in shadow.select(events, wanted, ("digest",))} | _read_apart(shadow, page)
        supersede(tx, [(connection_id, digest) for digest in applied])
        counts["applied"] += len(applied)
    order = (dead_letters.c.delivery_id, dead_letters.c.event_index)
    failed = sa.select(dead_letters).where(dead_letters.c.state == OPEN)
    for page in paged(walk(shadow, failed, order), PAGE):
        told = [{"connection_id": row.connection_id, "digest": row.digest} for row in page]
        read = {row.digest for row in shadow.select(events, told, ("digest",))}
        unread = [dict(row._mapping) for row in page if row.digest not in read]  # noqa: SLF001  # its public name
        counts["buried"] += _bury(tx, unread)
    again = sa.select(retries)
    for page in paged(walk(shadow, again, (retries.c.delivery_id, retries.c.event_index)), PAGE):
        rows = [{**row._mapping, "due_at": now} for row in page]  # noqa: SLF001  # as above
        counts["retried"] += len(tx.insert_missing(retries, rows, returning=KEY))
    return +counts  # what is zero is left out


def _read_apart(shadow: Shadow, letters: Sequence[sa.Row[Any]]) -> set[str]:
    """The digests of those letters that stood for a whole body whose events can be told apart now."""
    whole = {row.delivery_id: row.digest for row in letters if row.event_index == WHOLE_BODY}
    ids = [{"delivery_id": each} for each in whole]
    again = [{**each, "event_index": WHOLE_BODY} for each in ids]
    failed = [{"digest": each} for each in whole.values()]
    read = {row.delivery_id for row in shadow.select(deliveries, ids, ("delivery_id",))}
    read -= {row.delivery_id for row in shadow.select(retries, again, ("delivery_id",))}
    digests = {whole[each] for each in read}
    return digests - {row.digest for row in shadow.select(dead_letters, failed, ("digest",))}


def _bury(tx: Transaction, letters: Sequence[Mapping[str, Any]]) -> int:
    """Opens letters, but for those whose bytes have one already that is open or was corrected; returns how many."""
    columns = (*KEY, "digest", "state", "edited_into", "attempts", "first_seen_at")
    of_bytes = [{"connection_id": each["connection_id"], "digest": each["digest"]} for each in letters]
    known = tx.select(dead_letters, of_bytes, columns)
    closed = {row.digest for row in known if row.state == OPEN or row.edited_into is not None}
    keys = [{name: each[name] for name in KEY} for each in letters]
    mine = {(row.delivery_id, row.event_index): row for row in tx.select(dead_letters, keys, columns)}
    fresh, reopened = [], []
    for letter in letters:
        if letter["digest"] in closed:
            continue
        closed.add(letter["digest"])
        before = mine.get((letter["delivery_id"], letter["event_index"]))
        if before is None:
            fresh.append(dict(letter))
        else:
            attempts = [*before.attempts, *letter["attempts"]]
            reopened.append({**letter, "attempts": attempts, "first_seen_at": before.first_seen_at})
    tx.insert(dead_letters, fresh)
    tx.update(dead_letters, reopened, KEY)
    return len(fresh) + len(reopened)
