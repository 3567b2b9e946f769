"""What the list of a day is made of: assets that stand, and unfinished orders that are late, due or in progress.

Only these are read, each by an index made for it: an archive of orders that are done costs nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from handlers.connections.zones import Zones
from handlers.events import Json
from handlers.rules.facts import Key
from handlers.rules.lateness import due_end
from handlers.rules.lifecycle import moves, transitions
from handlers.rules.order import word
from handlers.rules.registers import ref_key
from handlers.rules.times import kept_instant, parse_moment
from handlers.rules.today import Asset, Order, Stop, ordered_on
from handlers.store import records
from handlers.store.asset_links import groups
from handlers.store.conditions import IN_PROGRESS_ORDER, UNFINISHED_ORDER, VALID_SPAN
from handlers.store.engine import Database
from handlers.store.reading import Readable, connection_ids
from handlers.store.rowset import Transaction
from handlers.store.schema import assets, downtime, work_orders

DAY_AND_MORE = timedelta(hours=26)
"""No day ends later than that from now, wherever it is and whatever its clocks do."""
ORDER = ("connection_id", "key", "asset_key", "site_key", "title", "status", "type", "priority", "fields")
GONE = frozenset({"decommissioned", "not_in_service"})
"""What is out of service for good stands without being anybody's work."""


class Day(NamedTuple):
    """What is known of a day.

    Attributes:
        stops: assets that stand.
        orders: unfinished orders that may have a place.
        assets: what is known of their assets.
    """

    stops: list[Stop]
    orders: list[Order]
    assets: dict[Key, Asset]


def connections_with_work(database: Database) -> list[str]:
    """Every connection that has an asset or an order, by id."""
    return sorted({each for table in (assets, work_orders) for each in connection_ids(database, table.c.connection_id)})


def day(database: Readable, connections: Sequence[str], zones: Zones, now: datetime) -> Day:
    """Reads it, on one snapshot.

    Args:
        database: to read from.
        connections: whose.
        zones: where a due day ends.
        now: which day (UTC).
    """
    with database.read() as plain:
        tx = Transaction(plain)
        spans = _heads(tx, _standing(tx, connections, now))
        rows = _orders(tx, connections, now)
        on = _unfinished(tx, ("connection_id", "asset_key"), {each for _, group in spans.values() for each in group})
        named = _unfinished(tx, ("connection_id", "key"), {each for held, _ in spans.values() for each in _named(held)})
        about = {(row.connection_id, row.asset_key) for row in (*rows, *on, *named) if row.asset_key is not None}
        known = _assets(tx, about | set(spans))
    told = {key: _asset(row) for key, row in known.items()}

    def read(row: sa.Row[Any]) -> Order:
        return _order(row, told, zones)

    by_asset: dict[Key, list[sa.Row[Any]]] = {}
    for row in on:
        by_asset.setdefault((row.connection_id, row.asset_key), []).append(row)
    by_key = {(row.connection_id, row.key): row for row in named}

    def behind(held: Sequence[sa.Row[Any]], group: Sequence[Key]) -> list[Order]:
        """Orders on an asset, and those that its stops name, which may be on another."""
        mine = {(row.connection_id, row.key): row for each in group for row in by_asset.get(each, ())}
        mine |= {key: by_key[key] for key in _named(held) if key in by_key}
        return [read(row) for row in mine.values()]

    stops = [
        _stop(asset, held, told, behind(held, group))
        for asset, (held, group) in spans.items()
        if asset not in known or not _is_gone(known[asset], now)
    ]
    return Day(stops, [read(row) for row in rows], told)


def standing_sites(tx: Transaction, connections: Sequence[str], now: datetime) -> list[str | None]:
    """The site of each asset that stands now, each once, as `day` has them; None where nobody said.

    Args:
        tx: to read in.
        connections: whose.
        now: when (UTC).
    """
    spans = _heads(tx, _standing(tx, connections, now))
    known = _assets(tx, set(spans))
    stand = [asset for asset in spans if asset not in known or not _is_gone(known[asset], now)]
    return [known[asset].site_key if asset in known else None for asset in stand]


Standing = dict[Key, tuple[list[sa.Row[Any]], Sequence[Key]]]
"""By asset: the stops that last, and every asset that it is one with, itself among them."""


def _standing(tx: Transaction, connections: Sequence[str], now: datetime) -> Iterator[sa.Row[Any]]:
    span = downtime.c
    names = ("connection_id", "asset_key", "started_at", "planned", "reason", "work_order_key")
    statement = sa.select(*(span[name] for name in names)).where(
        sa.text(VALID_SPAN), span.connection_id.in_(connections), span.asset_key.is_not(None), span.started_at <= now
    )
    for lasts in (span.ended_at.is_(None), span.ended_at > now):
        yield from tx.connection.execute(statement.where(lasts))


