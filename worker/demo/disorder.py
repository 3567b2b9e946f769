"""Everything a plant's system will send, in the order in which it sends it: early, late, twice, broken or forged."""

import random
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from worker.demo import spelling
from worker.demo.plant import Manner, Plant, run
from worker.demo.spelling import SPELLINGS, Outgoing

UNREADABLE: Final = 0.003
BROKEN: Final = 0.002
UNHEARD_OF: Final = 0.005
"""Shares of the events, at least one of each: bugs of the senders', signed like all the rest, and a type that nothing
handles."""
FORGED: Final = 0.005
"""Bad signatures, as a share of the deliveries."""
REPEATED: Final = 0.2
"""Share of the deliveries that are sent once more."""
STRAY: Final = 300
"""By how many places one may be late."""
VERY_LATE: Final = 0.02
"""Share of the events that come whenever they come."""

_Item = TypeVar("_Item")


def traffic(manner: Manner, events: int, seed: int) -> tuple[Plant, list[Outgoing]]:
    """A plant, and its system's deliveries.

    Args:
        manner: how the system works.
        events: how many different ones are in the deliveries, forged ones aside; at least 4.
        seed: the same seed, the same traffic.
    """
    dice = random.Random(f"{seed} {manner.connection}")  # noqa: S311  # a simulation, the same each time
    unreadable, broken, unheard_of = (max(1, round(share * events)) for share in (UNREADABLE, BROKEN, UNHEARD_OF))
    plant = run(manner, events - unreadable - broken - unheard_of, dice)
    spelled_as, prefix = SPELLINGS[manner.spelling], manner.connection
    odd = [spelling.unreadable(spelled_as, place, prefix) for place in range(unreadable)]
    odd += [spelling.unheard_of(spelled_as, place, prefix) for place in range(unheard_of)]
    elements = list(disordered(spelling.spelled(spelled_as, plant.told, prefix), odd, dice))
    deliveries = list(spelling.deliveries(elements, bundles=spelled_as.bundles, prefix=prefix, dice=dice))
    others = [spelling.broken(place) for place in range(broken)]
    assets = list(plant.stops)
    forgeries = max(1, round(FORGED * len(deliveries)))
    others += [spelling.forged(dice.choice(assets), place) for place in range(forgeries)]
    return plant, list(_line(deliveries, others, dice))


def disordered(items: Sequence[_Item], anywhere: Sequence[_Item], dice: random.Random) -> Iterator[_Item]:
    """Items on their way: each some places late, a few very late, and others come anywhere between."""
    line = [
        (dice.uniform(place, len(items)) if dice.random() < VERY_LATE else place + dice.uniform(0, STRAY), each)
        for place, each in enumerate(items)
    ]
    line += [(dice.uniform(0, len(items)), each) for each in anywhere]
    return _in_line(line)


def _line(deliveries: Sequence[Outgoing], others: Sequence[Outgoing], dice: random.Random) -> Iterator[Outgoing]:
    """Deliveries in order, others anywhere between; some that are not forged come once more later."""
    line = [(float(place), each) for place, each in enumerate(deliveries)]
    line += [(dice.uniform(0, len(deliveries)), each) for each in others]
    repeats = [(at, each) for at, each in line if not each.forged and dice.random() < REPEATED]
    line += [(at + dice.uniform(0, STRAY), each) for at, each in repeats]
    return _in_line(line)


def _in_line(line: Sequence[tuple[float, _Item]]) -> Iterator[_Item]:
    return (each for _, each in sorted(line, key=lambda pair: pair[0]))
