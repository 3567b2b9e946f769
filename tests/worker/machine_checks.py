"""What must hold of an installation, whatever has happened to it: told by its tables and by what was sent, alone."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from msgspec.structs import replace

from handlers.events import WHOLE_BODY, Delivery, Event
from handlers.store import deliveries, events, schema
from handlers.store.rowset import Transaction
from tests import folding
from tests.worker.machine import Site, digest

HAD_A_REPEAT = {"clock_skew", "poison"}
"""Codes of letters that may open after a repeat of their bytes was applied; their next replay finds a duplicate."""

Row: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, int]


class Sent(NamedTuple):
    """A delivery that the receiver accepted.

    Attributes:
        delivery: it.
        elements: the bytes of each of its events; none where its bytes tell no events apart.
    """

    delivery: Delivery
    elements: Sequence[bytes]

    def parts(self) -> Iterator[tuple[int, str]]:
        """Index and digest of whatever must be accounted for."""
        if not self.elements:
            yield WHOLE_BODY, digest(self.delivery.body)
        for index, element in enumerate(self.elements):
            yield index, digest(element)


class Books:
    """The tables, as they stand.

    Attributes:
        letters: by key.
        retries: by key.
        events: every row.
        known: connection and digest of each event.
    """

    def __init__(self, site: Site) -> None:
        self.letters = {_key(row): row for row in site.rows(schema.dead_letters)}
        self.retries = {_key(row): row for row in site.rows(schema.retries)}
        self.events = site.rows(schema.events)
        self.known = {(row["connection_id"], row["digest"]) for row in self.events}
        self._told = {_key(row) for row in self.events}
        self._archived = {row["delivery_id"] for row in site.rows(schema.deliveries)}
        self._by_bytes: dict[tuple[str, str], list[Row]] = {}
        for row in self.letters.values():
            self._by_bytes.setdefault((row["connection_id"], row["digest"]), []).append(row)

    def places(self, sent: Sent, index: int, its_digest: str) -> set[str]:
        """Where a part of a committed delivery is; what lies nowhere is lost."""
        delivery = sent.delivery
        assert delivery.delivery_id in self._archived
        found = set()
        if (delivery.connection_id, its_digest) in self.known or not (sent.elements or delivery.body != b"[]"):
            found.add("known")
        keys = {(delivery.delivery_id, index), (delivery.delivery_id, WHOLE_BODY)}
        if keys & self.retries.keys():
            found.add("retry")
        own = [self.letters[key] for key in keys & self.letters.keys()]
        same = [row for each in {its_digest, digest(delivery.body)} for row in self._of(delivery, each)]
        for row in [*own, *same]:
            if row["state"] in {"open", "discarded"}:
                found.add(row["state"])
            elif row["state"] == "replayed" and {_key(row), (row["delivery_id"], WHOLE_BODY)} & self.retries.keys():
                found.add("retry")  # a repeat that was told to that letter goes with it
            elif row["edited_into"] is not None:
                found.add("corrected")
        return found

    def fate(self, sent: Sent, index: int, its_digest: str) -> str:
        """The one end that a part has come to once nothing is on its way."""
        own = [self.letters.get((sent.delivery.delivery_id, each)) for each in (index, WHOLE_BODY)]
        for row in own:
            if row is not None and (row["state"] == "discarded" or row["edited_into"] is not None):
                gone = f"{sent.delivery.delivery_id}/{index}"
                assert (sent.delivery.delivery_id, index) not in self._told, f"left out, and applied: {gone}"
                return "discarded" if row["state"] == "discarded" else "corrected"
        places = self.places(sent, index, its_digest)
        assert places, f"lost: {sent.delivery.delivery_id}/{index}"
        assert not {"known", "open"} <= places, f"applied, and its letter is open: {sent.delivery.delivery_id}/{index}"
        return min(places, key=("known", "open", "corrected", "discarded", "retry").index)

    def _of(self, delivery: Delivery, its_digest: str) -> Sequence[Row]:
        return self._by_bytes.get((delivery.connection_id, its_digest), ())


def check_letters(books: Books) -> None:
    """No two open letters are about the same bytes, and none is about bytes that have been applied."""
    is_open = [row for row in books.letters.values() if row["state"] == "open"]
    opened = Counter((row["connection_id"], row["digest"]) for row in is_open)
    assert [each for each, number in opened.items() if number > 1] == []
    late = {(row["connection_id"], row["digest"]) for row in is_open if row["code"] not in HAD_A_REPEAT}
    assert late & books.known == set()


def check_growth(before: Books, now: Books) -> None:
    """No attempt that was made is ever forgotten while its letter or its row lives."""
    for key, row in before.letters.items():
        kept = now.letters[key]["attempts"]
        assert kept[: len(row["attempts"])] == row["attempts"], f"attempts of letter {key} were {row['attempts']}"
    for key in before.retries.keys() & now.retries.keys():
        was, is_ = before.retries[key], now.retries[key]
        assert is_["attempt"] >= was["attempt"], f"attempt of row {key} was {was['attempt']}"
        assert is_["attempts"][: len(was["attempts"])] == was["attempts"]


def check_ledger(site: Site, books: Books) -> None:
    """What was applied was applied once, and is what the table of events says."""
    assert [each for each, times in site.database.ledger.items() if times > 1] == []
    noted = {
        (row["connection_id"], row["event_id"], row["digest"]) for row in books.events if row["outcome"] != "ignored"
    }
    assert noted == set(site.database.ledger)


def check_fold(site: Site, books: Books, folder: Path, chance: random.Random) -> None:
    """The state is what a fresh database comes to that is told the same events in another order."""
    wanted = {(row["connection_id"], row["event_id"], row["digest"]): _key(row) for row in books.events}
    with site.database.read() as connection:
        archive = deliveries.load(Transaction(connection), {delivery for delivery, _ in wanted.values()})
    read = {key: event for delivery in archive.values() for key, event in _read(site, delivery)}
    assert wanted.keys() <= read.keys()
    told = [read[identity] for identity in wanted]
    chance.shuffle(told)
    fresh = folding.sqlite(folder)
    try:
        folding.apply(fresh, [told[at : at + 3] for at in range(0, len(told), 3)])
        assert folding.state(fresh) == folding.state(site.database)
    finally:
        fresh.close()


def _read(site: Site, delivery: Delivery) -> Iterator[tuple[events.Identity, Event]]:
    late = replace(delivery, received_at=max(site.now, delivery.received_at))
    for unit in site.reader.units(late, site.now):
        if isinstance(unit.item, Event):
            yield events.identity(unit.item), unit.item


def _key(row: Mapping[str, Any]) -> Key:
    return row["delivery_id"], row["event_index"]
