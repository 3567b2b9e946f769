import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from handlers.errors import TransientError
from receiver.group_commit import WAITING_BYTES, GroupCommit
from worker.queue import MAX_BATCH, MAX_BATCH_BYTES, Refusal

Batch = Sequence[tuple[str, bytes]]


class Queue:
    """A broker whose every enqueue ends when the test says so."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.gate = asyncio.Event()
        self.answer: Callable[[Batch], Sequence[Refusal | None]] = lambda batch: [None] * len(batch)

    async def enqueue(self, batch: Batch) -> Sequence[Refusal | None]:
        """Notes the batch and waits for the gate."""
        self.batches.append(batch)
        await self.gate.wait()
        return self.answer(batch)

    @property
    def sizes(self) -> list[int]:
        """Of the batches so far."""
        return [len(batch) for batch in self.batches]


def _run(journey: Callable[[Queue], Awaitable[None]]) -> None:
    async def main() -> None:
        await journey(Queue())

    asyncio.run(main())


async def _settle() -> None:
    """Lets every task go as far as it can without the clock."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_lone_delivery_goes_at_once_and_alone() -> None:
    async def journey(queue: Queue) -> None:
        queue.gate.set()
        assert await GroupCommit(queue.enqueue).commit("acme", b"one") is None
        assert queue.batches == [[("acme", b"one")]]

    _run(journey)


def test_what_arrives_while_an_enqueue_is_under_way_forms_the_next_batch_in_order() -> None:
    async def journey(queue: Queue) -> None:
        group = GroupCommit(queue.enqueue)
        first = asyncio.create_task(group.commit("acme", b"first"))
        await _settle()
        others = [asyncio.create_task(group.commit("acme", b"%d" % n)) for n in range(40)]
        await _settle()
        assert queue.sizes == [1]
        queue.gate.set()
        await asyncio.gather(first, *others)
        assert queue.batches[1] == [("acme", b"%d" % n) for n in range(40)]
        assert queue.sizes == [1, 40]

    _run(journey)


def test_a_batch_is_cut_at_its_greatest_number_and_at_its_greatest_size() -> None:
    async def journey(queue: Queue) -> None:
        queue.gate.set()
        group = GroupCommit(queue.enqueue)
        await asyncio.gather(*(group.commit("acme", b"x") for _ in range(MAX_BATCH + 1)))
        assert queue.sizes == [MAX_BATCH, 1]
        large = bytes(MAX_BATCH_BYTES // 2)
        await asyncio.gather(*(group.commit("acme", large) for _ in range(3)))
        assert queue.sizes[2:] == [2, 1]
        await group.commit("acme", bytes(MAX_BATCH_BYTES + 1))
        assert queue.sizes[4:] == [1]

    _run(journey)


def test_each_waiter_gets_its_own_verdict() -> None:
    async def journey(queue: Queue) -> None:
        queue.gate.set()
        queue.answer = lambda batch: [Refusal.REVOKED if name == "b" else None for name, _ in batch]
        group = GroupCommit(queue.enqueue)
        verdicts = await asyncio.gather(*(group.commit(name, b"x") for name in "abc"))
        assert verdicts == [None, Refusal.REVOKED, None]

    _run(journey)


@pytest.mark.parametrize(
    ("failure", "code"),
    [(TransientError("broker_unavailable", "gone"), "broker_unavailable"), (ZeroDivisionError(), "enqueue_failed")],
)
def test_a_failed_enqueue_fails_its_batch_and_nobody_else(failure: Exception, code: str) -> None:
    async def journey(queue: Queue) -> None:
        queue.gate.set()

        def fail(_: Batch) -> Sequence[Refusal | None]:
            raise failure

        queue.answer, working = fail, queue.answer
        group = GroupCommit(queue.enqueue)
        failed = await asyncio.gather(*(group.commit("acme", b"x") for _ in range(3)), return_exceptions=True)
        assert [error.code for error in failed if isinstance(error, TransientError)] == [code] * 3
        queue.answer = working
        assert await group.commit("acme", b"x") is None

    _run(journey)


def test_an_answer_that_does_not_fit_the_batch_is_no_success() -> None:
    async def journey(queue: Queue) -> None:
        queue.gate.set()
        queue.answer = lambda _: []
        with pytest.raises(TransientError):
            await GroupCommit(queue.enqueue).commit("acme", b"x")

    _run(journey)


def test_the_wait_ends_and_what_was_given_up_is_never_sent() -> None:
    async def journey(queue: Queue) -> None:
        group = GroupCommit(queue.enqueue, wait_seconds=0.05)
        hanging = asyncio.create_task(group.commit("acme", b"hanging"))
        await _settle()
        waiting = asyncio.create_task(group.commit("acme", b"waiting"))
        answers = await asyncio.gather(hanging, waiting, return_exceptions=True)
        assert [error.code for error in answers if isinstance(error, TransientError)] == ["broker_slow"] * 2
        group._wait_seconds = 60
        queue.gate.set()
        assert await group.commit("acme", b"later") is None
        assert b"waiting" not in [encoded for batch in queue.batches for _, encoded in batch]

    _run(journey)


def test_more_than_may_wait_in_memory_is_refused_at_once() -> None:
    async def journey(queue: Queue) -> None:
        group = GroupCommit(queue.enqueue)
        large = bytes(WAITING_BYTES // 2)
        under_way = asyncio.create_task(group.commit("acme", large))
        await _settle()
        waiting = [asyncio.create_task(group.commit("acme", large)) for _ in range(2)]
        await _settle()
        with pytest.raises(TransientError, match="wait"):
            await group.commit("acme", b"x")
        queue.gate.set()
        assert await asyncio.gather(under_way, *waiting) == [None] * 3

    _run(journey)
