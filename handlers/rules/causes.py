"""Down time by cause: who owned the stopped instants of a window, added up by what the owner's cause is.

Hours are those of the timeline (`handlers.rules.downtime`), so over all causes they add up to the down time of the
figures, and failures to the effective failures: an outage that counts as one is put down to the first failure in it
that owns something and did not make an earlier outage count.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from handlers.rules.calendars import Calendar, operating
from handlers.rules.downtime import Outage, Segment, Span, outages
from handlers.rules.figures import NONE, failures, held

Name = TypeVar("Name")


class Share(msgspec.Struct, frozen=True):
    """What one cause took.

    Attributes:
        planned: down time owned by planned spans.
        unplanned: the rest of the down time.
        failures: effective failures.
    """

    planned: timedelta = NONE
    unplanned: timedelta = NONE
    failures: int = 0

    @property
    def downtime(self) -> timedelta:
        """All of it."""
        return self.planned + self.unplanned

    def plus(self, other: "Share") -> "Share":
        """Both."""
        return Share(self.planned + other.planned, self.unplanned + other.unplanned, self.failures + other.failures)


class Stops(msgspec.Struct, frozen=True):
    """One asset's stops in a window.

    Attributes:
        segments: who owned which stretch, clipped to the window, oldest first; those of 0 h are left out, those
            outside of operating time are not.
        shares: by the owner's `ref`.
    """

    segments: tuple[Segment, ...]
    shares: Mapping[str, Share]


def stops(
    spans: Sequence[Span], since: datetime, until: datetime, horizon: datetime, calendar: Calendar | None = None
) -> Stops:
    """One asset's stops.

    Args:
        spans: the asset's, as for its figures.
        since: start of its required time in the window (UTC).
        until: the end of it.
        horizon: where knowledge ends: the earlier of as-of and decommissioning.
        calendar: when it operates; None for always.
    """
    if until <= since:
        return Stops((), {})
    found = outages(spans, horizon)
    segments = tuple(_clipped((each for stop in found for each in stop.segments), since, until))
    wanted = ((since, until),) if calendar is None else operating(calendar, since, until)
    shares: dict[str, Share] = {}
    for segment in segments:
        length = held((segment,), wanted)
        _add(shares, segment.ref, Share(planned=length) if segment.planned else Share(unplanned=length))
    counting = set(failures(found, since, until, calendar))
    for stop, ref in _failures(found):
        if stop in counting:
            _add(shares, ref, Share(failures=1))
    return Stops(segments, shares)


def pooled(parts: Iterable[tuple[str | None, Share]]) -> dict[str | None, Share]:
    """Shares added up by cause."""
    found: dict[str | None, Share] = {}
    for cause, share in parts:
        _add(found, cause, share)
    return found


def _add(found: dict[Name, Share], name: Name, share: Share) -> None:
    found[name] = found.get(name, Share()).plus(share)


def _clipped(segments: Iterable[Segment], since: datetime, until: datetime) -> Iterator[Segment]:
    for each in segments:
        start, end = max(each.started_at, since), min(each.ended_at, until)
        if start < end:
            yield msgspec.structs.replace(each, started_at=start, ended_at=end)


def _failures(found: Iterable[Outage]) -> Iterator[tuple[Outage, str]]:
    """Each effective outage, and whose failure made it so."""
    counted: set[str] = set()
    for stop in found:
        failing = [segment.ref for segment in stop.segments if segment.failure]
        if stop.effective:
            yield stop, next(ref for ref in failing if ref == "" or ref not in counted)
        counted.update(failing)
