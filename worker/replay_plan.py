"""What a replay of dead letters would come to: which can be sent on their way, and what holds the others up. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from handlers.connections import Connection
from handlers.store.dead_letters import OPEN, REPLAYED
from handlers.store.read_candidates import Candidate
from handlers.store.read_letters import Key

CLOCK_SKEW: Final = "clock_skew"
"""Code of what the scheduler sends once the sender's clock has been caught up with."""


class Line(NamedTuple):
    """A line of a plan: so many letters of an error and a connection, and what holds them up.

    Attributes:
        error: the code.
        connection: its id.
        why_not: None for those that are eligible.
        letters: how many.
    """

    error: str
    connection: str
    why_not: str | None
    letters: int


class Outlook(msgspec.Struct, frozen=True):
    """What a replay would come to.

    Attributes:
        lines: by error and connection, the eligible first.
    """

    lines: Sequence[Line]

    @property
    def matched(self) -> int:
        """How many letters the filter found."""
        return sum(each.letters for each in self.lines)

    @property
    def eligible(self) -> int:
        """How many of them can be sent."""
        return sum(each.letters for each in self.lines if each.why_not is None)


class Plan(Outlook, frozen=True):
    """What a replay is to do.

    Attributes:
        keys: of the letters that are eligible, in the order in which they are sent.
    """

    keys: Sequence[Key]


def why_not(letter: Candidate, connection: Connection | None, now: datetime, *, is_anyones: bool = False) -> str | None:
    """What holds a letter up; None where it can be sent on its way.

    Args:
        letter: as it stands.
        connection: its own, as the registry knows it.
        now: the clock.
        is_anyones: it came to an address that several connections share, and does not say whose it is.
    """
    if letter.state == REPLAYED:
        return "already_replayed"
    if letter.state != OPEN:
        return "edited" if letter.edited_into is not None else letter.state
    if connection is None and is_anyones:
        return None
    if connection is None or connection.revoked or connection.paused:
        return _held_back(connection)
    waits = letter.code == CLOCK_SKEW and letter.retry_at is not None and letter.retry_at > now
    return "not_yet_time" if waits else None


def plan(
    letters: Iterable[Candidate],
    connections: Mapping[str, Connection],
    now: datetime,
    endpoints: Collection[str] = (),
) -> Plan:
    """Tells the letters that can be replayed from those that cannot, and counts both.

    Args:
        letters: those that were asked for, each by itself.
        connections: all there are, by id.
        now: the clock.
        endpoints: the names of the addresses that connections share.
    """
    judged = list(_judged(letters, connections, now, endpoints))
    keys = [letter.key for letter, reason in judged if reason is None and letter.key is not None]
    return Plan(_lines(judged), keys)


def outlook(
    letters: Iterable[Candidate],
    connections: Mapping[str, Connection],
    now: datetime,
    endpoints: Collection[str] = (),
) -> Outlook:
    """The same of letters that are counted only."""
    return Outlook(_lines(_judged(letters, connections, now, endpoints)))


def _judged(
    letters: Iterable[Candidate], connections: Mapping[str, Connection], now: datetime, endpoints: Collection[str]
) -> Iterator[tuple[Candidate, str | None]]:
    """Letters with what holds them up."""
    members = {(each.endpoint, each.external_id): each for each in connections.values() if each.endpoint is not None}
    for letter in letters:
        owner = connections.get(letter.connection_id) or members.get((letter.connection_id, letter.waits_for))
        # Without an id that could be read it is nobody's; read once more, it may be somebody's.
        is_anyones = letter.connection_id in endpoints and letter.waits_for is None
        yield letter, why_not(letter, owner, now, is_anyones=is_anyones)


def _lines(judged: Iterable[tuple[Candidate, str | None]]) -> list[Line]:
    counts: Counter[tuple[str, str, str | None]] = Counter()
    for letter, reason in judged:
        counts[letter.code, letter.connection_id, reason] += letter.letters
    lines = [Line(*group, number) for group, number in counts.items()]
    return sorted(lines, key=lambda line: (line.why_not or "", -line.letters, line.error, line.connection))


def _held_back(connection: Connection | None) -> str:
    if connection is None:
        return "connection_unknown"
    return "connection_revoked" if connection.revoked else "connection_paused"
