"""What usually happens to a body or a secret between the sender's signing and our verifying."""

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

_SPELLINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("re-serialised compactly", {"separators": (",", ":"), "ensure_ascii": False}),
    ("re-serialised compactly with \\u escapes", {"separators": (",", ":")}),
    ("re-serialised with spaces", {"ensure_ascii": False}),
    ("re-serialised with spaces and \\u escapes", {}),
    ("re-serialised compactly with sorted keys", {"separators": (",", ":"), "ensure_ascii": False, "sort_keys": True}),
    ("re-serialised with spaces and sorted keys", {"sort_keys": True}),
    ("indented by two spaces", {"indent": 2, "ensure_ascii": False}),
)


class Variant(NamedTuple):
    """A body or secret as it may have been.

    Attributes:
        how: what it is by then, to follow "once it is".
        value: the bytes.
    """

    how: str
    value: bytes

    def __repr__(self) -> str:
        return f"Variant({self.how!r})"  # the value may be a secret


def bodies(body: bytes) -> Iterator[Variant]:
    """The body as it may have been when it was signed."""
    yield Variant("without the line break at its end", body.rstrip(b"\r\n"))
    yield Variant("with a line break at its end", body + b"\n")
    yield Variant("with LF for CRLF", body.replace(b"\r\n", b"\n"))
    yield Variant("with CRLF for LF", body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    yield Variant("without its byte order mark", body.removeprefix(b"\xef\xbb\xbf"))
    for how, options in _SPELLINGS:
        try:
            yield Variant(how, json.dumps(json.loads(body), **options).encode())
        except (ValueError, RecursionError):  # no JSON, or none that can be written so
            continue


def keys(secret: bytes) -> Iterator[Variant]:
    """The secret as the sender may have used it."""
    yield Variant("stripped of white space", secret.strip())
    yield Variant("ended by a line break", secret + b"\n")
    bare = secret.strip().removeprefix(b"whsec_")
    yield Variant("without whsec_ before it", bare)
    for how, decode in (("decoded from base64", base64.b64decode), ("decoded from hex", base64.b16decode)):
        try:
            yield Variant(how, decode(bare.upper() if decode is base64.b16decode else bare))
        except ValueError:
            continue
