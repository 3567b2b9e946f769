"""What a transaction has come to, told once it has committed: in the log and, where this process traces, as spans.

A line a delivery would cost more than what it tells of, so a line names many that ended alike; each of them stands in
one, so that its id finds what happened to it. Never what was in it.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import structlog

from handlers.events import WHOLE_BODY, Outcome
from handlers.store.events import Identity
from handlers.store.letter import Letter
from handlers.store.retries import Row, RowId
from worker.logs import about
from worker.tally import DEAD_LETTER, DUPLICATE, ended_as
from worker.tracing import Processed, spans
from worker.units import Unit

RETRIED = "retried"
PUT_OFF = "put_off"
"""Not now, and nothing failed: its connection is paused, or it is to be worked on apart."""
WORST_FIRST = (
    DEAD_LETTER,
    RETRIED,
    PUT_OFF,
    Outcome.APPLIED.value,
    Outcome.STALE.value,
    Outcome.IGNORED.value,
    DUPLICATE,
)
DONE = frozenset(WORST_FIRST[3:])

log = structlog.get_logger(__name__)


class End(NamedTuple):
    """How one unit has ended for now.

    Attributes:
        unit: which.
        outcome: one of `WORST_FIRST`.
        error: code of what went wrong.
        attempt: which attempt it was that failed, from 1.
        replayed: an operator had sent it on its way again.
    """

    unit: Unit
    outcome: str
    error: str | None = None
    attempt: int | None = None
    replayed: bool = False


Tell: TypeAlias = Callable[[Sequence[End], int], None]
"""Is told the ends that a transaction has committed, and when it began, in nanoseconds since the epoch."""


def ends(
    units: Sequence[Unit],
    settled: Sequence[Letter | Row | None],
    outcomes: Mapping[Identity, str],
    sent: Collection[RowId],
) -> Iterator[End]:
    """How each unit has ended.

    Args:
        units: what was worked on.
        settled: what each of them came to, as `worker.retries.settle` says.
        outcomes: of the events that were new.
        sent: letters that an operator has sent on their way.
    """
    for unit, came_to in zip(units, settled, strict=True):
        named = {(unit.delivery.delivery_id, place) for place in (unit.index, WHOLE_BODY)}
        replayed = unit.row is not None and not named.isdisjoint(sent)
        if isinstance(came_to, Letter):
            yield End(unit, DEAD_LETTER, came_to.code, len(came_to.attempts) + 1, replayed)
        elif isinstance(came_to, Row):
            # What is put off failed before, if at all: its attempts are not of this transaction.
            failed = getattr(unit.item, "error", None) is not None
            code = came_to.attempts[-1]["code"] if failed else None
            yield End(unit, RETRIED if failed else PUT_OFF, code, came_to.attempt if failed else None, replayed)
        else:
            yield End(unit, ended_as(unit, came_to, outcomes) or PUT_OFF, replayed=replayed)


def silent(_: Sequence[End], __: int) -> None:
    """Tells nobody: for what is only tried, or read once more."""


def tell(committed: Sequence[End], began: int) -> None:
    """Tells the log, and the traces."""
    _log_done([each for each in committed if each.outcome in DONE])
    for event, outcome in (
        ("deliveries_put_off", PUT_OFF),
        ("deliveries_retried", RETRIED),
        ("deliveries_buried", DEAD_LETTER),
    ):
        _log_alike(event, [each for each in committed if each.outcome == outcome])
    tracing = spans()
    if tracing is not None:
        tracing.committed(list(_by_delivery(committed)), began)


def nanoseconds() -> int:
    """Nanoseconds since the epoch, as spans have it."""
    return time.time_ns()


def _log_done(done: Sequence[End]) -> None:
    """Those that were applied, or changed nothing: those that an operator had sent again apart from the rest."""
    for event, replayed in (("deliveries_processed", False), ("deliveries_replayed", True)):
        of_it = [each for each in done if each.replayed is replayed]
        counts = Counter(each.outcome for each in of_it)
        about(log.info, event, _ids(of_it), **{outcome: counts[outcome] for outcome in WORST_FIRST if counts[outcome]})


def _log_alike(event: str, failed: Sequence[End]) -> None:
    """A line, or several, for those of one connection that failed alike."""
    alike: dict[tuple[str, str | None, int | None, bool], list[End]] = {}
    for each in failed:
        alike.setdefault((each.unit.connection_id, each.error, each.attempt, each.replayed), []).append(each)
    for (connection, error, attempt, replayed), of_it in alike.items():
        known = {"error": error, "attempt": attempt, "replayed": replayed or None}
        said = {name: value for name, value in known.items() if value is not None}
        about(log.info, event, _ids(of_it), connection=connection, events=len(of_it), **said)


def _ids(of: Sequence[End]) -> list[str]:
    return list(dict.fromkeys(each.unit.delivery.delivery_id for each in of))


def _by_delivery(committed: Sequence[End]) -> Iterator[Processed]:
    held: dict[str, list[End]] = {}
    for each in committed:
        held.setdefault(each.unit.delivery.delivery_id, []).append(each)
    for delivery_id, of_it in held.items():
        counts = Counter(each.outcome for each in of_it)
        worst = min(of_it, key=lambda each: WORST_FIRST.index(each.outcome))
        brought = worst.unit.delivery
        yield Processed(
            delivery_id=delivery_id,
            connection_id=worst.unit.connection_id,
            events={outcome: counts[outcome] for outcome in WORST_FIRST if counts[outcome]},
            error=worst.error,
            attempt=worst.attempt,
            origin=brought.headers.get("traceparent") if brought.verdict != "verified" else None,
        )
