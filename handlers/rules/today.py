"""The work of a day, in the order in which a planner would go through it, each line with the reason why it is there.

First what stands: stops that nobody planned before planned ones, then the more critical asset, then the longer stop.
Then orders that are overdue, by the criticality of their asset, their priority, and how long they are. Then what is due
before the day ends where it is, by the hour. Then what else is in progress. An order has one line, at the first of
these that holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, Literal, TypeAlias, TypedDict

import msgspec

from handlers.rules.facts import Key
from handlers.rules.recurrence import end_of_day, local_day
from handlers.rules.times import kept_instant

Group: TypeAlias = Literal["down", "overdue", "due", "in_progress"]
GROUPS: tuple[Group, ...] = ("down", "overdue", "due", "in_progress")
RANKS: Mapping[str | None, int] = {"critical": 4, "high": 3, "medium": 2, None: 2, "low": 1, "none": 0}
"""Of criticality and priority; what nobody said counts as medium, neither urged nor put off."""
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", MINUTE))


class Order(msgspec.Struct, frozen=True):
    """An unfinished work order.

    Attributes:
        connection: whose it is.
        key: its key.
        asset: key of its asset.
        site: its own, else its asset's.
        title: what is to be done.
        status: how far it is.
        type: of what kind the work is.
        priority: how urgent.
        crew: who is to do it: names and keys of its team and its people.
        due: when it becomes late (UTC); None without a due time.
        since: when it came into progress; None while it is not.
    """

    connection: str
    key: str
    asset: str | None
    site: str | None
    title: str | None
    status: str | None
    type: str | None
    priority: str | None
    crew: tuple[str, ...]
    due: datetime | None
    since: datetime | None


class Stop(msgspec.Struct, frozen=True):
    """An asset that stands.

    Attributes:
        connection: whose it is.
        asset: its key.
        site: of the asset.
        since: when its oldest stop that lasts began (UTC); of unplanned ones, if there are any.
        planned: every stop that lasts was planned.
        reason: why, in the words of that stop.
        orders: the unfinished orders on it, those in progress first.
    """

    connection: str
    asset: str
    site: str | None
    since: datetime
    planned: bool
    reason: str | None
    orders: tuple[Order, ...]


class Asset(msgspec.Struct, frozen=True):
    """What the lines about an asset say of it."""

    name: str | None = None
    site: str | None = None
    criticality: str | None = None


class Line(msgspec.Struct, frozen=True):
    """One line of the day: an asset that stands, or an order.

    Attributes:
        group: which part of the list it is in.
        reason: why it is there, in words.
        of: the order or the stop.
        asset: what is known of the asset.
    """

    group: Group
    reason: str
    of: Order | Stop
    asset: Asset

    def row(self, now: datetime) -> "TodaysLine":
        """It under its printed names; every line has the same members."""
        order = self.of if isinstance(self.of, Order) else None
        stop = self.of if isinstance(self.of, Stop) else None
        due = None if order is None else order.due
        return {
            "group": self.group,
            "reason": self.reason,
            "connection": self.of.connection,
            "site": self.of.site,
            "asset_key": self.of.asset,
            "asset_name": self.asset.name,
            "criticality": self.asset.criticality,
            "work_order_key": None if order is None else order.key,
            "title": None if order is None else order.title,
            "status": None if order is None else order.status,
            "type": None if order is None else order.type,
            "priority": None if order is None else order.priority,
            "crew": [] if order is None else list(order.crew),
            "due_at": None if due is None else kept_instant(due),
            "overdue_by": (now - due) // SECOND if due is not None and due <= now else None,
            "since": None if self.of.since is None else kept_instant(self.of.since),
            "planned": None if stop is None else stop.planned,
            "work_order_keys": [] if stop is None else [each.key for each in stop.orders],
        }


class TodaysLine(TypedDict):
    """A line as it is printed."""

    group: Group
    reason: str
    connection: str
    site: str | None
    asset_key: str | None
    asset_name: str | None
    criticality: str | None
    work_order_key: str | None
    title: str | None
    status: str | None
    type: str | None
    priority: str | None
    crew: list[str]
    due_at: str | None
    overdue_by: int | None
    since: str | None
    planned: bool | None
    work_order_keys: list[str]


class Wanted(msgspec.Struct, frozen=True):
    """Whose day it is; None is everybody's.

    Attributes:
        site: key of a site.
        crew: name or key of a team, or of one person.
    """

    site: str | None = None
    crew: str | None = None

    def has(self, of: Order | Stop) -> bool:
        """Whether a line concerns them: a stop does if their orders are on it, or nobody's."""
        if self.site is not None and of.site != self.site:
            return False
        if self.crew is None:
            return True
        if isinstance(of, Order):
            return self.crew in of.crew
        return not of.orders or any(self.crew in each.crew for each in of.orders)


