"""What is to be fetched: a thin event states less than its source knows, until its record has come since.

A wish that tells its time is granted by a full record as new, in the order of facts. One that tells none is as old as
its arrival, and so is every delivery of one without an id, for two changes may be told in the same bytes: such a wish
is granted by a full record that came since, however old its source says that the record is.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from handlers.events import Event
from handlers.rules.order import stamp

Subject = tuple[str, str, str]
"""(connection, kind, key)."""


class Told(msgspec.Struct, frozen=True):
    """What thin events and full records say of one subject; merging is commutative, associative and idempotent.

    Attributes:
        wanted_by: stamp of the newest thin event that tells its time; empty for none.
        wanted_at: when the last one came that tells no time, or has no id (UTC); None for none.
        full_by: the greatest stamp of a full record; empty for none.
        full_at: when a full record last came, known already or not (UTC); None for none.
        source_entity: what the source calls the subject's kind, where it says; of several names the last by letter.
    """

    wanted_by: str = ""
    wanted_at: datetime | None = None
    full_by: str = ""
    full_at: datetime | None = None
    source_entity: str | None = None

    @property
    def is_due(self) -> bool:
        """Whether the subject's record has to be fetched."""
        if self.wanted_by > self.full_by:
            return True
        return self.wanted_at is not None and (self.full_at is None or self.full_at < self.wanted_at)

    def with_(self, other: "Told") -> "Told":
        """Both."""
        return Told(
            wanted_by=max(self.wanted_by, other.wanted_by),
            wanted_at=_later(self.wanted_at, other.wanted_at),
            full_by=max(self.full_by, other.full_by),
            full_at=_later(self.full_at, other.full_at),
            source_entity=max(self.source_entity or "", other.source_entity or "") or None,
        )

    def wants_more_than(self, other: "Told") -> bool:
        """Whether it has a wish that is newer: whatever was asked for before may be older than that."""
        return (self.wanted_by, self.wanted_at) != (other.wanted_by, other.wanted_at)


def told(arrivals: Iterable[tuple[Event, datetime]]) -> dict[Subject, Told]:
    """What arrivals say, by subject.

    Args:
        arrivals: events with when they came (UTC); of those that are known already only what `counts_again`.
    """
    found: dict[Subject, Told] = {}
    for event, received_at in arrivals:
        if event.thin or event.full:
            subject = (event.connection_id, event.kind, event.key)
            found[subject] = found.get(subject, Told()).with_(_of(event, received_at))
    return found


def counts_again(event: Event) -> bool:
    """Whether an event that is known already says something by coming again.

    A thin one without an id does, and so does a record: that it has not changed is what a fetch may find.
    """
    return event.full or (event.thin and _is_nameless(event))


def _of(event: Event, received_at: datetime) -> Told:
    if event.full:
        return Told(full_by=stamp(event), full_at=received_at)
    named = event.fields.get("source_entity")
    is_timeless = event.version is None and event.occurred_at == received_at
    return Told(
        wanted_by="" if is_timeless else stamp(event),
        wanted_at=received_at if is_timeless or _is_nameless(event) else None,
        source_entity=named if isinstance(named, str) else None,
    )


def _is_nameless(event: Event) -> bool:
    """Whether the digest of its bytes stands in for an id; what else the same bytes tell is told apart behind it."""
    return event.event_id.partition("~")[0] == event.digest


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((each for each in (one, other) if each is not None), default=None)
