"""What the upstream system tells: a seeded stream of events of the `unified` source, in disorder.

Facts about the same few subjects, many of equal time or version, some without an id, some under an id that was used
before; alone and in arrays, shuffled, repeated; and among them some that cannot be read, and some of no known type.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
LAST = datetime(2026, 1, 1, tzinfo=UTC)
"""All of it happens from the one to the other."""
HOURS = 8_000
"""The subjects' hours are spread over so many."""
MINUTES = 7
"""A subject's facts happen within so few that many have the same time."""
VERSIONED = "south"
"""The connection whose work orders have versions, all of them."""
CONNECTIONS = ("north", VERSIONED)

WITHOUT_ID, REUSED_ID, UNREADABLE, UNKNOWN_TYPE = 0.1, 0.04, 0.015, 0.015
IN_ARRAYS, REPEATED, REPEATED_AT_ONCE = 0.1, 0.1, 0.04
"""Shares: of the events the first four, of the posts the others."""

STATUSES = ("requested", "approved", "scheduled", "in_progress", "on_hold", "completed", "closed", "cancelled")
VERBS = {
    "work_order": (
        *("created", "updated", "updated", "status_changed", "status_changed", "completed", "reopened"),
        *("cancelled", "deleted", "restored"),
    ),
    "asset": ("created", "updated", "status_changed", "status_changed", "status_changed", "deleted", "restored"),
    "downtime": ("started", "started", "ended", "ended", "corrected", "voided", "restored"),
}


class Fate(StrEnum):
    """What is to become of an event."""

    FOLDED = "folded"
    IGNORED = "ignored"
    BURIED = "buried"


class Sent(NamedTuple):
    """One event as it is sent.

    Attributes:
        connection: over which.
        raw: its own bytes.
        fate: what is to become of it.
    """

    connection: str
    raw: bytes
    fate: Fate


class Post(NamedTuple):
    """One body.

    Attributes:
        connection: over which.
        body: the bytes.
        events: how many it holds.
    """

    connection: str
    body: bytes
    events: int


class Stream(NamedTuple):
    """All of it.

    Attributes:
        events: each once.
        posts: in the order of sending, repeats among them.
    """

    events: Sequence[Sent]
    posts: Sequence[Post]


def stream(seed: int, count: int) -> Stream:
    """So many events, all decided by the seed."""
    dice = random.Random(f"stream {seed}")
    told = _Teller(dice, count)
    events = [told.event(number) for number in range(count)]
    posts = list(_packed(dice, events))
    posts += dice.sample(posts, int(len(posts) * REPEATED))
    dice.shuffle(posts)
    twice = set(dice.sample(range(len(posts)), int(len(posts) * REPEATED_AT_ONCE)))
    posts = [post for place, each in enumerate(posts) for post in ((each, each) if place in twice else (each,))]
    return Stream(list(dict.fromkeys(events)), posts)


def _packed(dice: random.Random, events: Sequence[Sent]) -> Iterator[Post]:
    """Events as bodies, some together; a body that is no JSON is one by itself."""
    left = {connection: [each for each in events if each.connection == connection] for connection in CONNECTIONS}
    for connection, waiting in left.items():
        while waiting:
            size = dice.randint(2, 6) if dice.random() < IN_ARRAYS else 1
            several, waiting[:size] = waiting[:size], []
            if size == 1 or not all(each.raw.endswith(b"}") for each in several):
                yield from (Post(connection, each.raw, 1) for each in several)
            else:
                yield Post(connection, b"[" + b" , ".join(each.raw for each in several) + b"]", len(several))


