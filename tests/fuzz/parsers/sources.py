"""The bodies of every source on the shelf, and gzip around them."""

import functools
import gzip
import random
import tomllib
import zlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec
from msgspec.structs import replace

from handlers.events import Delivery, MappingOptions, Reading, Unmapped
from handlers.model import MODELS
from handlers.model.types import ACTIONS
from handlers.sources import Source, inflated, load
from tests.fuzz.mutations import damaged, damaged_json
from tests.fuzz.parser import Ends, Feed, Parser, pure
from tests.handlers.sources.reading import samples
from tests.handlers.test_unified_properties import ZONED, sound

SAMPLES = Path(__file__).parents[2] / "samples"
LONGEST_SAMPLE = 20_000
"""Bytes; of longer ones a mutation would seldom meet what matters."""
LINES_A_FILE = 200
LIMIT = 1024 * 1024
"""Of a body once it is inflated, as the receiver's default has it."""
RECEIVED = datetime(2026, 3, 1, 8, 0, 30, tzinfo=UTC)
SKEWED = [RECEIVED, datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)]
VALUES = ["A", "approved", 7, True, None, "2026-03-01T08:00:00Z", "2026-03-01", "1.50", ["A"], {"key": "A"}]
VALUES += [{"value": "closed"}, {"amount": "1.5", "currency": "EUR"}, [{"key": "l", "quantity": 2}], {"source_code": 3}]
IDS = [{}, {"webhook-id": "msg_1"}, {"x-github-delivery": "\0\x7fé"}, {"idempotency-key": "k" * 600}, {"svix-id": " "}]
GENERIC_MAP = """
[connections.generic.map]
type = { at = "/type", words = { "asset.updated" = "asset.updated" }, or_else = "work_order.updated" }
key = "/data/key"
event_id = "/id"
occurred_at = "/occurred_at"
version = "/version"
[connections.generic.map.fields.work_order]
title = "/data/title"
status = { at = "/data/status", words = { A = "approved" } }
due_at = "/data/due_at"
actual_duration = { at = "/data/actual_duration", as = "hours" }
asset_ref = { at = "/data/asset_ref", label = "/data/name" }
tasks = { each = "/data/tasks", fields = { title = "/key" } }
[connections.generic.map.fields.asset]
name = "/data/name"
purchase_cost = { at = "/data/purchase_cost", as = "cents" }
installed_date = { at = "/data/installed_date", as = "%Y-%m-%d" }
"""
"""For the source that reads nothing without one: of our own events, which are among the bodies."""
SHARE = 540
"""Of all sources together."""


@cache
def bodies() -> tuple[bytes, ...]:
    """Sound bodies: every document among the samples that is small, and events of every type and field of ours."""
    found = [raw for path in sorted(SAMPLES.glob("**/*.json")) if len(raw := path.read_bytes()) <= LONGEST_SAMPLE]
    for path in sorted(SAMPLES.glob("**/*.jsonl")):
        lines = path.read_bytes().splitlines()
        found += lines[:: max(1, len(lines) // LINES_A_FILE)]
    return (*found, *(_event(type_, chance) for type_ in ACTIONS for chance in map(random.Random, range(5))))


def _event(type_: str, chance: random.Random) -> bytes:
    model = MODELS.get(type_.partition(".")[0])
    names = [*model.fields, "custom_fields", "x"] if model is not None else ["value", "x"]
    data = {name: chance.choice(VALUES) for name in chance.sample(names, min(6, len(names)))}
    event = {
        "id": "e",
        "type": type_,
        "occurred_at": "2026-03-01T08:00:00Z",
        "version": 3,
        "data": {**data, "key": "K"},
    }
    if chance.random() < 0.2:
        event |= {"specversion": "1.0", "source": "/s", "time": "2026-03-01T08:00:00Z", "subject": "K-9"}
    return msgspec.json.encode(event)


@cache
def own_bodies(source: str) -> tuple[bytes, ...]:
    """Sound bodies of a source: its samples; everybody's where it has none of its own."""
    found = tuple(sample.body for sample in samples(source) if len(sample.body) <= LONGEST_SAMPLE)
    return found or bodies()


def hostile_body(chance: random.Random, source: str | None = None) -> bytes:
    """A sound body, damaged: of anybody, or mostly of one source."""
    raw = chance.choice(bodies() if source is None or chance.random() < 0.25 else own_bodies(source))
    damage = damaged_json if chance.random() < 0.7 else damaged
    return damage(raw, chance)


def hostile_delivery(chance: random.Random, source: str) -> Delivery:
    """A delivery of such a body to a connection of a source."""
    return Delivery("d-1", "acme", chance.choice(SKEWED), hostile_body(chance, source), chance.choice(IDS))


def _gzipped(chance: random.Random) -> Delivery:
    way = chance.random()
    if way < 0.03:
        raw = _bomb(chance.choice([1, 2, 40]))
    elif way < 0.3:
        raw = gzip.compress(hostile_body(chance), chance.randrange(10)) * chance.choice([1, 1, 2])
    else:
        raw = damaged(gzip.compress(chance.choice(bodies()), 1), chance)
    return Delivery("d-1", "acme", RECEIVED, raw)


@cache
def _bomb(mebibytes: int) -> bytes:
    """A small body that inflates to a great one."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b" " * 1024 * 1024) for _ in range(mebibytes)) + packer.flush()


def _ends(reading: Reading) -> Ends:
    refused = sum(isinstance(each, Unmapped) for each in sound(reading))
    if not refused:
        return {"read": 1}
    return {"refused": 1} if refused == len(reading) else {"read in part": 1}


def _options(source: Source) -> MappingOptions:
    if source.name != "generic":
        return ZONED
    (connection,) = tomllib.loads(GENERIC_MAP)["connections"].values()
    return replace(ZONED, map=connection["map"])


def _fed_to(source: Source, options: MappingOptions) -> Feed:
    def feed(delivery: Delivery) -> Ends:
        body = inflated(delivery, LIMIT)
        return _ends([body] if isinstance(body, Unmapped) else source.read(body, options))

    return feed


PARSERS = (
    *(
        Parser(
            f"source {name}",
            SHARE // len(load()),
            functools.partial(hostile_delivery, source=name),
            pure(_fed_to(source, _options(source))),
        )
        for name, source in load().items()
    ),
    Parser("gzip", 60, _gzipped, pure(_fed_to(load()["unified"], MappingOptions()))),
)
