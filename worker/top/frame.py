"""What one frame shows; None is what could not be read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from worker.console.counts import Schedule
from worker.queue import LaneState


class Connected(msgspec.Struct, frozen=True):
    """A connection.

    Attributes:
        id: its.
        state: `active`, `paused` or `revoked`.
        health: what it last said of itself; None where it never said anything.
        last_at: when something last came from it; None where nothing ever did.
        is_silent: nothing came for longer than it is expected to take.
    """

    id: str
    state: str
    health: str | None
    last_at: datetime | None
    is_silent: bool


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """How things stand at a moment.

    Attributes:
        at: when (UTC).
        counted: the roles of this machine have counted, and what is a second is exact; else the tables were asked.
        accepted: a second: webhooks where that was counted, else events.
        committed: events a second.
        median: of the seconds from accepted to committed.
        high: the 95th of 100 of them.
        throughput: events committed a second in the last beats, the oldest first.
        lanes: the queues.
        retrying: events that wait to be tried again.
        letters: open dead letters by code.
        connections: in the order of their file.
        schedules: what the scheduler does; None where it is counted elsewhere.
        today: how many lines each part of the day's list has.
        away: what could not be read, and why.
    """

    at: datetime
    counted: bool
    accepted: float | None
    committed: float | None
    median: float | None
    high: float | None
    throughput: Sequence[float | None]
    lanes: Sequence[LaneState] | None
    retrying: int | None
    letters: Mapping[str, int] | None
    connections: Sequence[Connected] | None
    schedules: Sequence[Schedule] | None
    today: Mapping[str, int] | None
    away: Mapping[str, str]

    def row(self) -> dict[str, Any]:
        """It under its printed names."""
        return {
            "at": self.at,
            "accepted_per_s": self.accepted,
            "committed_per_s": self.committed,
            "end_to_end_s": {"median": self.median, "p95": self.high},
            "queues": None if self.lanes is None else [_queue(each) for each in self.lanes],
            "retrying": self.retrying,
            "dead_letters_open": None if self.letters is None else dict(self.letters),
            "connections": None
            if self.connections is None
            else [msgspec.structs.asdict(each) for each in self.connections],
            "schedules": None if self.schedules is None else [_schedule(each) for each in self.schedules],
            "today": None if self.today is None else dict(self.today),
            "away": dict(self.away),
        }


def _queue(lane: LaneState) -> dict[str, Any]:
    age = None if lane.oldest_age is None else lane.oldest_age.total_seconds()
    return {"queue": lane.lane, "ready": lane.ready, "in_flight": lane.in_flight, "oldest_age_s": age}


def _schedule(each: Schedule) -> dict[str, Any]:
    last = each.last or None
    return {"schedule": each.name, "every_s": each.period, "last_success_timestamp": last, "errors": each.errors}
