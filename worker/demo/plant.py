"""A plant: machines that run and stop until so many events have happened, and how it really was."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from worker.demo.episodes import TELLERS, Machine, pause, still_standing
from worker.demo.told import BEGIN, END, Episode, Stop, Told, down

LAST_HOURS: Final = timedelta(hours=12)
"""A machine that stops in these is not repaired before the window ends."""


@dataclass(frozen=True)
class Manner:
    """How a plant's system works.

    Attributes:
        connection: its id.
        scheme: how it signs, as `connections.toml` has it.
        way: how it tells down time, of `TELLERS`.
        spelling: how it spells events, of `worker.demo.spelling`.
        letters: what its assets' keys begin with.
    """

    connection: str
    scheme: str | Mapping[str, Any]
    way: str
    spelling: str
    letters: str


@dataclass(frozen=True)
class Plant:
    """What happened.

    Attributes:
        told: events in order of their happening.
        stops: how it really was, by asset.
    """

    told: list[Told] = field(default_factory=list)
    stops: dict[str, list[Stop]] = field(default_factory=dict)

    def down(self) -> dict[str, timedelta]:
        """How long each asset stood inside the window."""
        return {key: down(stops) for key, stops in self.stops.items()}

    def failures(self) -> dict[str, int]:
        """How often each asset failed inside the window."""
        return {key: sum(stop.failure and stop.start < END for stop in stops) for key, stops in self.stops.items()}


def run(manner: Manner, events: int, dice: random.Random) -> Plant:
    """Lets a plant run, a machine after the other, until exactly so many events have been told.

    Args:
        manner: how its system works.
        events: how many.
        dice: the same dice, the same plant.
    """
    plant = Plant()
    number = 0
    while len(plant.told) < events:
        number += 1
        machine = Machine(f"{manner.letters}{number:03d}")
        plant.stops[machine.key] = []
        for episode in _life(manner, machine, dice):
            if len(plant.told) + len(episode.told) > events:
                plant.told.extend(_rounds(machine, events - len(plant.told)))
                break
            plant.told.extend(episode.told)
            plant.stops[machine.key].extend(episode.stops)
    plant.told.sort(key=lambda each: each.at)
    return plant


def _life(manner: Manner, machine: Machine, dice: random.Random) -> Iterator[Episode]:
    """All that happens to a machine."""
    site = f"{manner.letters}{dice.randint(1, 3)}"
    born = Episode()
    born.tell(BEGIN, "asset.created", key=machine.key, name=f"Machine {machine.key}", site_key=site)
    yield born
    at = BEGIN + pause(dice)
    while at < END - LAST_HOURS:
        episode, over = TELLERS[manner.way](machine, dice, at)
        yield episode
        at = over + pause(dice)
    if at < END:
        yield still_standing(manner.way, machine, at)


def _rounds(machine: Machine, count: int) -> Iterator[Told]:
    """Somebody looks at it, and it runs."""
    for number in range(count):
        at: datetime = BEGIN + timedelta(minutes=number)
        yield Told(at, "asset.updated", {"key": machine.key, "description": f"Looked at, round {number}"})
