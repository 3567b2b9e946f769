"""The scheduler's tick that tells people: it looks, decides and writes down; another thread sends."""

import secrets
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from handlers.connections import Registry
from handlers.connections.channel import Notifications
from handlers.connections.notification_file import NotificationFile
from handlers.rules.notices import HOUR, Message, decide, of_kinds
from handlers.store import notices
from handlers.store.engine import Database
from handlers.store.notices import PENDING, Sending
from handlers.store.rowset import Transaction
from worker.notifications import wording
from worker.notifications.findings import Failing, Looks
from worker.notifications.sending import OUTCOMES, Sender
from worker.scheduler import Tick
from worker.settings import WorkerSettings
from worker.telemetry import CONFIGURATION_ERRORS, NOTIFICATIONS, printable

EVERY: Final = timedelta(seconds=5)
KEPT: Final = timedelta(days=90)
"""Messages are listed for a quarter of a year."""

log = structlog.get_logger()


class Notifier:
    """Looks for what people should know.

    Args:
        database: where it is remembered what they do know.
        file: who is told, and how.
        looks: finds what stands.
        sender: sends what is written down.
        installation: this one's name, where the file gives none.
        clock: now, as an aware UTC time.
    """

    def __init__(
        self,
        database: Database,
        file: NotificationFile,
        looks: Looks,
        sender: Sender,
        *,
        installation: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._file = file
        self._looks = looks
        self._sender = sender
        self._installation = installation
        self._clock = clock

    def look(self) -> int:
        """One look; returns how many messages were put on their way. Without a channel nothing is looked at.

        Raises:
            TransientError: the database is away.
        """
        if self._file.refresh():
            CONFIGURATION_ERRORS.inc()
            log.error("notifications_not_read", problems=list(self._file.problems))
        told = self._file.now
        if not told.channels:
            return 0
        for channel in told.channels:
            for outcome in OUTCOMES:
                NOTIFICATIONS.labels(channel, outcome)
        made = self._decided(told, self._clock())
        self._sender.ring()
        return made

    def _decided(self, told: Notifications, now: datetime) -> int:
        known = notices.kept(self._database)
        found = self._looks.look(known, now)
        made = notices.made_since(self._database, now - HOUR)
        remembered, message = decide(known, found, made, told.policy, now)
        messages = [] if message is None else self._messages(message, told, now)
        changes = notices.changes(known, remembered.values())
        if changes or messages:
            with self._database.write() as connection:
                tx = Transaction(connection)
                notices.keep(tx, changes)
                notices.send(tx, messages)
                if messages:
                    notices.forget(tx, now - KEPT)
        return len(messages)

    def _messages(self, message: Message, told: Notifications, now: datetime) -> list[Sending]:
        """The message for each channel that wants any of it."""
        message_id = new_id(now)
        found = []
        for name, channel in sorted(told.channels.items()):
            part = of_kinds(message, channel.kinds)
            if part is not None:
                content = wording.content(part, told.name or self._installation, told.console_url)
                found.append(Sending(message_id, name, now, content, PENDING, 0, now))
        return found


def notifying(
    settings: WorkerSettings, database: Database, registry: Registry, failing: Failing, clock: Callable[[], datetime]
) -> tuple[Tick, Sender]:
    """The tick that tells people, and what sends; that has to be running."""
    file = NotificationFile(settings.notifications_path)
    sends_canaries = settings.canary_url is not None
    looks = Looks(database, registry, failing, sends_canaries=sends_canaries, began_at=clock())
    sender = Sender(database, file.channel, settings.home, clock)
    notifier = Notifier(database, file, looks, sender, installation=installation(), clock=clock)
    return Tick("notifications", EVERY, notifier.look), sender


def installation() -> str:
    """What this installation is called where nobody gave it a name: its machine's, if that can be printed."""
    return printable(socket.gethostname()) or "maintenworks"


def new_id(now: datetime) -> str:
    """The id of a message made now: it sorts by time, and has no full stop, which Standard Webhooks forbids."""
    return f"msg_{now:%Y%m%dT%H%M%S%f}_{secrets.token_hex(4)}"
