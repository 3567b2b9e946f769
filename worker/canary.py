"""The scheduler's tick that sends a canary each minute, as an upstream system would: signed, to the receiver's address.

What it proves no counter can: that a webhook sent now is taken, queued, read and committed. It is sent for every
connection of the source `canary`; when the newest came through, the console shows.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import httpx
import orjson

from handlers.connections import Connection, Registry
from handlers.errors import TransientError
from handlers.rules.times import kept_instant
from handlers.signatures import QUERY, filled, sign
from handlers.sources.canary import NAME
from handlers.store import canaries
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from worker import http_client
from worker.scheduler import Tick
from worker.telemetry import CANARIES_SENT

EVERY: Final = timedelta(seconds=60)
KEPT: Final = timedelta(days=1)
"""Long enough to look at a bad night; older ones are removed from the archive, in which they are nobody's."""
PATIENCE_SECONDS: Final = 2.0
"""The leader rings for nothing meanwhile, and senders expect an answer within seconds too."""
ACCEPTED, REFUSED, UNREACHABLE = "accepted", "refused", "unreachable"
OUTCOMES: Final = (ACCEPTED, REFUSED, UNREACHABLE)


class Canary:
    """Sends canaries.

    Args:
        database: from which old ones are removed.
        registry: whose connections of the source `canary` they are.
        url: the receiver's address, or that of the proxy before it.
        clock: now, as an aware UTC time.
    """

    def __init__(self, database: Database, registry: Registry, url: str, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._registry = registry
        self._url = url.rstrip("/")
        self._clock = clock
        for outcome in OUTCOMES:
            CANARIES_SENT.labels(outcome)

    def send(self) -> int:
        """Sends one for each connection, and removes old ones; returns how many were taken.

        Raises:
            TransientError: one was not.
        """
        refused: list[str] = []
        sent = 0
        with _hasty_client() as client:
            for connection in of(self._registry):
                with self._database.write() as session:
                    canaries.forget(Transaction(session), connection.id, self._clock() - KEPT)
                outcome, why = self._sent(client, connection)
                CANARIES_SENT.labels(outcome).inc()
                sent += outcome == ACCEPTED
                refused += [f"{connection.id}: {why}"] if why else []
                if outcome == UNREACHABLE:
                    break  # it is one receiver: to wait for it once is enough
        if refused:
            raise TransientError("canary_not_taken", "; ".join(refused))
        return sent

    def _sent(self, client: httpx.Client, connection: Connection) -> tuple[str, str]:
        """What became of one, and why it was not taken."""
        now = self._clock()
        number = secrets.token_hex(8)
        try:
            secret = next(iter(self._registry.secrets(connection, now)), None)
            if secret is None:
                return REFUSED, "no secret of it is valid now"
            body = filled(connection.scheme, secret, orjson.dumps({"id": number, "sent_at": kept_instant(now)}))
            headers = sign(connection.scheme, secret, body, now=now.timestamp(), message_id=number)
            query = headers.pop(QUERY, "")
            url = f"{self._url}/webhooks/{connection.id}" + (f"?{query}" if query else "")
            headers["content-type"] = "application/json"
            answer = http_client.request(client, "POST", url, headers=headers, content=body)
        except TransientError as error:
            return UNREACHABLE, str(error)
        return (ACCEPTED, "") if answer.is_success else (REFUSED, f"answered {answer.status_code}")


def of(registry: Registry) -> Iterator[Connection]:
    """The connections that send nothing but canaries, and may."""
    for each in registry.all().values():
        if each.source == NAME and each.has_address and not (each.paused or each.revoked):
            yield each


def names(registry: Registry) -> Iterable[str]:
    """Their ids."""
    return [each.id for each in of(registry)]


def is_expected(registry: Registry) -> bool:
    """Whether any connection sends nothing but canaries, be it paused or revoked by now."""
    return any(each.source == NAME for each in registry.all().values())


def sent_canary(canary: Canary) -> Tick:
    """The tick that sends them."""
    return Tick("canary", EVERY, canary.send)


@contextmanager
def _hasty_client() -> Iterator[httpx.Client]:
    with http_client.open_client() as client:
        client.timeout = httpx.Timeout(PATIENCE_SECONDS)
        yield client
