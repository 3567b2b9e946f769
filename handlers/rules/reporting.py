"""What a report is made of: assets with their sums, grouped, pooled before ratios, compared with what was published.

The same sums are what a closed period keeps, so that whatever a later report groups by, what was published then is
grouped and pooled by the same rules as what is known now.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from handlers.rules.causes import Share, pooled
from handlers.rules.figures import Figures, pool
from handlers.rules.reliability import Reliability, pool_reliability

ASSET, SITE, CLASS, CUSTOMER, CAUSE = "asset", "site", "class", "customer", "cause"
GROUPINGS = (ASSET, SITE, CLASS, CUSTOMER, CAUSE)
"""What a row of a report may be about."""
NOT_COMPARED = frozenset({"open_downtimes", "mttr_repair_s", "mttr_repair_known", "mttr_active_s", "mttr_active_known"})
"""Figures that change with the as-of time alone, since stops and work are followed up to it: a stop that ends after a
period was closed restates nothing of the period."""

DIGITS = 9
"""Decimals of a difference: far below a microsecond, and far above what two floats of a year's seconds differ by."""
Values = Mapping[str, float | int | None]
"""Figures by their names in the contract (section 6); None where one cannot be, such as a mean of nothing."""
Group = tuple[str | None, str | None]
"""A connection and a name in it; no connection for what may belong to several."""