def days_work(
    stops: Iterable[Stop],
    orders: Iterable[tuple[Order, tzinfo]],
    assets: Mapping[Key, Asset],
    wanted: Wanted,
    now: datetime,
) -> list[Line]:
    """The lines of a day.

    Args:
        stops: assets that stand now, each once.
        orders: unfinished ones, each once, with the zone that its day ends in; those that have no place are left out.
        assets: what is known of the assets.
        wanted: whose day.
        now: which day, and how late things are (UTC).
    """
    lines = [_of_stop(each, assets, now) for each in stops if wanted.has(each)]
    found = (_of_order(each, zone, assets, now) for each, zone in orders if wanted.has(each))
    lines += [each for each in found if each is not None]
    return sorted(lines, key=_place)


def spoken(length: timedelta) -> str:
    """A length of time in its two largest units: `3 d 4 h`, `2 h`, `5 min`."""
    left, parts = max(length, timedelta()), []
    for name, unit in UNITS:
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count} {name}")
        elif parts:
            break
    return " ".join(parts[:2]) or "less than a minute"


def _of_stop(stop: Stop, assets: Mapping[Key, Asset], now: datetime) -> Line:
    what = "planned stop" if stop.planned else "down"
    told = [f"{what} for {spoken(now - stop.since)}"]
    if stop.reason:
        told.append(stop.reason)
    if not stop.orders:
        told.append("no work order is open on it")
    return Line("down", ", ".join(told), stop, assets.get((stop.connection, stop.asset), Asset()))


def _of_order(order: Order, zone: tzinfo, assets: Mapping[Key, Asset], now: datetime) -> Line | None:
    asset = Asset() if order.asset is None else assets.get((order.connection, order.asset), Asset())
    working = None if order.since is None else f"in progress for {spoken(now - order.since)}"
    if order.due is not None and order.due <= now:
        return Line("overdue", _joined(f"overdue by {spoken(now - order.due)}", working), order, asset)
    if order.due is not None and order.due <= end_of_day(local_day(now, zone), zone):
        local = order.due.astimezone(zone)
        hour = "" if order.due == end_of_day(local_day(now, zone), zone) else f" by {local:%H:%M}"
        return Line("due", _joined(f"due today{hour}", working), order, asset)
    return None if working is None else Line("in_progress", working, order, asset)


def _joined(one: str, other: str | None) -> str:
    return one if other is None else f"{one}, {other}"


def _place(line: Line) -> tuple[Any, ...]:
    """Where a line stands: lower is earlier."""
    of, critical = line.of, -RANKS.get(line.asset.criticality, RANKS[None])
    if isinstance(of, Stop):
        return (0, of.planned, critical, of.since, of.connection, of.asset)
    urgent = -RANKS.get(of.priority, RANKS[None])
    group = GROUPS.index(line.group)
    if line.group == "due":
        return (group, of.due, critical, urgent, of.connection, of.key)
    return (group, critical, urgent, of.due if line.group == "overdue" else of.since, of.connection, of.key)


def ordered_on(orders: Sequence[Order]) -> tuple[Order, ...]:
    """Orders on one asset: those in progress first, then by urgency."""
    return tuple(
        sorted(orders, key=lambda each: (each.since is None, -RANKS.get(each.priority, RANKS[None]), each.key))
    )
