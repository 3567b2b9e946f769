"""What the receivers counted of one connection's requests, in all processes that share their metrics with this one."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from worker.console.counts import ACCEPTED, RECEIVED
from worker.telemetry import is_multiprocess

VERIFIED_BY: Final = "maintenworks_signature_secret_used_total"


class Sent(NamedTuple):
    """Sums since the roles began.

    Attributes:
        accepted: requests that were taken in.
        refused: others, by reason.
        secrets: verified requests, by the position of the secret that verified them.
    """

    accepted: int
    refused: Mapping[str, int]
    secrets: Mapping[int, int]


def sent_by(connection: str) -> Sent | None:
    """What a connection sent; None for a console that runs alone: then Prometheus knows."""
    if not is_multiprocess():
        return None
    return added_up(MultiProcessCollector(None).collect(), connection)  # type: ignore[no-untyped-call]  # untyped library


def added_up(families: Iterable[Metric], connection: str) -> Sent:
    """The sums of one connection on a page of metrics."""
    received: Counter[str] = Counter()
    secrets: Counter[int] = Counter()
    for family in families:
        for sample in family.samples:
            if sample.labels.get("connection") != connection:
                continue
            if sample.name == RECEIVED:
                received[sample.labels["outcome"]] += int(sample.value)
            elif sample.name == VERIFIED_BY and sample.labels["position"].isdecimal():
                secrets[int(sample.labels["position"])] += int(sample.value)
    accepted = received.pop(ACCEPTED, 0)
    return Sent(accepted, {name: number for name, number in received.most_common() if number}, secrets)
