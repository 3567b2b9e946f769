"""What the roles have counted so far, read from where they keep it: beats of the console are differences of these."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from worker.tally import DEAD_LETTER
from worker.telemetry import REGISTRY, is_multiprocess

ACCEPTED: Final = "accepted"
RECEIVED: Final = "maintenworks_webhooks_received_total"
PROCESSED: Final = "maintenworks_events_processed_total"
END_TO_END: Final = "maintenworks_event_end_to_end_seconds_bucket"
LAST_SUCCESS: Final = "maintenworks_schedule_last_success_timestamp_seconds"
PERIOD: Final = "maintenworks_schedule_period_seconds"
ERRORS: Final = "maintenworks_schedule_errors_total"


class Schedule(NamedTuple):
    """Something that the scheduler does again and again.

    Attributes:
        name: of it.
        last: when it last succeeded, in seconds since 1970; 0 for never.
        period: seconds from one time to the next.
        errors: how often it failed.
    """

    name: str
    last: float
    period: float
    errors: int


class Counts(NamedTuple):
    """Sums over all processes, since each began.

    Attributes:
        accepted: requests that were taken in.
        refused: other requests to webhook endpoints.
        processed: events that ended, whichever way but in a dead letter.
        buried: events that ended in one.
        lags: how many events took at most so many seconds, by their upper ends, ascending.
        schedules: of the scheduler, by name.
    """

    accepted: float
    refused: float
    processed: float
    buried: float
    lags: Sequence[tuple[float, float]]
    schedules: Sequence[Schedule]


def shared() -> Counts | None:
    """The counts of all processes that share their metrics with this one; None for a console that runs alone."""
    if not is_multiprocess():
        return None
    return added_up(MultiProcessCollector(None).collect())  # type: ignore[no-untyped-call]  # untyped library


def own() -> Counts:
    """The counts of this process."""
    return added_up(REGISTRY.collect())


def added_up(families: Iterable[Metric]) -> Counts:
    """Sums of what a page of metrics would show."""
    received: defaultdict[str, float] = defaultdict(float)
    ended: defaultdict[str, float] = defaultdict(float)
    lags: defaultdict[float, float] = defaultdict(float)
    schedules: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for family in families:
        for sample in family.samples:
            if sample.name == RECEIVED:
                received[sample.labels["outcome"]] += sample.value
            elif sample.name == PROCESSED:
                ended[sample.labels["outcome"]] += sample.value
            elif sample.name == END_TO_END:
                lags[float(sample.labels["le"])] += sample.value
            elif sample.name in {LAST_SUCCESS, PERIOD, ERRORS}:
                schedules[sample.labels["schedule"]][sample.name] = sample.value
    accepted, buried = received.pop(ACCEPTED, 0), ended.pop(DEAD_LETTER, 0)
    return Counts(
        accepted=accepted,
        refused=sum(received.values()),
        processed=sum(ended.values()),
        buried=buried,
        lags=sorted(lags.items()),
        schedules=[_schedule(name, told) for name, told in sorted(schedules.items()) if PERIOD in told],
    )


def quantile(share: float, before: Counts, after: Counts) -> float | None:
    """A quantile of how long the events between two readings took, in seconds, as Prometheus reckons it.

    Between the ends of a bucket it is interpolated; beyond the last one it is that one's lower end.

    Returns:
        None where there were no events.
    """
    known = dict(before.lags)
    grown = [(end, count - known.get(end, 0)) for end, count in after.lags]
    total = grown[-1][1] if grown else 0
    if total <= 0:
        return None
    wanted = share * total
    lower, below = 0.0, 0.0
    for end, count in grown:
        if count >= wanted:
            if end == float("inf") or count == below:
                return lower
            return lower + (end - lower) * (wanted - below) / (count - below)
        lower, below = end, count
    return lower


def _schedule(name: str, told: Mapping[str, float]) -> Schedule:
    return Schedule(name, told.get(LAST_SUCCESS, 0), told[PERIOD], int(told.get(ERRORS, 0)))
