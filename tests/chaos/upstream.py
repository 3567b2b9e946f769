"""The upstream system: posts a stream at its own pace, and whatever is not answered 200 again until it is."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from tests.chaos.stream import Post
from tests.journeys.sender import WAIT_SECONDS, Sender, Wire

AT_ONCE = 48
"""Posts under way at the same time at most."""
PATIENCE_SECONDS = 240.0
"""How long one post is tried again: longer than any schedule keeps everything away."""
EXPECTED = frozenset({200, 503})
"""What a receiver may answer to a right post. Anything else would make an upstream give up or alarm somebody."""
UNANSWERED = "none"


class Upstream:
    """One run's sender.

    Args:
        senders: who signs, by connection; they remember what was answered 200.
        addresses: the receivers; each try goes to one of them, as through a load balancer.
        seed: decides which.

    Attributes:
        answers: how many tries ended with which status, or with none.
        complaints: answers that should not have been given, and posts that were never taken.
    """

    def __init__(self, senders: Sequence[Sender], addresses: Sequence[str], seed: int) -> None:
        self.answers: Counter[str] = Counter()
        self.complaints: Counter[str] = Counter()
        self._senders: Mapping[str, Sender] = {sender.connection: sender for sender in senders}
        self._addresses = addresses
        self._dice = random.Random(f"upstream {seed}")

    @property
    def tries(self) -> int:
        """How often something was posted."""
        return self.answers.total()

    def send(self, posts: Sequence[Post], per_second: float, on_taken: Callable[[int], None]) -> None:
        """Posts them, in this order and none before its time, and returns once each was answered 200.

        Args:
            posts: what to post.
            per_second: how many a second; those that had to wait come as fast as they can.
            on_taken: called with 1 after each 200.
        """
        began = time.monotonic()
        waiting = iter(enumerate(posts))

        async def work_off() -> None:
            async with contextlib.AsyncExitStack() as stack:
                wires = [await stack.enter_async_context(Wire(address)) for address in self._addresses]
                for number, post in waiting:
                    await asyncio.sleep(began + number / per_second - time.monotonic())
                    await self._insist(wires, post)
                    on_taken(1)

        async def everything() -> None:
            await asyncio.gather(*(work_off() for _ in range(AT_ONCE)))

        asyncio.run(everything())

    async def _insist(self, wires: Sequence[Wire], post: Post) -> None:
        sender = self._senders[post.connection]
        request = sender.request(post.body, sender.sign(post.body))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = await self._dice.choice(wires).exchange(request)
            except OSError:
                self.answers[UNANSWERED] += 1
            else:
                self.answers[str(answer.status)] += 1
                if answer.status == 200:
                    sender.remember(post.body, answer)
                    return
                if answer.status not in EXPECTED:
                    self.complaints[f"answered {answer.status}: {answer.body.decode(errors='replace')[:200]}"] += 1
            await asyncio.sleep(WAIT_SECONDS * self._dice.uniform(0.5, 1.5))
        self.complaints["a post was never taken"] += 1
