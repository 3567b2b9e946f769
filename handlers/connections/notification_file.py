"""Who is told of what, as `notifications.toml` says now."""

from pathlib import Path

from handlers.connections.channel import Channel, Notifications
from handlers.connections.channels import parse_notifications
from handlers.connections.files import content_of
from handlers.connections.registry import decoded
from handlers.errors import ConfigurationError

NAME = "notifications.toml"
"""The file's name, in the home."""


class NotificationFile:
    """Kept fresh by whoever calls `refresh`; a file that is not there tells nobody.

    Args:
        path: where it is.

    Attributes:
        problems: one line each, of the file as it is now; empty while it is good. The last good one serves meanwhile.
        now: what it last said without a mistake.
    """

    def __init__(self, path: Path) -> None:
        self.problems: tuple[str, ...] = ()
        self.now = Notifications()
        self._path = path
        self._seen: bytes | None = None

    def channel(self, name: str) -> Channel | None:
        """The channel of a name; None where there is none any more."""
        return self.now.channels.get(name)

    def refresh(self) -> bool:
        """Reads the file, if it changed; returns whether another bad edit was found."""
        try:
            self._read()
        except ConfigurationError as error:
            anew, self.problems = error.problems != self.problems, error.problems
            return anew
        return False

    def _read(self) -> None:
        try:
            content = content_of(self._path) or b""
        except ConfigurationError:
            self._seen = None
            raise
        if content == self._seen:
            return
        self._seen = content
        self.now = parse_notifications(decoded(content, str(self._path)), str(self._path))
        self.problems = ()


def read_notifications(path: Path) -> Notifications:
    """What a file says, once; nothing where it is not there.

    Raises:
        ConfigurationError: nobody can work with it; says why, a line a problem.
    """
    file = NotificationFile(path)
    file.refresh()
    if file.problems:
        raise ConfigurationError(file.problems)
    return file.now
