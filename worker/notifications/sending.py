"""Messages on their way to people: tried until they are taken, in a thread that keeps nobody else waiting."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
import tenacity

from handlers.connections.channel import Channel, Mail, Webhook
from handlers.errors import MaintenworksError, TransientError
from handlers.store import notices
from handlers.store.engine import Database
from handlers.store.notices import GIVEN_UP, PENDING, SENT, Sending
from worker.notifications import mail, webhook
from worker.telemetry import NOTIFICATIONS, printable

ATTEMPT_SECONDS: Final = 30.0
"""What one attempt may take, whatever the server there does."""
LEASE: Final = timedelta(seconds=60)
"""Longer than an attempt: whoever took a message and ended meanwhile has it tried again after so long."""
GIVES_UP_AFTER: Final = timedelta(hours=24)
"""What nobody took for a day is no news any more; it stands in the list, and counts."""
FAILED: Final = "failed"
OUTCOMES: Final = (SENT, FAILED, GIVEN_UP)
MOST_CHARACTERS: Final = 500
"""Kept of why an attempt failed; a server there may say much."""
END_SECONDS: Final = 1.0
"""How long the end of a process waits; what is under way is tried again after its lease."""

_WAIT: Final = tenacity.wait_exponential(multiplier=5, max=900)
"""5 s before the second attempt, doubled each time to a quarter of an hour; each shortened by up to a half."""

log = structlog.get_logger()


class Sender:
    """Sends what is pending whenever it is rung for.

    Args:
        database: where it is kept.
        channel: the channel of a name, as it is configured now; None where there is none any more.
        home: where relative paths of secrets start.
        clock: now, as an aware UTC time.
    """

    def __init__(
        self,
        database: Database,
        channel: Callable[[str], Channel | None],
        home: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._channel = channel
        self._home = home
        self._clock = clock
        self._rung = threading.Event()
        self._stop = False

    def ring(self) -> None:
        """There may be something to send."""
        self._rung.set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Sends in a thread while the block runs."""
        thread = threading.Thread(target=self._run, name="notifications", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop = True
            self.ring()
            thread.join(END_SECONDS)

    def send_due(self) -> int:
        """Tries what is due once, each message on its own; returns how many were sent.

        Raises:
            TransientError: the database is away.
        """
        return sum(self._tried(each) for each in notices.take(self._database, self._clock(), LEASE))

    def _run(self) -> None:
        while True:
            self._rung.wait()
            self._rung.clear()
            if self._stop:
                return
            try:
                self.send_due()
            except MaintenworksError as error:
                log.warning("notifications_not_sent", reason=str(error))

    def _tried(self, sending: Sending) -> bool:
        try:
            self._deliver(sending)
        except TransientError as error:
            outcome = self._failed(sending, error)
        else:
            outcome = SENT
            notices.settle(self._database, _ended(sending, SENT, self._clock()))
            log.info("notification_sent", channel=sending.channel, message=sending.message_id)
        NOTIFICATIONS.labels(sending.channel, outcome).inc()
        return outcome == SENT

    def _deliver(self, sending: Sending) -> None:
        channel = self._channel(sending.channel)
        if channel is None:
            raise TransientError("no_channel", f"there is no channel {sending.channel!r} any more")
        deliver(
            channel,
            sending.content,
            sending.message_id,
            made_at=sending.made_at,
            now=self._clock(),
            home=self._home,
        )

    def _failed(self, sending: Sending, error: TransientError) -> str:
        now, why = self._clock(), printable(f"{error.code}: {error}")[:MOST_CHARACTERS]
        fields = {"channel": sending.channel, "message": sending.message_id, "attempts": sending.attempts}
        log.warning("notification_not_sent", **fields, error=error.code, reason=why)
        if now - sending.made_at >= GIVES_UP_AFTER:
            notices.settle(self._database, _ended(sending, GIVEN_UP, now, why))
            return GIVEN_UP
        again = msgspec.structs.replace(sending, state=PENDING, due_at=now + wait(sending.attempts), last_error=why)
        notices.settle(self._database, again)
        return FAILED


def deliver(
    channel: Channel, told: dict[str, Any], message_id: str, *, made_at: datetime, now: datetime, home: Path
) -> None:
    """One attempt at one channel, bounded in time; arguments as `webhook.send` and `mail.send` have them.

    Raises:
        TransientError: it was not taken, or not within `ATTEMPT_SECONDS`.
    """

    def attempt() -> None:
        if isinstance(channel, Webhook):
            webhook.send(channel, told, message_id, made_at=made_at, now=now, home=home)
        elif isinstance(channel, Mail):
            mail.send(channel, told, message_id, made_at=made_at, home=home)

    _within(ATTEMPT_SECONDS, attempt)


def wait(attempts: int) -> timedelta:
    """The wait after so many attempts, from 1."""
    state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    state.attempt_number = attempts
    return timedelta(seconds=_WAIT(state) * random.uniform(0.5, 1))  # noqa: S311  # jitter, not a secret


def _ended(sending: Sending, state: str, now: datetime, why: str | None = None) -> Sending:
    return msgspec.structs.replace(sending, state=state, ended_at=now, last_error=why)


def _within(seconds: float, work: Callable[[], None]) -> None:
    """Does something, and waits for so long; what takes longer is left behind, for no thread can be ended.

    Time-outs of sockets are for each step, and a server that answers a byte at a time has many.
    """
    failed: list[TransientError] = []

    def run() -> None:
        try:
            work()
        except TransientError as error:
            failed.append(error)
        except Exception as error:  # noqa: BLE001  # whatever it is, the others are to be told
            # A bug of ours must not end the thread that sends; its text may quote anything.
            log.error("notification_broken", error=type(error).__name__)  # noqa: TRY400  # the arguments again
            failed.append(TransientError("unclassified", type(error).__name__))

    thread = threading.Thread(target=run, name="notification", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TransientError("notification_timeout", f"took longer than {seconds:.0f} s")
    if failed:
        raise failed[0]
