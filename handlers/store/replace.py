"""What stands made what was built beside it (`handlers.store.shadow`): a few statements a table, only rows that differ.

Which rows are apart, and how, is found first, on PostgreSQL while everybody goes on writing: reading all that a
connection has takes a while. Under the lock only what was written since, there or here, is looked at as well. By which
map an event was read is told when everybody may write again (`Replacement.relabel`): it is no part of state, and a
change of the map would have every event written anew.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateTable

from handlers.events import Outcome
from handlers.store.differences import DIFFERS, EXTRA, FOLDED, MISSING, OPERATIONAL
from handlers.store.labels import relabel
from handlers.store.schema import downtime, events
from handlers.store.shadow import COPIED, COUNTED, Shadow

ARRIVAL = frozenset({"processed_at", "event_id_reused"})
"""What of an event tells when it was first worked on, and beside what: that is not computed anew."""
ORIGIN = frozenset({"delivery_id", "event_index", "map"})
"""What of an event may differ without anything being wrong: of several deliveries that brought it any may be named."""
SHRINKING = frozenset({downtime})
"""Tables from which the fold deletes rows: one that is gone bears no mark of when it went."""
PROBLEM = "problem"
UNSURE = "unsure"
"""Of a key that is noted: how its row is apart, or whether, is found out when it is written."""


class Replacement:
    """The rows of a connection that stand, beside those that were built.

    Args:
        shadow: holds both.
        connection_id: whose.
    """

    def __init__(self, shadow: Shadow, connection_id: str) -> None:
        self._shadow = shadow
        self._connection_id = connection_id
        self._apart = {table: _keys(table, shadow.own) for table in COPIED}
        with shadow.read() as session:
            for each in self._apart.values():
                session.execute(CreateTable(each))

    def compare(self, session: Connection) -> None:
        """Notes the keys of all rows that are apart; those of what is written meanwhile too, or not.

        Args:
            session: on what stands.
        """
        for table in COPIED:
            for keys in self._unlike(table):
                self._note(session, table, keys)
        self._shadow.analyze(session, self._apart.values())

    def look_again(self, session: Connection, moment: int) -> None:
        """Notes the keys of all rows that were written since a moment, here or there."""
        for table in COPIED:
            built, names = self._shadow.built(table), _names(table)
            newer = self._shadow.is_newer(moment)
            unsure = sa.literal(UNSURE)
            self._note(session, table, sa.select(*(table.c[n] for n in names), unsure).where(self._of(table), newer))
            self._note(session, table, sa.select(*(built.c[n] for n in names), unsure).where(newer))
            if table in SHRINKING:
                self._note(session, table, self._missing(table))

    def write_state(self, session: Connection) -> Counter[str]:
        """Makes every folded table what was built; returns how many rows were missing, extra and different."""
        counts: Counter[str] = Counter()
        for table in FOLDED:
            built = self._shadow.built(table)
            unlike = _differs(table, built, _compared(table))
            counts[EXTRA] += self._delete(session, table)
            counts[DIFFERS] += self._update(session, table, {name: built.c[name] for name in _rest(table)}, unlike)
            counts[MISSING] += self._insert(session, table, {})
        return +counts  # what is zero is left out

    def write_events(self, session: Connection) -> Counter[str]:
        """Makes the events what was built; returns how many were missing, extra and different.

        How an event ended stays as it was noted on its day, unless the map has changed what it is; and so does which
        delivery brought it, as long as that is in the set.
        """
        built = self._shadow.built(events)
        ignored = sa.or_(events.c.outcome == Outcome.IGNORED.value, built.c.outcome == Outcome.IGNORED.value)
        became = sa.and_(ignored, events.c.outcome != built.c.outcome)
        telling = [name for name in _compared(events) if name not in {*ORIGIN, "outcome"}]
        is_wrong = sa.or_(_differs(events, built, telling), became)
        is_other = sa.or_(_differs(events, built, [name for name in telling if name != "received_at"]), became)
        arrivals = self._shadow.arrivals
        still = sa.exists().where(arrivals.c.delivery_id == events.c.delivery_id)
        keeps = sa.and_(events.c.delivery_id != built.c.delivery_id, still)
        comes_from = sa.and_(~keeps, _differs(events, built, ("delivery_id", "event_index")))
        values: dict[str, Any] = {name: built.c[name] for name in _compared(events)}
        values["outcome"] = sa.case((is_other, built.c.outcome), else_=events.c.outcome)
        for name in ("delivery_id", "event_index"):
            values[name] = sa.case((keeps, events.c[name]), else_=built.c[name])
        counts: Counter[str] = Counter()
        counts[EXTRA] += self._delete(session, events)
        counts[DIFFERS] += self._update(session, events, values, is_wrong)
        self._update(session, events, values, comes_from)
        other = built.alias("other")
        reused = sa.exists(
            sa.select(sa.literal(1))
            .select_from(other)
            .where(
                other.c.connection_id == built.c.connection_id,
                other.c.event_id == built.c.event_id,
                other.c.digest != built.c.digest,
            )
            .correlate(built)
        )
        counts[MISSING] += self._insert(session, events, {"event_id_reused": reused})
        return +counts

    def relabel(self, older: Collection[str]) -> None:
        """Has events that stand as they were built say by which map they were (`handlers.store.labels.relabel`)."""
        relabel(self._shadow, self._apart[events], self._connection_id, older)

    def _of(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c.connection_id == self._connection_id

    def _noted(self, table: sa.Table, problem: str) -> sa.ColumnElement[bool]:
        noted = self._apart[table]
        return noted.c.problem.in_((problem, UNSURE))

    def _has(self, session: Connection, table: sa.Table, problem: str) -> bool:
        """Whether any row of a table may be apart in that way."""
        wanted = sa.select(self._apart[table]).where(self._noted(table, problem))
        return bool(session.execute(sa.select(sa.exists(wanted))).scalar_one())

    def _is(self, problem: str, table: sa.Table, of: sa.Table) -> sa.ColumnElement[bool]:
        """Of a row of that table: that it may be apart in that way."""
        noted, names = self._apart[of], _names(of)
        keys = sa.select(*(noted.c[n] for n in names)).where(self._noted(of, problem))
        return sa.tuple_(*(table.c[n] for n in names)).in_(keys)

    def _note(self, session: Connection, table: sa.Table, keys: sa.Select[Any]) -> None:
        session.execute(sa.insert(self._apart[table]).from_select([*_names(table), PROBLEM], keys))

    def _missing(self, table: sa.Table) -> sa.Select[Any]:
        """The keys of rows that were built and do not stand."""
        built = self._shadow.built(table)
        return sa.select(*(built.c[n] for n in _names(table)), sa.literal(MISSING)).where(~_stands(table, built))

    def _unlike(self, table: sa.Table) -> Iterator[sa.Select[Any]]:
        """The keys of rows that are extra, different or missing, and which: on PostgreSQL by one pass over both."""
        built, names = self._shadow.built(table), _names(table)
        is_full = self._shadow.dialect == "postgresql"  # SQLite's older versions have no full join
        mine = sa.select(table).where(self._of(table)).subquery()
        beside = sa.outerjoin(mine, built, _same(mine, built, names), full=is_full)
        is_extra, is_missing = built.c[names[0]].is_(None), mine.c[names[0]].is_(None)
        problem = sa.case((is_extra, EXTRA), (is_missing, MISSING), else_=DIFFERS)
        keys = (sa.func.coalesce(mine.c[name], built.c[name]) for name in names)
        unlike = sa.or_(is_extra, is_missing, _differs(mine, built, _compared(table)))
        yield sa.select(*keys, problem).select_from(beside).where(unlike)
        if not is_full:
            yield self._missing(table)

    def _delete(self, session: Connection, table: sa.Table) -> int:
        if not self._has(session, table, EXTRA):
            return 0
        built = self._shadow.built(table)
        same = _same(table, built, _names(table))
        is_built = sa.exists(sa.select(sa.literal(1)).select_from(built).where(same).correlate(table))
        gone = sa.delete(table).where(self._of(table), self._is(EXTRA, table, table), ~is_built)
        return int(session.execute(gone).rowcount)

    def _update(
        self, session: Connection, table: sa.Table, values: dict[str, Any], unlike: sa.ColumnElement[bool]
    ) -> int:
        if not self._has(session, table, DIFFERS):
            return 0
        built = self._shadow.built(table)
        same = _same(table, built, _names(table))
        change = sa.update(table).values(values).where(same, self._of(table), self._is(DIFFERS, table, table), unlike)
        return int(session.execute(change).rowcount)

    def _insert(self, session: Connection, table: sa.Table, values: dict[str, Any]) -> int:
        """Inserts what of the rows that are apart does not stand.

        Which they are is settled before the first is inserted: a table that was empty is planned for as one, and would
        be read from its beginning for each.
        """
        if not self._has(session, table, MISSING):
            return 0
        built, noted = self._shadow.built(table), self._apart[table]
        stands = sa.update(noted).values(problem=DIFFERS).where(self._noted(table, MISSING), _stands(table, noted))
        session.execute(stands)
        columns = [values.get(column.name, column) for column in built.columns]
        missing = sa.select(*columns).where(self._is(MISSING, built, table)).order_by(*built.primary_key.columns)
        put = sa.insert(table).from_select(table.c.keys(), missing)
        return int(session.execute(put, execution_options=COUNTED).rowcount)


def _stands(table: sa.Table, named: sa.Table) -> sa.ColumnElement[bool]:
    same = _same(table, named, _names(table))
    return sa.exists(sa.select(sa.literal(1)).select_from(table).where(same).correlate(named))


def _keys(table: sa.Table, schema: str) -> sa.Table:
    columns = [sa.Column(column.name, column.type, nullable=False) for column in table.primary_key.columns]
    problem = sa.Column(PROBLEM, sa.Text, nullable=False)
    return sa.Table(f"apart_{table.name}", sa.MetaData(), *columns, problem, schema=schema)


def _names(table: sa.Table) -> list[str]:
    return [column.name for column in table.primary_key.columns]


def _rest(table: sa.Table) -> list[str]:
    return [column.name for column in table.c if not column.primary_key]


def _compared(table: sa.Table) -> list[str]:
    skipped: Collection[str] = ARRIVAL if table is events else OPERATIONAL.get(table.name, ())
    return [name for name in _rest(table) if name not in skipped]


def _same(one: sa.FromClause, other: sa.FromClause, names: Iterable[str]) -> sa.ColumnElement[bool]:
    return sa.and_(*(one.c[name] == other.c[name] for name in names))


def _differs(one: sa.FromClause, other: sa.FromClause, names: Iterable[str]) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *(one.c[name].is_distinct_from(other.c[name]) for name in names))
