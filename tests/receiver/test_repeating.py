"""Work that is done again and again beside requests."""

import asyncio
import contextlib

from receiver.repeating import repeating


def test_work_that_does_not_notice_its_cancellation_ends_all_the_same() -> None:
    async def body() -> None:
        begun = asyncio.Event()

        async def deaf() -> None:
            begun.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)

        async with repeating(deaf, 0, "failed"):
            await begun.wait()

    asyncio.run(body())


def test_work_that_fails_is_done_again() -> None:
    failures = [ValueError("not yet"), ValueError("nor now")]

    async def body() -> None:
        done = asyncio.Event()

        async def failing() -> None:
            if failures:
                raise failures.pop()
            done.set()

        async with repeating(failing, 0, "failed"):
            await done.wait()

    asyncio.run(body())
    assert failures == []