def _heads(tx: Transaction, spans: Iterable[sa.Row[Any]]) -> Standing:
    """Stops under the asset that stands for all it is linked to: one pump in two systems stands once."""
    linked = groups(tx)
    found: Standing = {}
    for span in spans:
        group = linked.of((span.connection_id, span.asset_key))
        found.setdefault(group[0], ([], group))[0].append(span)
    return found


def _selected() -> sa.Select[Any]:
    """Unfinished orders; of those in progress the trail too, which says since when."""
    trail = sa.case((work_orders.c.status == "in_progress", work_orders.c.registers)).label("registers")
    return sa.select(*(work_orders.c[name] for name in ORDER), trail).where(sa.text(UNFINISHED_ORDER))


def _orders(tx: Transaction, connections: Sequence[str], now: datetime) -> list[sa.Row[Any]]:
    """What is due before the day is over anywhere, and what is in progress."""
    order = work_orders.c
    mine = _selected().where(order.connection_id.in_(connections))
    due = mine.where(order.due_at < kept_instant(now + DAY_AND_MORE))
    working = mine.where(sa.text(IN_PROGRESS_ORDER))
    rows = [*tx.connection.execute(due), *tx.connection.execute(working)]
    return list({(row.connection_id, row.key): row for row in rows}.values())


def _named(held: Iterable[sa.Row[Any]]) -> set[Key]:
    """The orders that stops name."""
    return {(span.connection_id, span.work_order_key) for span in held if span.work_order_key is not None}


def _unfinished(tx: Transaction, names: tuple[str, str], wanted: Iterable[Key]) -> list[sa.Row[Any]]:
    """The unfinished orders of which two columns have one of some pairs of values."""
    pairs = [dict(zip(names, each, strict=True)) for each in sorted(wanted)]
    if not pairs:
        return []
    source = tx.rows(work_orders, names)
    same = sa.and_(*(work_orders.c[name] == source.c[name] for name in names))
    return list(tx.run(_selected().join_from(work_orders, source, same), pairs))


def _assets(tx: Transaction, wanted: Iterable[Key]) -> dict[Key, sa.Row[Any]]:
    rows = [{"connection_id": connection, "key": key} for connection, key in sorted(wanted)]
    names = ("connection_id", "key", "name", "status", "site_key", "is_deleted", "fields")
    return {(row.connection_id, row.key): row for row in tx.select(assets, rows, names)}


def _asset(row: sa.Row[Any]) -> Asset:
    return Asset(name=row.name, site=row.site_key, criticality=word(row.fields.get("criticality")))


def _is_gone(row: sa.Row[Any], now: datetime) -> bool:
    decommissioned = parse_moment(row.fields.get("decommissioned_date"))
    return row.is_deleted or row.status in GONE or (decommissioned is not None and decommissioned <= now)


def _order(row: sa.Row[Any], known: Mapping[Key, Asset], zones: Zones) -> Order:
    asset = known.get((row.connection_id, row.asset_key), Asset())
    site = row.site_key or asset.site
    return Order(
        connection=row.connection_id,
        key=row.key,
        asset=row.asset_key,
        site=site,
        title=row.title,
        status=row.status,
        type=row.type,
        priority=row.priority,
        crew=crew_of(row.fields),
        due=due_end(row.fields, zones(row.connection_id, site)),
        since=None if row.registers is None else _since(row),
    )


def _since(row: sa.Row[Any]) -> datetime | None:
    found = transitions(moves(records.read(row.fields, row.registers).trail))
    return found[-1].move.at if found else None


def crew_of(order: Mapping[str, Json]) -> tuple[str, ...]:
    """Keys and names of the team and of whoever the order is assigned to."""
    assigned = order.get("assignees")
    told = [order.get("team_ref"), *(assigned if isinstance(assigned, list) else ())]
    names = [name for each in told for name in (ref_key(each), each.get("label") if isinstance(each, dict) else None)]
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


def _stop(asset: Key, held: Sequence[sa.Row[Any]], known: Mapping[Key, Asset], orders: Sequence[Order]) -> Stop:
    unplanned = [span for span in held if span.planned is not True]
    first = min(unplanned or held, key=lambda span: span.started_at)
    return Stop(
        connection=asset[0],
        asset=asset[1],
        site=known.get(asset, Asset()).site,
        since=first.started_at,
        planned=not unplanned,
        reason=first.reason,
        orders=ordered_on(orders),
    )
