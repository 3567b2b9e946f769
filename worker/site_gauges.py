"""The scheduler's tick that reckons what the page of metrics says of each site, and keeps it for the consoles.

A reading of everything takes seconds where there are ten thousand assets, and a scrape must take none of them. So the
leader reads, in short rounds, and whoever is scraped shows what it found. Sandboxes are left out, as in every figure.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from handlers.connections import Connection
from handlers.connections.zones import Zones, zones_of
from handlers.rules.figures import Figures, figures, pool
from handlers.rules.lifecycle import FINISHED, UNFINISHED
from handlers.rules.order import word
from handlers.rules.pm_compliance import LATELY
from handlers.store import kept_gauges, read_gauges
from handlers.store.engine import Database
from handlers.store.kept_gauges import Sample
from handlers.store.read_looks import Look, Looked, Looker, looked
from handlers.store.read_members import Reach
from handlers.store.read_spans import Window
from handlers.store.read_today import GONE, standing_sites
from handlers.store.rowset import Transaction
from worker.rounds import Rounds
from worker.scheduler import BEAT, Tick
from worker.scope import apart

WINDOWS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
)
"""Of availability; each ends now."""
LONGEST: Final = "30d"
"""That of MTBF, MTTR and compliance: shorter ones hold too few failures to divide by."""
MOST_SITES: Final = 50
"""Sites that have a label of their own, those with the most assets and orders; a sender must not make series."""
OTHER: Final = "other"
"""Label of the others."""
UNKNOWN: Final = "unknown"
"""Label where nobody said which site, or which status."""
STATUSES: Final = (*sorted(UNFINISHED | FINISHED), "cancelled", UNKNOWN)

Site: TypeAlias = str | None


class SiteGauges:
    """Reckons the gauges of sites, again and again.

    Args:
        database: where everything is.
        connections: those that are registered, as they stand.
        clock: now, as an aware UTC time.

    Attributes:
        rounds: in which it is done; the last one of each run writes.
    """

    def __init__(
        self,
        database: Database,
        connections: Callable[[], Mapping[str, Connection]],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._connections = connections
        self._clock = clock
        self.rounds = Rounds(self._all)

    def _all(self) -> Iterator[int]:
        now, known = self._clock(), self._connections()
        counted = apart(read_gauges.connections(self._database), known)[0]
        sums = Sums()
        for connection in counted:
            for part in sums.parts(connection, zones_of(known), now):
                with self._database.read() as session:
                    part(Transaction(session))
                yield 0
            reach = Reach(frozenset(counted))
            for page, _ in looked(self._database, connection, _looker(connection, known, now), _nothing, reach=reach):
                sums.add_assets(page, now)
                yield 0
        with self._database.read() as session:
            sums.down.update(standing_sites(Transaction(session), counted, now))
        yield 0
        families = sums.families()
        with self._database.write() as session:
            kept_gauges.keep(Transaction(session), families, now)
        yield 0


class Sums:
    """What one run has found so far, by site as it is stated."""

    def __init__(self) -> None:
        self.assets: Counter[Site] = Counter()
        self.down: Counter[Site] = Counter()
        self.orders: Counter[tuple[str | None, Site]] = Counter()
        self.overdue: Counter[Site] = Counter()
        self.pm_overdue: Counter[Site] = Counter()
        self.pm_due: Counter[Site] = Counter()
        self.pm_in_time: Counter[Site] = Counter()
        self._figures: dict[tuple[str, Site], Figures] = defaultdict(Figures)

    def parts(self, connection: str, zones: Zones, now: datetime) -> tuple[Callable[[Transaction], None], ...]:
        """What adds a connection's counts, a statement or two each: where there is much, one may take seconds."""

        def compliance(tx: Transaction) -> None:
            found = read_gauges.compliant_occurrences(tx, connection, now - LATELY, now)
            for site, (due, in_time) in found.items():
                self.pm_due[site] += due
                self.pm_in_time[site] += in_time

        return (
            lambda tx: self.orders.update(read_gauges.orders_by_status(tx, connection)),
            lambda tx: self.overdue.update(read_gauges.overdue_orders(tx, connection, zones, now)),
            lambda tx: self.pm_overdue.update(read_gauges.overdue_occurrences(tx, connection)),
            compliance,
        )

    def add_assets(self, page: Iterable[Looked], now: datetime) -> None:
        """Adds some assets, with their figures: each window's from the spans that the longest one needs."""
        for each in page:
            self.assets[each.site] += not _is_gone(each, now)
            for window, length in WINDOWS.items():
                found = figures(
                    each.spans,
                    now - length,
                    now,
                    now,
                    in_service=each.in_service,
                    decommissioned=each.decommissioned,
                )
                self._figures[window, each.site] = pool((self._figures[window, each.site], found))

    def families(self) -> dict[str, list[Sample]]:
        """The samples of each family of gauges; a ratio whose denominator is nothing has none."""
        label = self._labels()
        sites = sorted(set(label.values()))
        pooled: dict[tuple[str, str], Figures] = defaultdict(Figures)
        for (window, site), found in self._figures.items():
            pooled[window, label[site]] = pool((pooled[window, label[site]], found))
        orders: Counter[tuple[str, str]] = Counter()
        for (status, site), number in self.orders.items():
            orders[status if status in STATUSES else UNKNOWN, label[site]] += number
        due, in_time = _named(self.pm_due, label), _named(self.pm_in_time, label)
        return {
            "assets": _whole(self.assets, label, sites),
            "assets_down": _whole(self.down, label, sites),
            "work_orders": [((status, site), orders[status, site]) for site in sites for status in STATUSES],
            "work_orders_overdue": _whole(self.overdue, label, sites),
            "pm_overdue": _whole(self.pm_overdue, label, sites),
            "pm_compliance_ratio": [((site,), in_time[site] / due[site]) for site in sites if due[site]],
            "asset_availability_ratio": [
                ((site, window), ratio)
                for site in sites
                for window in WINDOWS
                if (ratio := pooled[window, site].availability) is not None
            ],
            "mtbf_seconds": _present((site, pooled[LONGEST, site].mtbf_s) for site in sites),
            "mttr_seconds": _present((site, pooled[LONGEST, site].mttr_s) for site in sites),
        }

    def _labels(self) -> dict[Site, str]:
        """The label of every site that there is."""
        weight: Counter[str] = Counter()
        every: set[Site] = {site for _, site in (*self.orders, *self._figures)}
        for counter in (self.assets, self.down, self.overdue, self.pm_overdue, self.pm_due):
            every.update(counter)
        for site, number in (*self.assets.items(), *((site, number) for (_, site), number in self.orders.items())):
            if site is not None:
                weight[site] += number
        largest = sorted((site for site in every if site is not None), key=lambda site: (-weight[site], site))
        own = set(largest[:MOST_SITES])
        return {site: UNKNOWN if site is None else site if site in own else OTHER for site in every}


