"""Bodies are read up to a limit, and what strangers have begun and not finished is bounded too."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from receiver import request
from receiver.problems import BODY_TOO_LARGE, TOO_MUCH_UNFINISHED, Problem
from receiver.request import ALWAYS_BYTES, Bodies

LIMIT = 10 * ALWAYS_BYTES


class _Sender:
    """One request's body, sent piece by piece."""

    def __init__(self, bodies: Bodies) -> None:
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._reading = asyncio.create_task(bodies.read(self._sent.get))

    async def send(self, size: int, *, more: bool = True) -> bytes | Problem | None:
        """Sends so many bytes; returns what became of the body, None while it is read on."""
        return await self._told({"type": "http.request", "body": b"x" * size, "more_body": more})

    async def leave(self) -> None:
        """Goes away in the middle."""
        with pytest.raises(ClientDisconnect):
            await self._told({"type": "http.disconnect"})

    async def _told(self, message: Message) -> bytes | Problem | None:
        self._sent.put_nowait(message)
        for _ in range(10):  # turns of the loop, of which the reader needs three
            await asyncio.sleep(0)
        return self._reading.result() if self._reading.done() else None


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "UNFINISHED_BYTES", 0)


@pytest.mark.parametrize("pieces", [[LIMIT + 1], [LIMIT, 1], [1] * 3 + [LIMIT]])
def test_a_body_over_the_limit_is_not_read_on(pieces: list[int]) -> None:
    async def journey() -> None:
        sender = _Sender(Bodies(LIMIT))
        *first, last = pieces
        for size in first:
            assert await sender.send(size) is None
        assert await sender.send(last) is BODY_TOO_LARGE

    asyncio.run(journey())


@pytest.mark.parametrize("pieces", [[LIMIT], [0, LIMIT], [LIMIT - 1, 0, 1]])
def test_a_body_within_it_is_returned_whole(pieces: list[int]) -> None:
    async def journey() -> None:
        sender = _Sender(Bodies(LIMIT))
        *first, last = pieces
        for size in first:
            assert await sender.send(size) is None
        assert await sender.send(last, more=False) == b"x" * LIMIT

    asyncio.run(journey())


@pytest.mark.usefixtures("no_room")
def test_strangers_who_never_finish_fill_no_memory_and_keep_out_no_small_body() -> None:
    """500 of them, a mebibyte each, took half a gibibyte before anybody had been asked for a signature."""

    async def journey() -> None:
        bodies = Bodies(LIMIT)
        idle = _Sender(bodies)
        assert await idle.send(LIMIT) is None
        small, large, whole = _Sender(bodies), _Sender(bodies), _Sender(bodies)
        assert await small.send(ALWAYS_BYTES) is None
        assert await large.send(ALWAYS_BYTES + 1) is TOO_MUCH_UNFINISHED
        assert await whole.send(LIMIT, more=False) == b"x" * LIMIT
        assert await small.send(0, more=False) == b"x" * ALWAYS_BYTES
        await idle.leave()
        assert await _Sender(bodies).send(LIMIT) is None

    asyncio.run(journey())
