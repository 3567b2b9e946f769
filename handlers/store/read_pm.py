"""Plans with what their occurrences follow from: what upstream and the file say, their orders, their meters' totals."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from msgspec.structs import replace

from handlers.connections.plan_file import FilePlan
from handlers.connections.zones import Zones
from handlers.rules.facts import Key
from handlers.rules.occurrence import Order
from handlers.rules.order import EPOCH
from handlers.rules.pm_plan import Plan
from handlers.rules.pm_records import is_in_time, order_of, plan_fields
from handlers.rules.registers import Record, ref_key
from handlers.rules.usage import Total, totals
from handlers.store import records
from handlers.store.engine import Database
from handlers.store.read_totals import readings_of
from handlers.store.reading import Readable, connection_ids
from handlers.store.rowset import Transaction
from handlers.store.schema import assets, events, pm_plans, work_orders

AT_ONCE = 100
"""Plans that are read together."""
EVENTS, FILE, BOTH, ORDERS = "events", "file", "events+file", "orders"


class Known(NamedTuple):
    """One plan, and what its occurrences follow from."""

    plan: Plan
    orders: Sequence[Order]
    counted: Sequence[Total]


class Book(NamedTuple):
    """What is not in the database: the plans of the file, and the zones of sites."""

    plans: Sequence[FilePlan]
    zones: Zones

    def of(self, connection: str) -> dict[str, FilePlan]:
        """The file's plans of a connection, by key."""
        return {each.key: each for each in self.plans if each.connection == connection}


class _Asset(NamedTuple):
    site: str | None
    decommissioned: date | None


def connections_with_plans(database: Database, book: Book) -> list[str]:
    """Every connection that has a plan, or an order, which may name one."""
    held = {*connection_ids(database, pm_plans.c.connection_id), *connection_ids(database, work_orders.c.connection_id)}
    return sorted({*held, *(each.connection for each in book.plans)})


def plan_keys(database: Readable, connection: str, book: Book) -> list[str]:
    """The keys of a connection's plans: of those that upstream states, those of the file, those that orders name."""
    plan, order = pm_plans.c, work_orders.c
    stated = sa.select(plan.key).where(plan.connection_id == connection)
    named = sa.select(order.pm_plan_key).where(order.connection_id == connection, order.pm_plan_key.is_not(None))
    with database.read() as session:
        found = set(session.execute(sa.union(stated, named)).scalars())
    return sorted(found | book.of(connection).keys())


def known_plans(database: Readable, connection: str, keys: Iterable[str], book: Book) -> Iterator[list[Known]]:
    """Plans of a connection with what they follow from, some at once; each group on one snapshot.

    A group has beside the plans wanted those that cover one of them, which stand behind the others.
    """
    covering = _covering(book.of(connection))
    wanted = iter(keys)
    while page := list(islice(wanted, AT_ONCE)):
        others = sorted({each for key in page for each in covering.get(key, ())} - set(page))
        with database.read() as session:
            found = load_plans(Transaction(session), connection, [*page, *others], book)
        yield found  # outside: whoever takes long over a group, or never comes back, holds no transaction


