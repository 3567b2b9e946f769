"""Samples of what upstream systems send, and how tests read them.

A source's samples are a folder of its name in `tests/samples/sources`: payloads, and `expected.json` with what becomes
of each. Adding a source adds its folder, and every test here runs over it.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from handlers.events import Delivery, Event, MappingOptions, Reading, Unmapped
from handlers.sources import load

FOLDER = Path(__file__).parents[2] / "samples" / "sources"
RECEIVED = datetime(2026, 4, 1, tzinfo=UTC)
"""When every sample came, unless it says otherwise."""
CONNECTION = "acme"


class Sample(NamedTuple):
    """One payload.

    Attributes:
        source: which reads it.
        name: of its file.
        body: its bytes.
        expected: its entry in `expected.json`.
    """

    source: str
    name: str
    body: bytes
    expected: dict[str, Any]

    @property
    def label(self) -> str:
        """For the test's id."""
        return f"{self.source}/{self.name}"

    @property
    def options(self) -> MappingOptions:
        """What its connection tells its source."""
        return msgspec.convert(self.expected.get("options", {}), MappingOptions)

    @property
    def headers(self) -> dict[str, str]:
        """Those it came with."""
        return dict(self.expected.get("headers", {}))

    @property
    def received_at(self) -> datetime:
        """When it came."""
        given = self.expected.get("received_at")
        return RECEIVED if given is None else datetime.fromisoformat(given)

    def read(self, body: bytes | None = None) -> Reading:
        """Reads it, or another body that came the same way."""
        delivery = Delivery("d-1", CONNECTION, self.received_at, self.body if body is None else body, self.headers)
        return load()[self.source].read(delivery, self.options)


def samples(source: str | None = None) -> list[Sample]:
    """Every sample, or one source's."""
    found = []
    for folder in sorted(FOLDER.iterdir()):
        listed = folder / "expected.json"
        if source in {None, folder.name} and listed.exists():
            expected = json.loads(listed.read_bytes())
            found += [Sample(folder.name, name, (folder / name).read_bytes(), told) for name, told in expected.items()]
    return found


def read(
    source: str, body: Any, headers: Mapping[str, str] | None = None, received_at: datetime = RECEIVED, **options: Any
) -> Reading:
    """Reads a body: its bytes, or what becomes JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    delivery = Delivery("d-1", CONNECTION, received_at, raw, dict(headers or {}))
    return load()[source].read(delivery, MappingOptions(**options))


def event(source: str, body: Any, **given: Any) -> Event:
    """Reads a body that tells one thing."""
    (found,) = read(source, body, **given)
    assert isinstance(found, Event), found.error
    return found


def refusal(source: str, body: Any, **given: Any) -> Unmapped:
    """Reads a body that tells nothing that can be read."""
    (found,) = read(source, body, **given)
    assert isinstance(found, Unmapped), found
    return found
