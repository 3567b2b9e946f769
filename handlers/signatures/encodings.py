"""How a header's text becomes bytes, or nothing: no function here raises, whatever a stranger sent.

Every form is accepted in its canonical spelling alone, so that no byte of a signature can change without its being
refused: base64 with its padding and with zero spare bits (RFC 4648, section 3.5), hexadecimal in one case throughout.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Final

MAX_ENTRIES: Final = 16
"""Most entries read of one signature header. A rotation sends two or three; an Ed25519 check costs 0.1 ms each."""

_TIMESTAMP = re.compile(r"[0-9]{1,15}")
"""Unix seconds as plain ASCII digits; 15 is room for milliseconds, which are then refused as far too new."""

_HEX = re.compile(r"[0-9a-f]*|[0-9A-F]*")


def wire(text: str) -> bytes | None:
    """The bytes that a header's text (latin-1 decoded) was on the wire; None where it cannot have come from there."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


def timestamp(text: str) -> int | None:
    """Unix seconds of plain digits; None for signs, spaces, exponents, other scripts' digits and the absurdly long."""
    return int(text) if _TIMESTAMP.fullmatch(text) else None


def from_hex(text: str, size: int) -> bytes | None:
    """Exactly `size` bytes in hexadecimal, all lower or all upper case (.NET senders); None for anything else."""
    if len(text) != 2 * size or not _HEX.fullmatch(text):
        return None
    return bytes.fromhex(text)


def from_base64(text: str, size: int) -> bytes | None:
    """Exactly `size` bytes in canonical, padded base64 of the standard alphabet; None for anything else."""
    if len(text) != 4 * ((size + 2) // 3):
        return None
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii.Error is one; so is text beyond ASCII
        return None
    return raw if len(raw) == size and base64.b64encode(raw) == text.encode() else None


DECODERS: Final[Mapping[str, Callable[[str, int], bytes | None]]] = {"hex": from_hex, "base64": from_base64}
"""By the names that the option `encoding` takes."""


def entries(text: str, separator: str) -> tuple[str, ...]:
    """The entries of a list, optional white space dropped, empty ones too; none at all of a list that is too long."""
    found = text.split(separator, MAX_ENTRIES)
    if len(found) > MAX_ENTRIES:
        return ()
    return tuple(entry for part in found if (entry := part.strip(" \t")))