def _covering(told: Mapping[str, FilePlan]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key, plan in told.items():
        for covered in plan.states.get("covers", ()):
            found[covered].append(key)
    return found


def load_plans(tx: Transaction, connection: str, keys: Sequence[str], book: Book) -> list[Known]:
    """The plans of those keys, in their order."""
    told = book.of(connection)
    stated = _stated(tx, connection, keys)
    ordered = _ordered(tx, connection, keys)
    first = _first_told(tx, connection, keys)
    about = {key: _assets_of(stated.get(key), told.get(key), ordered[key]) for key in keys}
    known = _assets(tx, {(connection, each) for found in about.values() for each in found})
    found = []
    for key in keys:
        mine = [known[connection, each] for each in about[key] if (connection, each) in known]
        site = next((each.site for each in mine if each.site is not None), None)
        states = told[key].states if key in told else {}
        zone = states.get("zone") or book.zones(connection, site)
        orders = [order_of(record, order_key, zone) for order_key, record in ordered[key]]
        gone = [each.decommissioned for each in mine]
        plan = _plan(connection, key, stated.get(key), states, zone)
        since = [*([first[key]] if key in first else []), *(order.made_at for order in orders)]
        plan = replace(
            plan,
            assets=plan.assets or about[key],
            site=site,
            zone=zone,
            decommissioned=max((day for day in gone if day is not None), default=None) if all(gone) else None,
            known_since=None if "anchor" in states else min(since, default=None),
        )
        found.append(Known(plan, orders, ()))
    return _counted(tx, found)


def _plan(connection: str, key: str, record: Record | None, states: Mapping[str, Any], zone: Any) -> Plan:
    """What upstream and the file say together; where only one of them says what makes it due, so it is."""
    said = {} if record is None else plan_fields(record, zone)
    both = {**said, **states}
    if "basis" not in states and {"recurrence", "meter"} & states.keys():
        by_days, by_meter = "recurrence" in both, "meter" in both
        both["basis"] = "calendar_or_meter" if by_days and by_meter else "meter" if by_meter else "calendar"
    if states and both.get("recurrence") is not None and (both.get("anchor") or both.get("stated_next")):
        both["problems"] = ()
    origin = ORDERS if record is None and not states else FILE if record is None else BOTH if states else EVENTS
    return Plan(connection=connection, key=key, origin=origin, **both)


def _stated(tx: Transaction, connection: str, keys: Sequence[str]) -> dict[str, Record]:
    """The registers of the plans that upstream has told of; a bare row is none."""
    rows = tx.select(pm_plans, _keyed(connection, "key", keys), ("key", "fields", "registers"))
    return {row.key: records.read(row.fields, row.registers) for row in rows if row.fields or row.registers}


def _ordered(tx: Transaction, connection: str, keys: Sequence[str]) -> dict[str, list[tuple[str, Record]]]:
    found: dict[str, list[tuple[str, Record]]] = {key: [] for key in keys}
    names = ("key", "pm_plan_key", "fields", "registers", "is_deleted")
    for row in tx.select(work_orders, _keyed(connection, "pm_plan_key", keys), names):
        if not row.is_deleted:
            found[row.pm_plan_key].append((row.key, records.read(row.fields, row.registers)))
    return found


def _first_told(tx: Transaction, connection: str, keys: Sequence[str]) -> dict[str, datetime]:
    """When the first known fact about each plan happened."""
    names = ("connection_id", "subject_kind", "subject_key")
    wanted = [{"connection_id": connection, "subject_kind": "pm_plan", "subject_key": key} for key in sorted(keys)]
    rows = tx.rows(events, names)
    statement = (
        sa.select(events.c.subject_key, sa.func.min(events.c.occurred_at).label("first"))
        .join_from(events, rows, sa.and_(*(events.c[name] == rows.c[name] for name in names)))
        .group_by(events.c.subject_key)
    )
    return {row.subject_key: max(row.first, EPOCH) for row in tx.run(statement, wanted)} if wanted else {}


def _assets_of(record: Record | None, told: FilePlan | None, orders: Sequence[tuple[str, Record]]) -> tuple[str, ...]:
    """The assets that a plan is about: the file's word, else upstream's, else those of its orders."""
    if told is not None and told.states.get("assets"):
        return tuple(told.states["assets"])
    listed = None if record is None else record.read("asset_refs")
    named = [ref_key(each) for each in listed] if isinstance(listed, list) else []
    if not named:
        named = [each.ref("asset_ref") for _, each in orders]
    return tuple(dict.fromkeys(key for key in named if key is not None))


def _assets(tx: Transaction, wanted: Collection[Key]) -> dict[Key, _Asset]:
    keys = [{"connection_id": connection, "key": key} for connection, key in sorted(wanted)]
    found = {}
    for row in tx.select(assets, keys, ("connection_id", "key", "site_key", "fields")):
        gone = row.fields.get("decommissioned_date")
        day = date.fromisoformat(gone) if isinstance(gone, str) else None
        counts = day is not None and is_in_time(day)
        found[row.connection_id, row.key] = _Asset(row.site_key, day if counts else None)
    return found


def _counted(tx: Transaction, found: Sequence[Known]) -> list[Known]:
    """The plans with the totals of the meters that they go by."""
    wanted = {(each.plan.connection, each.plan.meter.meter) for each in found if each.plan.meter is not None}
    counted = {key: totals(told) for key, told in readings_of(tx, wanted).items()}
    return [
        each if each.plan.meter is None else each._replace(counted=counted[each.plan.connection, each.plan.meter.meter])
        for each in found
    ]


def _keyed(connection: str, name: str, keys: Iterable[str]) -> list[dict[str, str]]:
    return [{"connection_id": connection, name: key} for key in sorted(keys)]
