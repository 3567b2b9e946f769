"""The balance: what became of every event that was answered 200, and whether the figures are right."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

from handlers.events import Outcome
from handlers.store.balance import DEAD_LETTER, Fates
from worker.demo.plant import Plant
from worker.demo.told import WINDOW
from worker.demo.upstream import Accepted

TOLERANCE: Final = 1e-9
"""Of an availability, 0 to 1: both sides compute with whole microseconds, so only the last division rounds."""


class Balance(NamedTuple):
    """Counts of events; the first is the sum of the others.

    Attributes:
        accepted: in deliveries that were answered 200, repeats counted each time.
        applied: changed something.
        stale: everything they said was known newer.
        ignored: of a type that nothing handles.
        duplicates: had been accepted before.
        dead_letters: could not be read.
        lost: answered 200, and in no table.
    """

    accepted: int
    applied: int
    stale: int
    ignored: int
    duplicates: int
    dead_letters: int
    lost: int


def balance(accepted: Iterable[Accepted], archived: Collection[str], fates: Fates) -> Balance:
    """Looks every accepted event up.

    Args:
        accepted: what was answered 200.
        archived: ids of the deliveries that the archive has: all events of any other are lost.
        fates: how each event ended that the tables know.
    """
    counted = dict.fromkeys((*Outcome, DEAD_LETTER, "duplicate", "lost"), 0)
    seen: set[tuple[str, str]] = set()
    for delivery in accepted:
        for digest in delivery.digests:
            event = (delivery.connection, digest)
            if delivery.delivery_id not in archived or event not in fates:
                counted["lost"] += 1
            elif event in seen:
                counted["duplicate"] += 1
            else:
                counted[fates[event]] += 1
                seen.add(event)
    return Balance(
        accepted=sum(counted.values()),
        applied=counted[Outcome.APPLIED],
        stale=counted[Outcome.STALE],
        ignored=counted[Outcome.IGNORED],
        duplicates=counted["duplicate"],
        dead_letters=counted[DEAD_LETTER],
        lost=counted["lost"],
    )


@dataclass(frozen=True)
class Comparison:
    """The figures that were found beside those that were simulated.

    Attributes:
        assets: how many were simulated.
        found: availability of all of them together, 0 to 1; None where not one was found.
        simulated: the same, as it really was.
        greatest_difference: of any one asset's availability; an asset that is missing, or one too many, counts as 1.
        failures_found: effective ones.
        failures_simulated: as they really were.
    """

    assets: int
    found: float | None
    simulated: float
    greatest_difference: float
    failures_found: int
    failures_simulated: int

    @property
    def agrees(self) -> bool:
        """Whether each asset's availability and the number of failures are right."""
        return self.greatest_difference <= TOLERANCE and self.failures_found == self.failures_simulated


def compared(plants: Mapping[str, Plant], rows: Sequence[Mapping[str, Any]]) -> Comparison:
    """Compares.

    Args:
        plants: by connection.
        rows: what `uptime --json` printed for the window, a row an asset.
    """
    real = {(each, asset): length for each, plant in plants.items() for asset, length in plant.down().items()}
    found = {(row["connection"], row["asset_key"]): row for row in rows}
    differences = [abs(found[key]["availability"] - (1 - real[key] / WINDOW)) for key in real.keys() & found.keys()]
    required = sum(row["required_s"] for row in rows)
    return Comparison(
        assets=len(real),
        found=sum(row["uptime_s"] for row in rows) / required if required else None,
        simulated=1 - sum(real.values(), timedelta()) / (WINDOW * len(real)),
        greatest_difference=max((*differences, float(real.keys() != found.keys()))),
        failures_found=sum(row["failures_effective"] for row in rows),
        failures_simulated=sum(sum(plant.failures().values()) for plant in plants.values()),
    )
