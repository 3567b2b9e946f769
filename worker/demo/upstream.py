"""A simulated upstream system: it signs, posts, tries again where it must, and remembers what it was answered."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple

import httpx
import orjson

from handlers.connections.generated import new_secret
from handlers.errors import TransientError
from handlers.signatures import Scheme, sign
from worker import http_client
from worker.demo.spelling import Outgoing

AT_ONCE: Final = 8
"""Posts under way of one system, each on a connection of its own."""
PATIENCE: Final = http_client.Patience(tries=10)
"""A sender's own: some thirty seconds in all, which a restart of any part takes less than."""
ANSWER_LOST: Final = 0.01
"""Share of the posts whose answer the system does not get to see, so that it sends them again."""


class Accepted(NamedTuple):
    """A delivery that was answered 200.

    Attributes:
        connection: whose.
        delivery_id: as the answer gave it.
        digests: of the events in it.
    """

    connection: str
    delivery_id: str
    digests: tuple[str, ...]


@dataclass
class Figures:
    """What one system counts.

    Attributes:
        posted: POSTs that had an end.
        refused: answered 401.
        failed: neither accepted nor refused, after all tries; by what happened.
        accepted: answered 200, in order.
        events: in those, repeats counted each time.
        distinct: different ones of them.
        believed: forged ones that were answered 200.
    """

    posted: int = 0
    refused: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    accepted: list[Accepted] = field(default_factory=list)
    events: int = 0
    distinct: set[str] = field(default_factory=set)
    believed: int = 0


class Upstream:
    """One system.

    Args:
        connection: its id.
        scheme: how it signs.
        secret: what it signs with; its secret's own text.
        address: where it posts.
        dice: for answers that are lost.
    """

    def __init__(self, connection: str, scheme: Scheme, secret: bytes, address: str, dice: random.Random) -> None:
        self.connection = connection
        self.scheme = scheme
        self.figures = Figures()
        self._secret = secret
        self._forged = new_secret(scheme.name).encode()
        self._address = address
        self._dice = dice
        self._lock = threading.Lock()

    def send(self, line: Sequence[Outgoing], stopped: Callable[[], bool] = lambda: False) -> None:
        """Posts everything in a line, some at once, and returns when the last was answered.

        Args:
            line: in this order.
            stopped: asked before each; nothing more is begun once it says so.
        """
        waiting = iter(line)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix=self.connection) as pool:
            for working in [pool.submit(self._work_off, waiting, stopped) for _ in range(AT_ONCE)]:
                working.result()

    def _work_off(self, waiting: Iterator[Outgoing], stopped: Callable[[], bool]) -> None:
        # A client a thread: a pool that is shared looks at each of its connections for each request.
        with http_client.open_client() as client:
            while not stopped():
                with self._lock:
                    outgoing = next(waiting, None)
                    again = self._dice.random() < ANSWER_LOST
                if outgoing is None:
                    return
                self._post(client, outgoing)
                if again and not outgoing.forged:
                    self._post(client, outgoing)

    def _post(self, client: httpx.Client, outgoing: Outgoing) -> None:
        secret = self._forged if outgoing.forged else self._secret
        headers = sign(self.scheme, secret, outgoing.body, now=time.time(), message_id=outgoing.message_id)
        headers["content-type"] = "application/json"
        try:
            answer = http_client.request(
                client, "POST", self._address, headers=headers, content=outgoing.body, patience=PATIENCE
            )
        except TransientError as error:
            self._count(outgoing, None, error.code)
        else:
            self._count(outgoing, answer, str(answer.status_code))

    def _count(self, outgoing: Outgoing, answer: httpx.Response | None, what: str) -> None:
        with self._lock:
            figures = self.figures
            figures.posted += 1
            if answer is not None and answer.status_code == HTTPStatus.OK:
                delivery_id = str(orjson.loads(answer.content)["delivery_id"])
                figures.accepted.append(Accepted(self.connection, delivery_id, outgoing.digests))
                figures.events += len(outgoing.digests)
                figures.distinct.update(outgoing.digests)
                figures.believed += outgoing.forged
            elif answer is not None and answer.status_code == HTTPStatus.UNAUTHORIZED and outgoing.forged:
                figures.refused += 1
            else:
                figures.failed[what] = figures.failed.get(what, 0) + 1
