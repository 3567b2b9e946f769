"""The audit log: every act of an operator as a row whose hash covers the row before it.

Rows are only ever added, each in the transaction of the act that it tells of: an act without its row, or a row without
its act, cannot be. An act on what is not in the database has its row right after it (`worker.cli.audited`).
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from handlers.events import Json
from handlers.store.columns import sortable
from handlers.store.engine import Database
from handlers.store.reading import WHOLE, Part, walk
from handlers.store.rowset import Transaction
from handlers.store.schema import audit_head, audit_log

GENESIS = "0" * 64
"""What the first row has for the hash of the row before it."""
CHAIN = "audit_log"


class Head(NamedTuple):
    """A link of the chain by which the log up to there can be recognised.

    Attributes:
        sequence: its number, from 1; 0 before the first.
        hash: its hash.
    """

    sequence: int
    hash: str


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an operator did.

    Attributes:
        who: the operator.
        act: what, as a slug such as `dead_letters.replay`.
        reason: why, in the operator's words.
        plan: on what: filters, counts, ids; never a payload or a secret.
        outcome: what it came to.
    """

    who: str
    act: str
    reason: str
    plan: dict[str, Json]
    outcome: dict[str, Json]


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the log; its members are its columns. `Any` is JSON: a recursive type is none that can be decoded."""

    sequence: int
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    who: str
    act: str
    reason: str
    plan: dict[str, Any]
    outcome: dict[str, Any]
    previous_hash: str
    hash: str


def sealed(entry: Entry) -> str:
    """The hash that an entry must have.

    SHA-256 of a JSON array of its members in the order of `Entry`, without `hash`; time in UTC to the microsecond with
    `Z`, names sorted, no spaces, UTF-8: what Python's `json.dumps(…, sort_keys=True, separators=(",", ":"),
    ensure_ascii=False)` writes, so that anybody can check it.
    """
    covered = [
        entry.sequence,
        sortable(entry.at),
        entry.who,
        entry.act,
        entry.reason,
        entry.plan,
        entry.outcome,
        entry.previous_hash,
    ]
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def append(tx: Transaction, act: Act, now: datetime) -> Entry:
    """Adds an act to the log; whoever else adds one waits until this transaction has ended."""
    tx.insert_missing(audit_head, [{"chain": CHAIN, "sequence": 0, "hash": GENESIS}])
    [last] = tx.select(audit_head, [{"chain": CHAIN}], ("sequence", "hash"), lock=True)
    clean = _clean(msgspec.to_builtins(act))
    bare = Entry(sequence=last.sequence + 1, at=now, previous_hash=last.hash, hash="", **clean)
    entry = msgspec.structs.replace(bare, hash=sealed(bare))
    tx.insert(audit_log, [msgspec.structs.asdict(entry)])
    tx.update(audit_head, [{"chain": CHAIN, "sequence": entry.sequence, "hash": entry.hash}], ("chain",))
    return entry


def head(database: Database) -> Head:
    """The last link as whoever appended it noted it, beside the log itself."""
    wanted = sa.select(audit_head.c.sequence, audit_head.c.hash).where(audit_head.c.chain == CHAIN)
    with database.read() as connection:
        found = connection.execute(wanted).one_or_none()
    return Head(0, GENESIS) if found is None else Head(*found)


class Wanted(NamedTuple):
    """Which acts are wanted; None asks for all.

    Attributes:
        who: of this operator.
        act: of this name.
        since: from then on (UTC).
        until: before.
    """

    who: str | None = None
    act: str | None = None
    since: datetime | None = None
    until: datetime | None = None


ALL = Wanted()


def entries(
    database: Database, wanted: Wanted = ALL, *, newest_first: bool = False, part: Part = WHOLE
) -> Iterator[Entry]:
    """The log, oldest first unless told otherwise.

    Raises:
        ValueError: a row cannot be read: somebody has changed it.
    """
    column = audit_log.c
    rows = sa.select(*(column[name] for name in Entry.__struct_fields__))
    for condition, value in (
        (column.who.__eq__, wanted.who),
        (column.act.__eq__, wanted.act),
        (column.at.__ge__, wanted.since),
        (column.at.__lt__, wanted.until),
    ):
        rows = rows if value is None else rows.where(condition(value))
    for row in walk(database, rows, (column.sequence,), newest_first=newest_first, part=part):
        yield Entry(**row._mapping)  # noqa: SLF001  # the public name of a row's columns


def _clean(value: Any) -> Any:
    """A value without what a database cannot keep: U+0000 and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_clean(name): _clean(each) for name, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list | tuple) else value
