"""Payloads as the API answers them."""

from base64 import b64encode
from typing import TypedDict


class Payload(TypedDict):
    """A payload, laid out and redacted; null where its bytes are no longer kept."""

    id: str
    payload: str | None


class Revealed(TypedDict):
    """A payload exactly as it came, and the same as text."""

    id: str
    body_base64: str
    payload: str


def revealed(name: str, body: bytes) -> Revealed:
    """What an operator asked to see."""
    text = body.decode(errors="backslashreplace")
    return {"id": name, "body_base64": b64encode(body).decode(), "payload": text}