class AssetSums(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One asset's part in a report, and what a closed period keeps of it.

    Attributes:
        connection: whose it is.
        key: its key.
        customer: whose the connection is.
        zone: where its days begin.
        since: start of the period there (UTC).
        until: its end.
        told: sums over the period.
        name: what people call it; None where nobody said.
        site: key of its site; None where nobody said.
        site_name: what people call that.
        asset_class: its category, else its type in the source's words; None where nobody said.
        observed_from: when the first known fact about it happened.
        data_as_of: when the newest fact of its connection happened.
        causes: its down time by cause; None is a cause that nobody stated.
    """

    connection: str
    key: str
    customer: str
    zone: str
    since: datetime
    until: datetime
    told: Reliability
    name: str | None = None
    site: str | None = None
    site_name: str | None = None
    asset_class: str | None = None
    observed_from: datetime | None = None
    data_as_of: datetime | None = None
    causes: tuple[tuple[str | None, Share], ...] = ()

    @property
    def figures(self) -> Figures:
        """The contract's among the sums."""
        return self.told.figures


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a report.

    Attributes:
        group: what it is about; unique in the report.
        label: what people call that; None where that is no more than the name.
        connections: whose assets are in it.
        assets: how many; of a cause, how many it stopped.
        zones: where their days begin.
        since: start of the period, the earliest of theirs (UTC).
        until: its end, the latest of theirs.
        observed_from: when the first known fact about any of them happened.
        data_as_of: when the newest fact happened; of several connections, of the one that is furthest behind.
        values: the figures.
    """

    group: Group
    label: str | None
    connections: frozenset[str]
    assets: int
    zones: tuple[str, ...]
    since: datetime
    until: datetime
    observed_from: datetime | None
    data_as_of: datetime | None
    values: Values


class Change(msgspec.Struct, frozen=True):
    """A figure that is not what it was when the period was closed.

    Attributes:
        was: as published; None where it could not be, or its row was not there.
        now: as known now; likewise.
    """

    was: float | int | None
    now: float | int | None

    @property
    def difference(self) -> float | int | None:
        """Now less then, rounded where only the arithmetic is inexact; None where either is none."""
        return None if self.was is None or self.now is None else round(self.now - self.was, DIGITS)


def grouped(assets: Sequence[AssetSums], by: str) -> list[Row]:
    """The rows of a report: assets and sites as they come, causes by what they took, the most first.

    Args:
        assets: each once.
        by: one of `GROUPINGS`.
    """
    if by == CAUSE:
        return _by_cause(assets)
    groups: dict[Group, list[AssetSums]] = {}
    for each in assets:
        groups.setdefault(_group(each, by), []).append(each)
    return [_row(group, _label(held[0], by), held, _values(held)) for group, held in groups.items()]


def whole(assets: Sequence[AssetSums]) -> Row:
    """All of them, at least one, as one row."""
    return _row((None, None), None, assets, _values(assets))


def changes(was: Row | None, now: Row | None) -> dict[str, Change]:
    """Which figures of a row differ from those of when the period was closed; none for a row that stands."""
    then: Values = {} if was is None else was.values
    today: Values = {} if now is None else now.values
    # A figure that an older version did not keep was not published, so it cannot be restated.
    names = [name for name in (today or then) if (not then or name in then) and name not in NOT_COMPARED]
    found = {name: Change(then.get(name), today.get(name)) for name in names}
    return {name: change for name, change in found.items() if change.was != change.now}


def _values(held: Iterable[AssetSums]) -> Values:
    return {
        name: value
        for name, value in pool_reliability(each.told for each in held).row().items()
        if not isinstance(value, str)
    }


def _group(each: AssetSums, by: str) -> Group:
    if by == ASSET:
        return each.connection, each.key
    if by == SITE:
        return each.connection, each.site
    return None, each.asset_class if by == CLASS else each.customer


def _label(each: AssetSums, by: str) -> str | None:
    return {ASSET: each.name, SITE: each.site_name}.get(by)


def _row(group: Group, label: str | None, held: Sequence[AssetSums], values: Values) -> Row:
    return Row(
        group=group,
        label=label,
        connections=frozenset(each.connection for each in held),
        assets=len(held),
        zones=tuple(sorted({each.zone for each in held})),
        since=min(each.since for each in held),
        until=max(each.until for each in held),
        observed_from=min((each.observed_from for each in held if each.observed_from is not None), default=None),
        data_as_of=min((each.data_as_of for each in held if each.data_as_of is not None), default=None),
        values=values,
    )


def _by_cause(assets: Sequence[AssetSums]) -> list[Row]:
    every = pool(each.figures for each in assets)
    shares = pooled(part for each in assets for part in each.causes)
    held: dict[str | None, list[AssetSums]] = {}
    for each in assets:
        for cause, _ in each.causes:
            held.setdefault(cause, []).append(each)
    connections = frozenset(each.connection for each in assets)
    order = sorted(shares, key=lambda cause: (-shares[cause].unplanned, -shares[cause].planned, cause or "\uffff"))
    rows = [_row((None, cause), None, held[cause], _cause_values(shares[cause], every)) for cause in order]
    # Whether a cause took more or less than was published depends on every connection, not on those it touched alone.
    return [msgspec.structs.replace(row, connections=connections) for row in rows]


def _cause_values(share: Share, every: Figures) -> Values:
    """The figures of a cause, in terms of `Figures`, so that MTBF and MTTR are the same quotients as everywhere.

    Required time is such that uptime is that of all the assets: what runs is at risk from every cause.
    """
    alone = Figures(
        required=every.uptime + share.downtime,
        planned_downtime=share.planned,
        unplanned_downtime=share.unplanned,
        failures_effective=share.failures,
    ).row()
    names = ("downtime_s", "planned_downtime_s", "unplanned_downtime_s", "failures_effective", "mtbf_s", "mttr_s")
    of_all = share.downtime / every.downtime if every.downtime else None
    of_unplanned = share.unplanned / every.unplanned_downtime if every.unplanned_downtime else None
    shares = {"downtime_share": of_all, "unplanned_downtime_share": of_unplanned}
    return {name: alone[name] for name in names} | shares


def share_of(rows: Iterable[Row], name: str) -> list[float]:
    """How far the rows up to each make up the sum of a figure, 0 to 1; all 0 where the sum is nothing."""
    amounts = [row.values[name] or 0 for row in rows]
    total = sum(amounts)
    found, held = [], 0.0
    for amount in amounts:
        held += amount
        found.append(held / total if total else 0.0)
    return found
