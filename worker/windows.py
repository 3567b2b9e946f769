"""Over which time assets are looked at, cut in which zone, by which calendar."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from handlers.connections import Connection
from handlers.connections.calendar_file import Calendars
from handlers.connections.zones import site_zone
from handlers.errors import ConfigurationError
from handlers.rules.period import YEARS, Period, parse_period
from handlers.store.read_looks import Look, Looker
from handlers.store.read_spans import Window
from worker.moments import bounds, moment

LONGEST_BY_CALENDAR = timedelta(days=100 * 366)
"""Of a window that is expanded into shifts."""


class Asked(NamedTuple):
    """The time that figures are asked for.

    Attributes:
        text: as it was given.
        ends: the same everywhere (UTC); None where a period is cut where each site is.
        period: that period.
        as_of: the time of knowledge (UTC).
    """

    text: str
    ends: tuple[datetime, datetime] | None
    period: Period | None
    as_of: datetime


def asked(since: str | None, until: str | None, period: str | None, as_of: str | None) -> Asked:
    """The time that is named: a period, or both ends of a window.

    Raises:
        ConfigurationError: more than one is, none, or something that is no time.
    """
    cut = datetime.now(UTC) if as_of is None else moment(as_of, "--as-of")
    if period is not None:
        if since is not None or until is not None:
            raise ConfigurationError(["--period: goes without --from and --to, which it stands for"])
        try:
            return Asked(period, None, parse_period(period), cut)
        except ValueError as error:
            raise ConfigurationError([f"--period: {error}"]) from None
    if since is None or until is None:
        raise ConfigurationError(["--from: give it with --to, or a --period such as 2026-10"])
    bounds(since, until, ("--from", "--to"))
    ends = moment(since, "--from"), moment(until, "--to")
    return Asked(f"{since} to {until}", ends, None, cut)


def looker(connection_id: str, known: Mapping[str, Connection], time: Asked, calendars: Calendars | None) -> Looker:
    """How the assets of a connection are looked at.

    Args:
        connection_id: whose assets.
        known: the connections, for the zones of their sites.
        time: which.
        calendars: of assets that have one; None where nobody asked.

    Raises:
        ConfigurationError: when used, of a window too long for a calendar.
    """

    @cache
    def of_site(site: str | None) -> Look:
        zone = ZoneInfo(str(site_zone(known.get(connection_id), site)))
        ends = time.ends or (time.period.window(zone) if time.period is not None else None)
        assert ends is not None, "a period or its ends are given"
        return Look(Window(*ends, time.as_of), UTC if zone.key == "UTC" else zone)

    def look(asset: str, site: str | None) -> Look:
        found = of_site(site)
        calendar = None if calendars is None else calendars.of(connection_id, asset, site)
        if calendar is None:
            return found
        since, end = found.window.since, found.window.end
        if end - since > LONGEST_BY_CALENDAR or {since.year, end.year} - set(YEARS):
            span = f"from {YEARS.start} to {YEARS.stop - 1}"
            raise ConfigurationError([f"--calendar: the window is longer than 100 years, or not {span}; shorten it"])
        return Look(found.window, found.zone, calendar)

    return look
