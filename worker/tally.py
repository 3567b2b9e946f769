"""Counting what a transaction came to; only once it has committed, so that no failed try is ever counted."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from handlers import effects
from handlers.events import WHOLE_BODY, Event, Outcome
from handlers.store.events import Identity, identity
from handlers.store.letter import Letter
from handlers.store.retries import Row, RowId
from worker import telemetry
from worker.codes import KNOWN, OTHER, SERVICES, labelled
from worker.units import Unit

DUPLICATE = "duplicate"
DEAD_LETTER = "dead_letter"
REPLAY_OUTCOMES = (DEAD_LETTER, Outcome.APPLIED.value, Outcome.STALE.value, Outcome.IGNORED.value, DUPLICATE)
"""How what an operator replayed may end, the worst first."""
OUTCOMES = (Outcome.APPLIED.value, Outcome.STALE.value, Outcome.IGNORED.value, DUPLICATE, DEAD_LETTER)
"""How an event may end."""
OTHER_TYPE = "other"
"""Label of a type that no effect handles: what a sender writes there must not make a series."""


class Tally:
    """The counts of one transaction.

    Args:
        now: when it began (UTC).
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._began = time.perf_counter()
        self._ended: Counter[tuple[str, str, str]] = Counter()
        self._received: list[datetime] = []
        self._letters: Counter[str] = Counter()
        self._retried: Counter[str] = Counter()
        self._replayed: Counter[str] = Counter()

    def ended(self, event: Event, outcome: Outcome, received_at: datetime) -> None:
        """An event that was new."""
        self._ended[event.connection_id, event.type, outcome.value] += 1
        self._received.append(received_at)

    def repeated(self, event: Event) -> None:
        """An event that was known."""
        self._ended[event.connection_id, event.type, DUPLICATE] += 1

    def buried(self, letters: Sequence[Letter]) -> None:
        """Dead letters that are new."""
        for letter in letters:
            self._letters[labelled(letter.code)] += 1
            self._ended[letter.connection_id, OTHER_TYPE, DEAD_LETTER] += 1

    def retried(self, rows: Sequence[Row]) -> None:
        """Failed attempts that are tried again; what is only put off is none."""
        for row in rows:
            if row.attempts:
                self._retried[labelled(row.attempts[-1]["code"])] += 1

    def replayed(
        self,
        letters: Collection[RowId],
        units: Sequence[Unit],
        settled: Sequence[Letter | Row | None],
        outcomes: Mapping[Identity, str],
    ) -> None:
        """Letters that an operator sent on their way, and that have ended now.

        Args:
            letters: those that are on their way.
            units: what was worked on.
            settled: what each of them came to, as `worker.retries.settle` says.
            outcomes: of the events that were new.
        """
        by_letter: dict[RowId, set[str | None]] = {}
        for unit, came_to in zip(units, settled, strict=True):
            # Not by its row: what is put off may be so as a whole delivery, or apart.
            for letter in ((unit.delivery.delivery_id, unit.index), (unit.delivery.delivery_id, WHOLE_BODY)):
                if unit.row is not None and letter in letters:
                    by_letter.setdefault(letter, set()).add(ended_as(unit, came_to, outcomes))
        for ends in by_letter.values():
            # A body may hold many events; it has ended as badly as the worst of them.
            if None not in ends:
                self._replayed[next(outcome for outcome in REPLAY_OUTCOMES if outcome in ends)] += 1

    def count(self) -> None:
        """Adds everything to the metrics."""
        telemetry.TRANSACTION_DURATION.observe(time.perf_counter() - self._began)
        telemetry.TRANSACTION_EVENTS.observe(sum(self._ended.values()))
        types = known_types()
        for (connection, event_type, outcome), number in self._ended.items():
            label = event_type if event_type in types else OTHER_TYPE
            telemetry.EVENTS_PROCESSED.labels(connection, label, outcome).inc(number)
        for code, number in self._letters.items():
            telemetry.DEAD_LETTERS.labels(code).inc(number)
        for code, number in self._retried.items():
            telemetry.RETRIES.labels(code).inc(number)
        for outcome, number in self._replayed.items():
            telemetry.REPLAYS.labels(outcome).inc(number)
        committed = datetime.now(UTC)
        for received_at in self._received:
            # A receiver's clock may be ahead of ours, and a histogram's sum must not fall.
            telemetry.EVENT_END_TO_END.observe(max(0.0, (committed - received_at).total_seconds()))


def begin_counting(connections: Iterable[str] = ()) -> None:
    """Shows what has not happened yet as zero, so that its first time is seen as a rise.

    Of a connection's events each type as applied, and those of no known type however they end: all of each would be
    some two hundred series a connection.

    Args:
        connections: ids of those that there are; called again for those that come later.
    """
    for outcome in REPLAY_OUTCOMES:
        telemetry.REPLAYS.labels(outcome)
    for code in (*KNOWN, OTHER):
        telemetry.DEAD_LETTERS.labels(code)
        telemetry.RETRIES.labels(code)
    for code in (*SERVICES, OTHER):
        telemetry.BATCHES_HELD.labels(code)
    for effect in effects.load():
        telemetry.HANDLER_DURATION.labels(effect.name)
    types = known_types()
    for connection in connections:
        for event_type in types:
            telemetry.EVENTS_PROCESSED.labels(connection, event_type, Outcome.APPLIED.value)
        for outcome in OUTCOMES:
            telemetry.EVENTS_PROCESSED.labels(connection, OTHER_TYPE, outcome)


def ended_as(unit: Unit, came_to: Letter | Row | None, outcomes: Mapping[Identity, str]) -> str | None:
    """How a unit has ended; None for what is tried again."""
    if isinstance(came_to, Row):
        return None
    if isinstance(came_to, Letter):
        return DEAD_LETTER
    return outcomes.get(identity(unit.item), DUPLICATE) if isinstance(unit.item, Event) else Outcome.IGNORED.value


def known_types() -> frozenset[str]:
    """Every type that some effect handles."""
    return frozenset().union(*(effect.types for effect in effects.load()))


def effect_timed(name: str) -> AbstractContextManager[object]:
    """A context that measures one effect's work on a batch."""
    return telemetry.HANDLER_DURATION.labels(name).time()
