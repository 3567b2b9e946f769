"""The receiver's end of the broker: batches of deliveries in, durable or refused, one round trip each."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

import redis.asyncio
import redis.asyncio.retry
import redis.backoff

from handlers.errors import TransientError
from worker.rejections import KEPT, Rejection, encode_rejection, rejections_key
from worker.scripts import ENQUEUE
from worker.streams_server import (
    BACKLOG,
    BACKLOG_BYTES,
    HEAVY,
    LIVE,
    MAX_BATCH,
    PREFIX,
    REVOKED,
    options,
    stream,
    translated,
)

WAIT = timedelta(seconds=2.5)
"""How long the broker may take for one enqueue: senders give up after 5 s and more, and ours must hear of it first."""

REPLICAS_PART = 0.8
"""How much of that wait may pass waiting for replicas: their number then still comes in time."""

HEAVY_BYTES = 256 * 1024
"""A connection whose backlog is over this goes through the lane `heavy`, out of the others' way: what it has in `live`
stands before them. It is about one batch of small events, a tenth of a second's work. (Measured beside a flood that
was more than the machine could do: 0.1 s for half of another's events; 1.6 s at 4 MiB.)"""

SHARE = 4
"""One connection may hold one part in so many of the mark."""

PROBE = f"{PREFIX}probe"
PROBE_SECONDS = 60


class Refusal(StrEnum):
    """Why the broker kept none of a delivery."""

    REVOKED = "revoked"
    """The connection was revoked: 401."""
    OVER_SHARE = "over_share"
    """The connection holds over a quarter of the mark already: 429."""
    OVER_MARK = "over_mark"
    """With it the backlog would be over the mark: 503."""


_VERDICTS = {ord("."): None, ord("R"): Refusal.REVOKED, ord("S"): Refusal.OVER_SHARE, ord("M"): Refusal.OVER_MARK}


class Producer:
    """Puts batches of deliveries into the broker, durably; for one event loop.

    Args:
        url: the broker's.
        backlog_limit_bytes: the mark.
        replicas: how many replicas must have a batch before it counts as durable (`WAIT`).
        wait: how long the broker may take.
        heavy_bytes: backlog of a connection over which it uses the lane `heavy`.
    """

    def __init__(
        self,
        url: str,
        *,
        backlog_limit_bytes: int,
        replicas: int = 0,
        wait: timedelta = WAIT,
        heavy_bytes: int = HEAVY_BYTES,
    ) -> None:
        self._url = url
        self._replicas = replicas
        self._seconds = wait.total_seconds()
        self._backlog_limit = backlog_limit_bytes
        self._limits = (backlog_limit_bytes, backlog_limit_bytes // SHARE, heavy_bytes)
        self._sha = hashlib.sha1(ENQUEUE.encode(), usedforsecurity=False).hexdigest()
        self._client: redis.asyncio.Redis | None = None

    async def open(self) -> None:
        """Prepares the client. The broker need not be there yet: until it is, an enqueue raises."""
        chosen = options(self._url, seconds=self._seconds)
        chosen["retry"] = redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0)
        self._client = redis.asyncio.Redis.from_url(self._url, **chosen)

    async def close(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def enqueue(self, batch: Sequence[tuple[str, bytes]]) -> list[Refusal | None]:
        """Puts a batch into the broker, as one entry for each lane it needs.

        Args:
            batch: connection id and wire form of each delivery; `MAX_BATCH` at most.

        Returns:
            For each delivery, None when it is durable, else why nothing of it was kept.

        Raises:
            TransientError: for the whole batch; some or all of it may have become durable all the same.
        """
        if len(batch) > MAX_BATCH:
            raise ValueError(f"{len(batch)} deliveries in one batch; {MAX_BATCH} at most")
        keys = (stream(LIVE), stream(HEAVY), BACKLOG, BACKLOG_BYTES, REVOKED)
        arguments = (len(keys), *keys, *self._limits, *(part for pair in batch for part in pair))
        with translated():
            async with asyncio.timeout(self._seconds):
                verdicts = await (self._run_replicated if self._replicas else self._run)(arguments)
        return [_VERDICTS[letter] for letter in verdicts]

    def limit_backlog(self, limit_bytes: int) -> None:
        """Has so much wait at most from now on, where that is less than the mark that was given at first."""
        self._limits = (min(self._backlog_limit, limit_bytes), *self._limits[1:])

    async def backlog(self) -> int:
        """Bytes of deliveries the broker holds.

        Raises:
            TransientError: the broker does not answer.
        """
        with translated():
            async with asyncio.timeout(self._seconds):
                return int(await self._opened.get(BACKLOG_BYTES) or 0)

    async def check(self) -> None:
        """Writes to the broker, which proves that it is reachable and takes writes.

        Raises:
            TransientError: it is not, or does not.
        """
        with translated():
            async with asyncio.timeout(self._seconds):
                await self._opened.set(PROBE, b"", ex=PROBE_SECONDS)

    async def keep_rejections(self, found: Mapping[str, Sequence[Rejection]]) -> None:
        """Puts refusals into the lists of their connections, in one round trip; the oldest drop out.

        Args:
            found: refusals by connection, oldest first.

        Raises:
            TransientError: some or all of them may have been written all the same.
        """
        with translated():
            async with asyncio.timeout(self._seconds), self._opened.pipeline(transaction=False) as pipeline:
                for connection_id, refusals in found.items():
                    key = rejections_key(connection_id)
                    pipeline.lpush(key, *map(encode_rejection, refusals))
                    pipeline.ltrim(key, 0, KEPT - 1)
                await pipeline.execute()

    @property
    def _opened(self) -> "redis.asyncio.Redis":
        assert self._client is not None, "open() comes first"
        return self._client

    async def _run(self, arguments: Sequence[str | bytes | int]) -> bytes:
        client = self._opened
        try:
            verdicts = await client.execute_command("EVALSHA", self._sha, *arguments)  # type: ignore[no-untyped-call]  # redis's, untyped
        except redis.exceptions.NoScriptError:
            verdicts = await client.execute_command("EVAL", ENQUEUE, *arguments)  # type: ignore[no-untyped-call]  # redis's, untyped
        return bytes(verdicts)

    async def _run_replicated(self, arguments: Sequence[str | bytes | int]) -> bytes:
        """The same, then WAIT, which counts the writes of its own connection only, so it goes in the same pipeline.

        With the script's text: a server that does not know it would wait for replicas before it could be told.
        """
        async with self._opened.pipeline(transaction=False) as pipeline:
            pipeline.execute_command("EVAL", ENQUEUE, *arguments)
            pipeline.execute_command("WAIT", self._replicas, int(self._seconds * 1000 * REPLICAS_PART))
            verdicts, replicas = await pipeline.execute()
        if replicas < self._replicas:
            raise TransientError("broker_not_durable", f"{replicas} of {self._replicas} replicas have the batch")
        return bytes(verdicts)
