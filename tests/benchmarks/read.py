"""Events read per second by the source `unified`, and read and folded, all in memory: what the pure part costs.

In CPU seconds of one core. Input: generated work order updates, one a delivery and 500 to an array, and the two real
streams of `tests/samples`. The fold is stamp, registers and trail, without what effects derive and store.

Example: python -m tests.benchmarks.read --rounds 5
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from handlers.events import Delivery, Event, MappingOptions
from handlers.rules.facts import Key, fact, fold_all
from handlers.rules.registers import Record
from handlers.rules.trail import step
from handlers.sources import load
from tests.benchmarks.measuring import CONNECTION, RECEIVED, alternating, arguments, deliveries, spread
from worker.cli import output

SAMPLES = Path(__file__).parents[1] / "samples"
ARRAY = 500
WITH_TRAIL = frozenset({"work_order", "downtime"})
OPTIONS = MappingOptions()


class Pace(NamedTuple):
    """Events per CPU second."""

    read: float
    folded: float


def main() -> None:
    """Runs it."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=10_000, help="of the generated ones")
    given = parser.parse_args()
    single = deliveries(given.events)
    inputs = {
        "work orders, one a delivery": single,
        f"work orders, arrays of {ARRAY}": [_array(single[at : at + ARRAY]) for at in range(0, len(single), ARRAY)],
        "lanl_s20": _sample("lanl_s20.jsonl"),
        "excavators": _sample("excavators.jsonl"),
    }
    found: dict[str, list[Pace]] = {name: [] for name in inputs}
    for _, name in alternating(inputs, given.rounds):
        found[name].append(pace(inputs[name]))
    rows = [
        (name, spread([each.read for each in rounds]).told(), spread([each.folded for each in rounds]).told())
        for name, rounds in found.items()
    ]
    columns = ("input", "read/s", "read and folded/s")
    output.table(columns, rows, right=columns[1:])


def pace(batch: Sequence[Delivery]) -> Pace:
    """Reads all of it, then folds all of it."""
    source = load()["unified"]
    began = time.process_time()
    items = [item for each in batch for item in source.read(each, OPTIONS)]
    read = time.process_time() - began
    events = [item for item in items if isinstance(item, Event)]
    if len(events) != len(items):
        raise SystemExit(f"{len(items) - len(events)} events could not be read")
    began = time.process_time()
    fold(events)
    folded = time.process_time() - began
    return Pace(len(events) / read, len(events) / (read + folded))


def fold(events: Sequence[Event]) -> dict[str, dict[Key, Record]]:
    """The records that events come to, by kind and key."""
    facts = defaultdict(list)
    for event in events:
        facts[event.kind].append(fact(event))
    held: dict[str, dict[Key, Record]] = {}
    for kind, told in facts.items():
        held[kind] = defaultdict(Record)
        fold_all(told, held[kind], step if kind in WITH_TRAIL else None)
    return held


def _array(batch: Sequence[Delivery]) -> Delivery:
    body = b"[" + b",".join(each.body for each in batch) + b"]"
    return Delivery(batch[0].delivery_id, CONNECTION, RECEIVED, body)


def _sample(name: str) -> list[Delivery]:
    lines = (SAMPLES / name).read_bytes().splitlines()
    return [Delivery(str(number), CONNECTION, RECEIVED, line) for number, line in enumerate(lines)]


if __name__ == "__main__":
    main()
