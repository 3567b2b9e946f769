"""What happens to machines, and how three kinds of systems tell it.

Lengths are drawn as reliability engineers draw them: exponential between stops, log-normal for repairs. Each kind of
system tells down time in its own way: as intervals, as a stream of statuses, as work orders with `asset_down`.
"""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from worker.demo.told import Episode, Stop

MEAN_UPTIME: Final = timedelta(hours=30)
"""Between stops: some fifty in the window for each machine, which is a bad machine, and a lively demonstration."""
MEDIAN_REPAIR: Final = timedelta(hours=2)
REPAIR_SPREAD: Final = 0.8
"""Standard deviation of the logarithm: one repair in twenty takes four times the median."""
LEAST_PAUSE: Final = timedelta(minutes=10)
"""Between stops: those that touch are one outage, and one failure."""

_PLANNED: Final = 0.2
_CORRECTED: Final = 0.8
_FALSE_ALARM: Final = 0.92
"""Thresholds of one draw: planned below the first, told in a special way above the others."""

Teller = Callable[["Machine", random.Random, datetime], tuple[Episode, datetime]]
"""Tells one episode that begins at a time; returns it, and when it is over for good."""


class Machine:
    """An asset, and the numbers of what was told about it.

    Attributes:
        key: of the asset.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self._count = 0

    def next_key(self, letters: str) -> str:
        """A key for a record about this asset: no two are alike."""
        self._count += 1
        return f"{letters}-{self.key}-{self._count}"


def pause(dice: random.Random) -> timedelta:
    """How long a machine runs until it stops again."""
    return LEAST_PAUSE + _milliseconds(dice.expovariate(1 / MEAN_UPTIME.total_seconds()))


def repair(dice: random.Random) -> timedelta:
    """How long it stands."""
    return timedelta(minutes=1) + _milliseconds(MEDIAN_REPAIR.total_seconds() * dice.lognormvariate(0, REPAIR_SPREAD))


def intervals(machine: Machine, dice: random.Random, start: datetime) -> tuple[Episode, datetime]:
    """Down time told as intervals, with a work order beside each; some corrected, some voided, some overlapping."""
    end = start + repair(dice)
    kind = dice.random()
    if kind < _PLANNED:
        return _planned_interval(machine, dice, start, end)
    episode = Episode(stops=[Stop(start, end, failure=True)])
    order, key = machine.next_key("WO"), machine.next_key("DT")
    about = {"asset_key": machine.key, "work_order_key": order}
    episode.tell(start, "downtime.started", key=key, planned=False, failure=True, **about)
    if kind > _FALSE_ALARM:
        episode.stops.clear()
        episode.tell(end, "downtime.voided", key=key)
        return episode, end
    _order(episode, machine, order, start=start, end=end, dice=dice)
    if kind > _CORRECTED:
        # The clerk's times, put right the next day.
        episode.tell(end, "downtime.ended", key=key, ended_at=_text(end + timedelta(minutes=45)))
        episode.tell(end + timedelta(days=1), "downtime.corrected", key=key, ended_at=_text(end))
        return episode, end + timedelta(minutes=45)
    episode.tell(end, "downtime.ended", key=key)
    return episode, end


def statuses(machine: Machine, dice: random.Random, start: datetime) -> tuple[Episode, datetime]:
    """Down time told as a stream of statuses: down, at times handed over to a planned overhaul, and up."""
    end = start + repair(dice)
    episode = Episode()
    kind = dice.random()
    first = "down_planned" if kind < _PLANNED else "down"
    episode.tell(start, "asset.status_changed", key=machine.key, status=first)
    episode.stops.append(Stop(start, end, failure=first == "down"))
    if first == "down":
        _order(episode, machine, machine.next_key("WO"), start=start, end=end, dice=dice)
    if kind > _FALSE_ALARM:
        later = end + repair(dice)
        episode.tell(end, "asset.status_changed", key=machine.key, status="down_planned")
        episode.stops.append(Stop(end, later, failure=False))
        end = later
    episode.tell(end, "asset.status_changed", key=machine.key, status="up")
    return episode, end


def orders(machine: Machine, dice: random.Random, start: datetime) -> tuple[Episode, datetime]:
    """Down time told by work orders with `asset_down`: some reopened, some cancelled, some told late."""
    end = start + repair(dice)
    kind = dice.random()
    episode = Episode()
    order = machine.next_key("WO")
    is_planned = kind < _PLANNED
    stated = {"asset_key": machine.key, "asset_down": True, "type": "preventive" if is_planned else "corrective"}
    if is_planned:
        episode.tell(start - timedelta(minutes=5), "work_order.created", key=order, status="scheduled", **stated)
        episode.tell(start, "work_order.status_changed", key=order, status="in_progress")
    else:
        episode.tell(start, "work_order.created", key=order, status="approved", title="Standing still", **stated)
    if kind > _FALSE_ALARM:
        episode.tell(end, "work_order.cancelled", key=order)  # before any work: it never stood
        return episode, end
    episode.stops.append(Stop(start, end, failure=not is_planned))
    if not is_planned:
        episode.tell(_part(start, end, 0.3), "work_order.status_changed", key=order, status="in_progress")
    late = end + timedelta(minutes=7)
    episode.tell(late, "work_order.completed", key=order, completed_at=_text(end))
    if kind > _CORRECTED:
        again, over = late + timedelta(minutes=30), late + timedelta(minutes=30) + repair(dice)
        episode.tell(again, "work_order.reopened", key=order)
        episode.tell(over, "work_order.completed", key=order)
        episode.stops.append(Stop(again, over, failure=False))  # the same failure, not fixed yet
        late = over
    episode.tell(late + timedelta(hours=1), "work_order.status_changed", key=order, status="closed")
    return episode, late


def still_standing(way: str, machine: Machine, start: datetime) -> Episode:
    """A failure that is not over at the end of the window."""
    episode = Episode(stops=[Stop(start, None, failure=True)])
    if way == "intervals":
        episode.tell(start, "downtime.started", key=machine.next_key("DT"), asset_key=machine.key)
    elif way == "statuses":
        episode.tell(start, "asset.status_changed", key=machine.key, status="down")
    else:
        stated = {"asset_key": machine.key, "asset_down": True, "type": "corrective", "status": "approved"}
        episode.tell(start, "work_order.created", key=machine.next_key("WO"), **stated)
    return episode


TELLERS: Final[Mapping[str, Teller]] = {"intervals": intervals, "statuses": statuses, "orders": orders}
"""By the way of telling."""


def _planned_interval(
    machine: Machine, dice: random.Random, start: datetime, end: datetime
) -> tuple[Episode, datetime]:
    """A planned stop; now and then the machine breaks in it, and stands for longer than was planned."""
    episode = Episode(stops=[Stop(start, end, failure=False)])
    key = machine.next_key("DT")
    episode.tell(start, "downtime.started", key=key, asset_key=machine.key, planned=True, reason="Shutdown")
    episode.tell(end, "downtime.ended", key=key)
    if dice.random() < _PLANNED:
        broken, whole = _part(start, end, 0.6), end + repair(dice)
        inner = machine.next_key("DT")
        episode.tell(broken, "downtime.started", key=inner, asset_key=machine.key, cause="equipment")
        episode.tell(whole, "downtime.ended", key=inner)
        episode.stops.append(Stop(broken, whole, failure=True))
        end = whole
    return episode, end


def _order(
    episode: Episode, machine: Machine, order: str, *, start: datetime, end: datetime, dice: random.Random
) -> None:
    """A work order's ordinary life."""
    episode.tell(
        start,
        "work_order.created",
        key=order,
        asset_key=machine.key,
        type="corrective",
        status="approved",
        priority=dice.choice(("low", "medium", "high")),
        title=dice.choice(("Bearing hot", "Belt torn", "No pressure", "Drive tripped", "Seal leaks")),
    )
    episode.tell(_part(start, end, 0.2), "work_order.status_changed", key=order, status="in_progress")
    if dice.random() < _PLANNED:
        episode.tell(_part(start, end, 0.4), "work_order.status_changed", key=order, status="on_hold")
        episode.tell(_part(start, end, 0.7), "work_order.status_changed", key=order, status="in_progress")
    episode.tell(end, "work_order.completed", key=order)


def _part(start: datetime, end: datetime, part: float) -> datetime:
    return start + _milliseconds((end - start).total_seconds() * part)


def _milliseconds(seconds: float) -> timedelta:
    """Whole ones, as systems have them."""
    return timedelta(milliseconds=int(seconds * 1000))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
