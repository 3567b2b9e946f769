"""What a simulated plant tells: events in order of their happening, and the stops that really were."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)
"""Long past, so that no clock calls an event early; and the same in each run, as all else that is simulated."""
WINDOW: Final = timedelta(days=60)
END: Final = BEGIN + WINDOW


class Told(NamedTuple):
    """An event, before it is spelled the way its system spells events.

    Attributes:
        at: when it happened.
        type: `work_order.completed` and its like.
        data: what it says; None leaves it to be spelled as one that nobody can read.
    """

    at: datetime
    type: str
    data: dict[str, Any]


class Stop(NamedTuple):
    """A stretch in which an asset stood.

    Attributes:
        start: from here.
        end: to here, itself excluded; None where it still stands at the end.
        failure: it is a failure, not a stop on purpose.
    """

    start: datetime
    end: datetime | None
    failure: bool


@dataclass
class Episode:
    """Something that happened to an asset: what is told of it, and how it stood meanwhile.

    Attributes:
        told: in any order.
        stops: what really was, whatever was told first and corrected later.
    """

    told: list[Told] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)

    def tell(self, at: datetime, type_: str, **data: Any) -> None:
        """Adds an event."""
        self.told.append(Told(at, type_, data))


def merged(stops: Iterable[Stop], begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The time that any of the stops covers inside a window, as stretches that do not overlap."""
    since, until = begin, begin
    for stop in sorted(stops, key=lambda each: each.start):
        start, stopped = max(stop.start, begin), min(stop.end or end, end)
        if start > until:
            yield since, until
            since = start
        until = max(until, stopped)
    yield since, until


def down(stops: Sequence[Stop]) -> timedelta:
    """How long an asset stood between `BEGIN` and `END`."""
    return sum((end - start for start, end in merged(stops, BEGIN, END) if end > start), timedelta())
