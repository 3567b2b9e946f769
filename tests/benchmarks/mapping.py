"""What mapping costs: each source's work order sample, beside msgspec's untyped decode of the same bytes, in one run.

In microseconds of CPU time; the sample is the largest that tells a work order, or the largest of all where a source has
none. `times` is the first divided by the second, which the design holds under 15.

Example: python -m tests.benchmarks.mapping --rounds 7
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from handlers.events import Delivery, Event
from handlers.sources import load
from tests.benchmarks.measuring import CONNECTION, alternating, arguments, spread
from tests.handlers.sources.reading import Sample, samples
from worker.cli import output

CALLS = 300
"""Calls a measurement: milliseconds, far above the clock's grain."""


class Cost(NamedTuple):
    """Seconds a call."""

    mapped: float
    decoded: float


def main() -> None:
    """Runs it."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    chosen = {name: _work_order(name) for name in sorted({sample.source for sample in samples()})}
    found: dict[str, list[Cost]] = {name: [] for name in chosen}
    for _, name in alternating(chosen, given.rounds):
        found[name].append(cost(chosen[name]))
    rows = [
        (
            name,
            chosen[name].name,
            str(len(chosen[name].body)),
            spread([each.mapped * 1e6 for each in rounds]).told(1),
            spread([each.decoded * 1e6 for each in rounds]).told(1),
            spread([each.mapped / each.decoded for each in rounds]).told(1),
        )
        for name, rounds in found.items()
    ]
    columns = ("source", "sample", "bytes", "mapped µs", "decoded µs", "times")
    output.table(columns, rows, right=columns[2:])


def cost(sample: Sample) -> Cost:
    """Measures one sample."""
    decoder, read, options = msgspec.json.Decoder(), load()[sample.source].read, sample.options
    delivery = Delivery("d-1", CONNECTION, sample.received_at, sample.body, sample.headers)
    return Cost(_seconds(lambda: read(delivery, options)), _seconds(lambda: decoder.decode(sample.body)))


def _work_order(source: str) -> Sample:
    given = samples(source)
    telling = [
        sample
        for sample in given
        if any(isinstance(item, Event) and item.kind == "work_order" for item in sample.read())
    ]
    return max(telling or given, key=lambda sample: len(sample.body))


def _seconds(call: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - began) / CALLS


if __name__ == "__main__":
    main()
