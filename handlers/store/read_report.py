"""Assets as a report shows them: their figures in a period and its parts, cut where each asset is, and their stops."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from handlers.events import Json
from handlers.rules.causes import Share, Stops, pooled, stops
from handlers.rules.downtime import Segment
from handlers.rules.facts import Key
from handlers.rules.figures import Figures, figures
from handlers.rules.period import Part, Period
from handlers.rules.reliability import reliability
from handlers.rules.repairs import Repair
from handlers.rules.reporting import AssetSums
from handlers.store.read_causes import causes_of
from handlers.store.read_looks import Look, Looked, looked
from handlers.store.read_members import Reach
from handlers.store.read_repairs import repairs_of
from handlers.store.read_spans import Window
from handlers.store.read_uptime import data_as_of
from handlers.store.reading import Readable
from handlers.store.rowset import Transaction


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is asked about one connection.

    Attributes:
        connection: whose assets.
        customer: whose that is.
        period: of what time.
        as_of: the time of knowledge (UTC): everything is cut there.
        zone_of: the zone in which the days of a site begin, by the site's key.
        counted: every connection in the report: what is linked across them is told once.
        asset: only the one of that key.
    """

    connection: str
    customer: str
    period: Period
    as_of: datetime
    zone_of: Callable[[str | None], ZoneInfo]
    counted: frozenset[str] = frozenset()
    asset: str | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One asset in a report.

    Attributes:
        sums: its figures, and what they are about.
        parts: its figures in each part of the period, oldest first.
        segments: its down time in the period, oldest first.
        required: from when to when anything was required of it in the period; the end not after the start if never.
        causes: of its stops, by `ref`, as far as anybody gave one.
        linked: what it is linked to, and stands for.
    """

    sums: AssetSums
    parts: tuple[tuple[Part, Figures], ...]
    segments: tuple[Segment, ...]
    required: tuple[datetime, datetime]
    causes: Mapping[str, str] = {}
    linked: tuple[Key, ...] = ()


class _Beside(NamedTuple):
    """What is read of a page of assets beside their spans."""

    repairs: Mapping[str, tuple[Repair, ...]]
    causes: Mapping[str, str]


def told_of(database: Readable, asked: Asked) -> Iterator[Told]:
    """The assets of a connection, by key, deleted ones and those that were only named among them.

    The spans that a period needs are enough for each of its parts, so they are read once.

    Args:
        database: to read from; each page of assets on one snapshot.
        asked: what about.
    """
    newest = data_as_of(database, [asked.connection]).get(asked.connection)

    @cache
    def of_site(site: str | None) -> tuple[Look, list[Part]]:
        zone = asked.zone_of(site)
        window = Window(*asked.period.window(zone), asked.as_of)
        # Plain dates are kept as midnights UTC: there they need not be sought farther out.
        return Look(window, UTC if zone.key == "UTC" else zone), asked.period.parts(zone)

    def beside(tx: Transaction, page: Sequence[Looked]) -> _Beside:
        refs = {span.ref for each in page for span in each.spans}
        repairs = repairs_of(tx, asked.connection, refs, asked.as_of)
        return _Beside(repairs, causes_of(tx, asked.connection, refs))

    def look(_: str, site: str | None) -> Look:
        return of_site(site)[0]

    reach = Reach(asked.counted)
    for page, more in looked(database, asked.connection, look, beside, asked.asset, reach=reach):
        for each in page:
            yield _told(asked, each, more, of_site(each.site)[1], newest)


def _told(asked: Asked, asset: Looked, more: _Beside, parts: Sequence[Part], newest: datetime | None) -> Told:
    since, until, as_of = asset.look.window
    horizon = as_of if asset.decommissioned is None else min(as_of, asset.decommissioned)
    start = since if asset.in_service is None else max(since, asset.in_service)
    required = start, min(until, horizon)
    stop = stops(asset.spans, *required, horizon)
    count = partial(figures, asset.spans, in_service=asset.in_service, decommissioned=asset.decommissioned)
    return Told(
        sums=AssetSums(
            connection=asked.connection,
            key=asset.key,
            customer=asked.customer,
            zone=str(asset.look.zone),
            since=since,
            until=until,
            told=reliability(
                asset.spans,
                since,
                until,
                as_of,
                repairs=more.repairs,
                in_service=asset.in_service,
                decommissioned=asset.decommissioned,
            ),
            name=_text(asset.fields.get("name")),
            site=asset.site,
            site_name=_label(asset.fields.get("site_ref")),
            asset_class=_text(asset.fields.get("category")) or _text(asset.fields.get("type_source")),
            observed_from=asset.observed_from,
            data_as_of=newest,
            causes=_by_cause(stop, more.causes),
        ),
        parts=tuple((part, count(part.since, part.until, as_of)) for part in parts),
        segments=stop.segments,
        required=required,
        causes={each.ref: more.causes[each.ref] for each in stop.segments if each.ref in more.causes},
        linked=asset.linked,
    )


def _by_cause(stop: Stops, causes: Mapping[str, str]) -> tuple[tuple[str | None, Share], ...]:
    return tuple(pooled((causes.get(ref), share) for ref, share in stop.shares.items()).items())


def _text(told: Json) -> str | None:
    return told if isinstance(told, str) else None


def _label(ref: Json) -> str | None:
    return _text(ref.get("label")) if isinstance(ref, dict) else None