class _Teller:
    """Makes events up.

    Args:
        dice: decide.
        count: how many there will be; so many more subjects are there.
    """

    def __init__(self, dice: random.Random, count: int) -> None:
        self._dice = dice
        self._subjects = {"work_order": count // 10 + 1, "asset": count // 60 + 2, "downtime": count // 14 + 1}
        self._data: dict[str, Callable[[str, datetime], dict[str, Any]]] = {
            "work_order": self._work_order,
            "asset": self._asset,
            "downtime": self._downtime,
        }

    def event(self, number: int) -> Sent:
        """The one of that number, from 0."""
        dice = self._dice
        connection = dice.choice(CONNECTIONS)
        kind = dice.choices(tuple(self._subjects), (5, 2, 3))[0]
        subject = dice.randrange(self._subjects[kind])
        hour = FIRST + timedelta(hours=subject * 7 % HOURS)
        minute = dice.randrange(MINUTES)
        verb = dice.choice(VERBS[kind])
        told: dict[str, Any] = {
            "id": f"evt-{number}",
            "type": f"{kind}.{verb}",
            "occurred_at": self._spelled(hour + timedelta(minutes=minute)),
            "data": {"key": f"{kind}-{subject}", **self._data[kind](verb, hour)},
        }
        if connection == VERSIONED and kind == "work_order":
            told["version"] = minute // 2
        return self._sent(connection, told, number)

    def _sent(self, connection: str, told: dict[str, Any], number: int) -> Sent:
        lot = self._dice.random()
        if lot < UNREADABLE:
            return Sent(connection, self._spoilt(told), Fate.BURIED)
        if (lot := lot - UNREADABLE) < UNKNOWN_TYPE:
            return Sent(connection, json.dumps({**told, "type": "asset.admired"}).encode(), Fate.IGNORED)
        if (lot := lot - UNKNOWN_TYPE) < REUSED_ID:
            told["id"] = f"evt-{self._dice.randrange(number + 1)}"
        elif lot - REUSED_ID < WITHOUT_ID:
            del told["id"]
        return Sent(connection, json.dumps(told).encode(), Fate.FOLDED)

    def _spoilt(self, told: dict[str, Any]) -> bytes:
        """An event that nobody can read, each in its own way."""
        spoilt = [
            {**told, "data": {"title": "of nothing"}},
            {**told, "occurred_at": "the day before yesterday"},
            {name: value for name, value in told.items() if name != "type"},
        ]
        return self._dice.choice([*(json.dumps(each).encode() for each in spoilt), json.dumps(told).encode()[:-9]])

    def _spelled(self, moment: datetime) -> str:
        """A time, spelled in one of the ways that mean the same."""
        plain = moment.strftime("%Y-%m-%dT%H:%M:%S")
        ahead = (moment + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S")
        return self._dice.choice((f"{plain}Z", f"{plain}Z", f"{plain}.000Z", f"{ahead}+02:00"))

    def _some(self, **choices: Sequence[Any]) -> dict[str, Any]:
        """About half of these fields, each with one of its values."""
        return {name: self._dice.choice(values) for name, values in choices.items() if self._dice.random() < 0.5}

    def _assets(self) -> list[str]:
        return [f"asset-{self._dice.randrange(self._subjects['asset'])}" for _ in range(3)]

    def _work_order(self, verb: str, hour: datetime) -> dict[str, Any]:
        told = self._some(
            title=("Replace seal", "Grease bearing", "Überholung", None),
            description=("It drips", "x" * 300, None),
            type=("corrective", "corrective", "preventive", "inspection"),
            priority=("low", "high", None),
            asset_key=[*self._assets(), None],
            asset_down=(True, True, True, False, None),
            due_date=("2025-03-05", "2025-04-01"),
            line=("A", "B", None),
        )
        if verb == "completed":
            told |= self._some(completed_at=[self._spelled(hour + timedelta(minutes=m)) for m in (3, 5)])
        if verb == "status_changed" or (verb in {"created", "updated"} and self._dice.random() < 0.3):
            told["status"] = self._dice.choice(STATUSES)
        return told

    def _asset(self, verb: str, hour: datetime) -> dict[str, Any]:
        del hour
        if verb == "status_changed":
            return {"status": self._dice.choice(("up", "down", "down_planned", "standby"))}
        return self._some(
            name=("Feed pump", "Lüfter", None),
            manufacturer=("KSB", "Sulzer"),
            parent_key=[*self._assets(), None],
            custom_fields=({"hall": "1"}, {"hall": None}, {"hall": "2", "bay": "7"}),
        )

    def _downtime(self, verb: str, hour: datetime) -> dict[str, Any]:
        del verb
        times = [*(self._spelled(hour + timedelta(minutes=m)) for m in (-30, 2, 45)), None]
        return self._some(
            asset_key=[*self._assets(), None],
            started_at=times[:2],
            ended_at=times[1:],
            planned=(True, False, False, None),
            failure=(True, False),
            cause=("equipment", "external", None),
            reason=("seal", None),
            work_order_key=("work_order-1", None),
        )
