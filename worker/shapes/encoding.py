"""Printed JSON as bytes: decimals as strings, times in UTC with `Z`."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import orjson


def encoded(value: object) -> bytes:
    """A value as JSON, on one line."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits, which JSON allows and orjson does not
        return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: object) -> object:
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    raise TypeError(f"{type(value).__name__} is no JSON")
