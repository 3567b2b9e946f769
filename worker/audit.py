"""Checking the audit log: whether anybody has changed, removed, added or moved a row since it was written. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from handlers.errors import ConfigurationError
from handlers.store.audit import GENESIS, Entry, Head, sealed

_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-fA-F]{64})")
"""The number of a row, and SHA-256 in hexadecimal."""
_UNREADABLE = (ValueError, TypeError, AttributeError, OverflowError, RecursionError, msgspec.MsgspecError)
"""What a row that somebody has changed, or a line that never was one, may provoke."""


class Finding(NamedTuple):
    """What is wrong, and where.

    Attributes:
        sequence: of the row at which it shows.
        problem: in words.
    """

    sequence: int
    problem: str


class Verdict(NamedTuple):
    """What a check came to.

    Attributes:
        entries: how many rows there were.
        head: the last of them; worth keeping elsewhere, for a chain that is cut off is whole in itself.
        findings: in the order of the rows; none for a sound log.
    """

    entries: int
    head: Head
    findings: list[Finding]


def verify(entries: Iterable[Entry], *heads: Head) -> Verdict:
    """Walks the chain from its beginning.

    Args:
        entries: the log, in the order in which it is kept.
        heads: links that the log had once, and therefore must have now.
    """
    findings: list[Finding] = []
    last = Head(0, GENESIS)
    count = 0
    wanted: dict[int, set[str]] = {}
    for known in heads:
        wanted.setdefault(known.sequence, set()).add(known.hash)
    wanted.pop(0, None)
    try:
        for entry in entries:
            count += 1
            findings += _against(entry, last)
            last = Head(entry.sequence, entry.hash)
            if wanted.pop(last.sequence, {last.hash}) != {last.hash}:
                findings.append(Finding(last.sequence, "is not the row that the head given names"))
    except _UNREADABLE as error:
        findings.append(Finding(last.sequence + 1, f"cannot be read: {type(error).__name__}"))
    findings += [
        Finding(missing, f"is gone: the log ends at {last.sequence}, and had this row once")
        for missing in sorted(wanted)
    ]
    return Verdict(count, last, findings)


def _against(entry: Entry, last: Head) -> Iterator[Finding]:
    """What is wrong with an entry that stands behind another."""
    expected = last.sequence + 1
    if entry.sequence > expected:
        yield Finding(entry.sequence, f"follows {last.sequence}: {entry.sequence - expected} between them are gone")
    elif entry.sequence < expected:
        yield Finding(entry.sequence, f"follows {last.sequence}: it stands in the wrong place, or twice")
    if entry.previous_hash != last.hash:
        yield Finding(entry.sequence, "does not name the hash of the row before it")
    if sealed(entry) != entry.hash:
        yield Finding(entry.sequence, "was changed: its hash is not that of what it says")


def exported(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Reads an exported log, a JSON object a line.

    Raises:
        ValueError: a line is no entry.
    """
    decoder = msgspec.json.Decoder(Entry)
    for line in lines:
        if line.strip():
            yield decoder.decode(line)


def read_head(text: str) -> Head:
    """A head as it is printed, `12:9f86d0…`.

    Raises:
        ConfigurationError: it is none.
    """
    match = _HEAD.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError([f"--head: give number and hash, as `audit verify` prints them: N:HASH; not {text!r}"])
    return Head(int(match[1]), match[2].lower())
