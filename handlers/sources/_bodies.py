"""From a delivery's body to the raw bytes of each of its events: what every source that reads JSON shares.

Nothing here raises anything but `PermanentError`, whatever the bytes are.
"""

import gzip
import hashlib
import io
import zlib
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from handlers.errors import PermanentError
from handlers.events import MAX_ELEMENTS, WHOLE_BODY, Delivery, Unmapped
from handlers.model.reading import MAX_DEPTH

MAX_INFLATED_BYTES = 16 * 1024 * 1024
"""Greatest gzip body after inflating, in bytes, where the caller sets no limit of its own."""

MAX_HEADER_ID_BYTES = 512
"""Longest id taken from a header, in bytes: as long as a key may be."""

GZIP_MAGIC = b"\x1f\x8b"
"""How a gzip body begins (RFC 1952, 2.3.1); no JSON text does."""

JSON_WHITE_SPACE = b" \t\n\r"
"""What may surround a JSON value (RFC 8259, 2)."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

ID_HEADERS = (
    "webhook-id",
    "svix-id",
    "x-webhook-id",
    "x-github-delivery",
    "x-shopify-webhook-id",
    "idempotency-key",
)
"""Headers that name a delivery, the first present wins: Standard Webhooks and Svix, then what GitHub, Shopify and the
IETF draft on Idempotency-Key call theirs."""

_TYPES = {
    b'"': "string",
    b"[": "array",
    b"{": "object",
    b"t": "boolean",
    b"f": "boolean",
    b"n": "null",
    b"": "nothing",
}
_VALUE = msgspec.json.Decoder(msgspec.Raw)
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])

Decoded = TypeVar("Decoded")


class Element(msgspec.Struct, frozen=True):
    """One event of a body.

    Attributes:
        raw: its bytes, without surrounding white space.
        root: where it stands in the body: `$`, `$[3]`, `$.value[3]`.
    """

    raw: bytes
    root: str


def digest(raw: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def type_of(raw: bytes) -> str:
    """Names the JSON type of a value by its first byte."""
    return _TYPES.get(raw.lstrip(JSON_WHITE_SPACE)[:1], "number")


def inflate(body: bytes, limit: int = MAX_INFLATED_BYTES) -> bytes:
    """Inflates a body that is gzip by its first bytes; any other is returned as it is.

    Args:
        body: the bytes as they were signed.
        limit: greatest size after inflating, in bytes.

    Raises:
        PermanentError: `malformed_gzip`, or `too_large` past the limit.
    """
    if not body.startswith(GZIP_MAGIC):
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            inflated = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise _whole("malformed_gzip", "bytes", "a whole gzip stream") from None
    if len(inflated) > limit:
        raise _whole("too_large", "bytes", f"at most {limit} bytes when inflated")
    return inflated


def inflated(delivery: Delivery, limit: int) -> Delivery | Unmapped:
    """A delivery with its body inflated, for a caller that knows the limit set for bodies.

    Args:
        delivery: as it came.
        limit: greatest size after inflating, in bytes.

    Returns:
        The delivery, the same one where its body is no gzip; `Unmapped` for the whole body where it cannot be had.
    """
    try:
        body = inflate(delivery.body, limit)
    except PermanentError as error:
        return Unmapped(WHOLE_BODY, digest(delivery.body), without_traces(error))
    return delivery if body is delivery.body else msgspec.structs.replace(delivery, body=body)


def split(body: bytes) -> list[Element]:
    """Tells a body's events apart: one object, or the elements of an array.

    The elements are sound JSON, but of any type.

    Raises:
        PermanentError: `malformed_json`, `too_deep`, `wrong_type` for any other value, `too_many_events`.
    """
    check_text(body)
    kind = type_of(body)
    if kind == "array":
        return items(body, "$")
    value = bytes(decode(_VALUE, body, "$"))
    if kind != "object":
        raise _whole("wrong_type", kind, "an object or an array of objects")
    return [Element(value, "$")]


def items(array: bytes, path: str) -> list[Element]:
    """The elements of an array that stands at a path.

    Raises:
        PermanentError: `malformed_json`, `too_deep`, `too_many_events`.
    """
    elements = at_most(decode(_ELEMENTS, array, path), path)
    return [Element(bytes(each), f"{path}[{index}]") for index, each in enumerate(elements)]


def at_most(elements: list[Decoded], path: str) -> list[Decoded]:
    """The same elements, unless there are too many of them.

    Raises:
        PermanentError: `too_many_events`.
    """
    if len(elements) > MAX_ELEMENTS:
        raise _refusal("too_many_events", path, "array", f"at most {MAX_ELEMENTS} events")
    return elements


def decode(decoder: "msgspec.json.Decoder[Decoded]", raw: bytes, path: str) -> Decoded:
    """Decodes one JSON value, every refusal translated.

    Args:
        decoder: what to make of it.
        raw: the bytes, valid UTF-8.
        path: where they stand in the delivery's body.

    Raises:
        PermanentError: `malformed_json`, `too_deep`, `wrong_type`, `out_of_range` for an integer of thousands of
            digits.
    """
    try:
        return decoder.decode(raw)
    except RecursionError:
        raise PermanentError(
            "too_deep",
            f"{path}: nested too deep",
            path=path,
            found=type_of(raw),
            expected=f"at most {MAX_DEPTH} levels",
        ) from None
    except msgspec.ValidationError as error:
        if "out of range" in str(error):
            code, value_type, expected = "out_of_range", "number", "a number of at most 60 digits"
        else:
            code, value_type, expected = "wrong_type", type_of(raw), "an object"
        raise PermanentError(
            code, f"{path}: {value_type} where {expected} is expected", path=path, found=value_type, expected=expected
        ) from None
    except msgspec.DecodeError as error:
        raise PermanentError(
            "malformed_json", f"{path}: {error}", path=path, found="malformed JSON", expected="JSON"
        ) from None


def header_id(headers: Mapping[str, str]) -> str | None:
    """The delivery's id by its headers (names in lower case); None where none names it."""
    if not headers:
        return None
    for name in ID_HEADERS:
        value = headers.get(name)
        if value is None:
            continue
        value = value.replace("\0", "").strip()
        if value and len(value.encode(errors="replace")) <= MAX_HEADER_ID_BYTES:
            return value
    return None


def without_traces(error: PermanentError) -> PermanentError:
    """Frees an error of the frames that it came through.

    It is kept in a reading, which those frames hold in turn: a circle, and the structs in it are invisible to the
    garbage collector. The path says more than the frames would.
    """
    error.__context__ = None
    return error.with_traceback(None)


def check_text(body: bytes) -> None:
    """Refuses a body that cannot be JSON text.

    Raises:
        PermanentError: `malformed_json` for a byte-order mark, or bytes that are not UTF-8.
    """
    if body.startswith(BYTE_ORDER_MARK):
        raise _whole("malformed_json", "a byte-order mark", "JSON without one (RFC 8259, 8.1)")
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            raise _whole("malformed_json", "bytes that are not UTF-8", "JSON in UTF-8 (RFC 8259, 8.1)") from None


def _whole(code: str, value_type: str, expected: str) -> PermanentError:
    return _refusal(code, "$", value_type, expected)


def _refusal(code: str, path: str, value_type: str, expected: str) -> PermanentError:
    message = f"{path}: {value_type} where {expected} is expected"
    return PermanentError(code, message, path=path, found=value_type, expected=expected)
