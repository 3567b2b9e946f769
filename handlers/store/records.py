"""Folded records: locked by key, read as registers, written back whole."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from handlers.events import Json
from handlers.rules.facts import Fact, Key, Step, fold_all
from handlers.rules.registers import Record
from handlers.store.rowset import Transaction


class _Registers(msgspec.Struct, array_like=True):
    """What of a record only the fold reads; stamps are written once each, registers point to them."""

    stamps: list[str] = []
    written: dict[str, int] = {}
    custom_fields: dict[str, Any] = {}
    full_stamp: str = ""
    last_stamp: str = ""
    trail: list[tuple[int, dict[str, Any]]] = []


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Registers)


def lock(tx: Transaction, table: sa.Table, keys: Iterable[Key], **fixed: str) -> dict[Key, Record]:
    """Makes sure that a row of every key exists, locks them all in order and reads them.

    Selecting first and inserting later would lose an update where two transactions make the same record.

    Args:
        tx: the transaction.
        table: a table with registers.
        keys: any number of keys, in any order.
        fixed: further columns of the table's key, the same for all.
    """
    rows = [{"connection_id": connection, "key": key, **fixed} for connection, key in sorted(set(keys))]
    tx.insert_missing(table, rows)
    found = tx.select(table, rows, ("connection_id", "key", "fields", "registers"), lock=True)
    return {(row.connection_id, row.key): read(row.fields, row.registers) for row in found}


def fold(
    tx: Transaction,
    table: sa.Table,
    facts: Sequence[Fact],
    row: Callable[[Key, Record], Mapping[str, Any]],
    step: Step | None = None,
    **fixed: str,
) -> None:
    """Folds facts into the records that they are about, under their locks, and writes those back.

    Args:
        tx: the transaction.
        table: of the facts' kind.
        facts: of one kind.
        row: a record's row, as `save` takes it.
        step: what the kind keeps on its trail; None keeps no trail.
        fixed: further columns of the table's key, the same for all.
    """
    held = lock(tx, table, {each.subject for each in facts}, **fixed)
    fold_all(facts, held, step)
    save(tx, table, [row(key, record) for key, record in held.items()], **fixed)


def insert_bare(tx: Transaction, table: sa.Table, keys: Iterable[Key]) -> None:
    """Makes sure that a row of every key exists, empty where it is new."""
    tx.insert_missing(table, [{"connection_id": connection, "key": key} for connection, key in sorted(set(keys))])


def save(tx: Transaction, table: sa.Table, rows: Iterable[Mapping[str, Any]], **fixed: str) -> None:
    """Writes records back: each row holds `connection_id`, `key`, its own columns, and `record`, the registers."""
    written = [
        {
            **{name: value for name, value in row.items() if name != "record"},
            **fixed,
            "fields": dict(sorted(row["record"].fields.items())),
            "registers": _written(row["record"]),
            "is_deleted": row["record"].fields.get("is_deleted") is True,
        }
        for row in rows
    ]
    tx.update(table, written, ("connection_id", "key", *fixed))


def read(fields: Mapping[str, Json], registers: str) -> Record:
    """The registers of a row, from its columns `fields` and `registers`."""
    kept = _DECODER.decode(registers) if registers else _Registers()
    return Record(
        fields=dict(fields),
        custom_fields=kept.custom_fields,
        stamps={name: kept.stamps[at] for name, at in kept.written.items()},
        full_stamp=kept.full_stamp,
        last_stamp=kept.last_stamp,
        trail=[(kept.stamps[at], step) for at, step in kept.trail],
    )


def _written(record: Record) -> str:
    """The registers' text, the same for equal registers whatever order they were written in."""
    stamps = sorted({*record.stamps.values(), *(stamp for stamp, _ in record.trail)})
    at = {stamp: index for index, stamp in enumerate(stamps)}
    kept = _Registers(
        stamps=stamps,
        written={name: at[stamp] for name, stamp in sorted(record.stamps.items())},
        custom_fields=dict(sorted(record.custom_fields.items())),
        full_stamp=record.full_stamp,
        last_stamp=record.last_stamp,
        trail=[(at[stamp], step) for stamp, step in record.trail],
    )
    return _ENCODER.encode(kept).decode()