def kept_site_gauges(gauges: SiteGauges) -> Tick:
    """The tick that keeps the gauges of sites."""
    return Tick("site_gauges", BEAT, gauges.rounds.round)


def _looker(connection: str, known: Mapping[str, Connection], now: datetime) -> Looker:
    window = Window(now - WINDOWS[LONGEST], now, now)
    zones = zones_of(known)
    looks: dict[ZoneInfo, Look] = {}

    def look(_: str, site: str | None) -> Look:
        zone = zones(connection, site)
        if zone not in looks:
            looks[zone] = Look(window) if zone.key == "UTC" else Look(window, zone)
        return looks[zone]

    return look


def _nothing(*_: object) -> None:
    return


def _is_gone(asset: Looked, now: datetime) -> bool:
    """As in the day's list: what is gone does not stand, and is none of a site's assets."""
    deleted = asset.fields.get("is_deleted") is True
    ended = asset.decommissioned is not None and asset.decommissioned <= now
    return deleted or ended or word(asset.fields.get("status")) in GONE


def _named(counts: Counter[Site], label: Mapping[Site, str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for site, number in counts.items():
        found[label[site]] += number
    return found


def _whole(counts: Counter[Site], label: Mapping[Site, str], sites: Iterable[str]) -> list[Sample]:
    """Of every site a sample, zero where there is nothing."""
    found = _named(counts, label)
    return [((site,), found[site]) for site in sites]


def _present(found: Iterable[tuple[str, float | None]]) -> list[Sample]:
    return [((site,), value) for site, value in found if value is not None]
