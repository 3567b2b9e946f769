"""A message by webhook: signed as Standard Webhooks 1.0.0, posted once, no redirect followed, no answer read."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from handlers.connections import MIN_SECRET_BYTES, providers
from handlers.connections.channel import Webhook
from handlers.connections.providers import UNRESOLVED
from handlers.errors import ConfigurationError, TransientError
from handlers.rules.times import kept_instant
from handlers.signatures import sign
from handlers.signatures.known import STANDARD_WEBHOOKS
from worker import http_client
from worker.notifications import wording

TYPE: Final = "maintenworks.notification"
TIME_OUT: Final = httpx.Timeout(5.0)
"""Seconds for each step; all of them together are bounded by whoever sends."""
PATIENCE: Final = http_client.Patience(tries=3, first_wait=0.5, greatest_wait=2.0)
REFUSED: Final = "notification_refused"


def send(
    channel: Webhook, told: dict[str, Any], message_id: str, *, made_at: datetime, now: datetime, home: Path
) -> None:
    """Posts a message.

    Args:
        channel: where to.
        told: what the message says.
        message_id: of the message; the same whenever it is tried again, so that the receiver may drop a repeat.
        made_at: when it was made.
        now: the time, which is signed.
        home: where relative paths of secrets start.

    Raises:
        TransientError: it was not taken; names the server and neither path nor secret.
    """
    content = orjson.dumps(payload(message_id, told, made_at))
    headers = {"content-type": "application/json", **signed(channel, content, message_id, now, home)}
    with http_client.open_client() as client:
        client.timeout = TIME_OUT
        to = address(channel, home)
        status = http_client.status_of(client, "POST", to, headers=headers, content=content, patience=PATIENCE)
    if not 200 <= status < 300:  # noqa: PLR2004  # what counts as taken (Standard Webhooks 1.0.0, "Sending webhooks")
        raise TransientError(REFUSED, f"answered {status}")


def signed(channel: Webhook, content: bytes, message_id: str, now: datetime, home: Path) -> dict[str, str]:
    """The headers that sign a body.

    Raises:
        TransientError: of code `secret_unresolved`: the secret cannot be had, or is none that signs.
    """
    held = providers.read(channel.secret.text, home)
    if len(held) < MIN_SECRET_BYTES:
        raise TransientError(UNRESOLVED, f"{channel.secret.text}: is shorter than {MIN_SECRET_BYTES} bytes")
    try:
        return sign(STANDARD_WEBHOOKS, held, content, now=now.timestamp(), message_id=message_id)
    except ConfigurationError as error:
        raise TransientError(UNRESOLVED, f"{channel.secret.text}: {error.problems[0]}") from error


def payload(message_id: str, told: dict[str, Any], made_at: datetime) -> dict[str, Any]:
    """What is posted.

    `type`, `timestamp` and `data` are as Standard Webhooks has them; `text` is what chat systems show; `occurred_at`
    and `key` let another MaintenWorks read it as an event that it keeps and ignores.
    """
    at = kept_instant(made_at)
    return {
        "id": message_id,
        "type": TYPE,
        "timestamp": at,
        "occurred_at": at,
        "text": wording.text(told),
        "data": {"key": message_id, **told},
    }


def address(channel: Webhook, home: Path) -> str:
    """Where a channel posts to.

    Raises:
        TransientError: of code `secret_unresolved`: it is kept elsewhere and cannot be had, or is no address.
    """
    if isinstance(channel.url, str):
        return channel.url
    try:
        text = providers.read(channel.url.text, home).decode()
        url = httpx.URL(text)
    except (UnicodeDecodeError, httpx.InvalidURL):
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise TransientError(UNRESOLVED, f"{channel.url.text}: is no address; write one like https://…")
    return str(url)


def shown(channel: Webhook) -> str:
    """The server of an address, for people; path and query may be a token, and so may what is kept elsewhere."""
    if not isinstance(channel.url, str):
        return channel.url.text
    return str(httpx.URL(channel.url).copy_with(raw_path=b"/"))
