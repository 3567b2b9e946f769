"""The operating calendars, as their file says now."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from handlers.connections.calendars import Followed, parse_calendars
from handlers.connections.files import content_of
from handlers.connections.registry import decoded
from handlers.errors import ConfigurationError
from handlers.rules.calendars import Calendar


class Calendars:
    """Who follows which calendar, kept fresh by whoever calls `refresh`; a file that is not there has none.

    Args:
        path: `calendars.toml`.

    Raises:
        ConfigurationError: the file is there and nobody can work with it; there is no last good one yet.

    Attributes:
        problems: one line each, of the file as it is now; empty while it is good. The last good one serves meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.problems: tuple[str, ...] = ()
        self._path = path
        self._followed: Mapping[str, Followed] = MappingProxyType({})
        self._seen: bytes | None = None
        self.refresh()
        if self.problems:
            raise ConfigurationError(self.problems)

    def of(self, connection: str, asset: str, site: str | None) -> Calendar | None:
        """The calendar that an asset follows; None for none."""
        followed = self._followed.get(connection)
        return None if followed is None else followed.of(asset, site)

    @property
    def connections(self) -> tuple[str, ...]:
        """Those that the file speaks of."""
        return tuple(self._followed)

    def refresh(self) -> bool:
        """Reads the file, if it changed; returns whether other calendars serve now. A bad edit keeps the last good one.

        One that is gone is no bad edit: then nobody follows any.
        """
        try:
            return self._read()
        except ConfigurationError as error:
            self.problems = error.problems
            return False

    def _read(self) -> bool:
        try:
            content = content_of(self._path) or b""
        except ConfigurationError:
            self._seen = None
            raise
        if content == self._seen:
            return False
        self._seen = content
        found = parse_calendars(decoded(content, str(self._path)), str(self._path))
        self.problems = ()
        changed = found != self._followed
        self._followed = MappingProxyType(found)
        return changed
