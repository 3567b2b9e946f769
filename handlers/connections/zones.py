"""In which time zone the days of a site begin."""

from collections.abc import Callable, Mapping
from typing import TypeAlias
from zoneinfo import ZoneInfo

from handlers.connections.connection import Connection

UTC = "UTC"
Zones: TypeAlias = Callable[[str, str | None], ZoneInfo]
"""The zone of a site, by the connection's id and the site's key."""


def zones_of(known: Mapping[str, Connection]) -> Zones:
    """The zone of every site of some connections."""
    return lambda connection, site: site_zone(known.get(connection), site)


def site_zone(connection: Connection | None, site: str | None) -> ZoneInfo:
    """The zone of a site: `site_zones` names it, else the connection's `time_zone` is taken, else UTC.

    Args:
        connection: whose site; None where nobody registered it.
        site: its key; None where nobody said.
    """
    if connection is None:
        return ZoneInfo(UTC)
    options = connection.options
    own = None if site is None else options.site_zones.get(site)
    return ZoneInfo(own or options.time_zone or UTC)
