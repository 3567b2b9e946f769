"""Reliability of assets in a window, asset by asset, with what work orders tell of repairs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from handlers.rules.causes import Share, pooled, stops
from handlers.rules.reliability import Reliability, reliability
from handlers.rules.repairs import Repair
from handlers.store.read_causes import causes_of
from handlers.store.read_looks import Look, Looked, Looker, looked
from handlers.store.read_members import OWN, Reach
from handlers.store.read_repairs import repairs_of
from handlers.store.reading import Readable
from handlers.store.rowset import Transaction


class AssetReliability(msgspec.Struct, frozen=True):
    """One asset's reliability.

    Attributes:
        connection: whose it is.
        asset: its key.
        site: key of its site; None where nobody said.
        asset_class: its category, else its type in the source's words; None where nobody said.
        look: how it was looked at.
        told: what the window comes to.
        causes: its down time by cause, in elapsed time; None is a cause that nobody stated.
    """

    connection: str
    asset: str
    site: str | None
    asset_class: str | None
    look: Look
    told: Reliability
    causes: tuple[tuple[str | None, Share], ...]


class _Beside(NamedTuple):
    repairs: Mapping[str, tuple[Repair, ...]]
    causes: Mapping[str, str]


def asset_reliability(
    database: Readable, connection: str, look: Looker, asset: str | None = None, *, reach: Reach = OWN
) -> Iterator[AssetReliability]:
    """The reliability of a connection's assets, by key; deleted ones and those that were only named among them.

    Args:
        database: to read from; each group of assets on one snapshot.
        connection: whose assets.
        look: how each asset is looked at.
        asset: only the one of that key.
        reach: what counts as an asset's own.
    """

    def beside(tx: Transaction, page: Sequence[Looked]) -> _Beside:
        refs = {span.ref for each in page for span in each.spans}
        horizon = max((each.look.window.as_of for each in page), default=None)
        return _Beside(
            {} if horizon is None else repairs_of(tx, connection, refs, horizon), causes_of(tx, connection, refs)
        )

    for page, more in looked(database, connection, look, beside, asset, reach=reach):
        for each in page:
            yield _told(connection, each, more)


def _told(connection: str, asset: Looked, more: _Beside) -> AssetReliability:
    window = asset.look.window
    told = reliability(
        asset.spans,
        *window,
        repairs=more.repairs,
        in_service=asset.in_service,
        decommissioned=asset.decommissioned,
        calendar=asset.look.calendar,
    )
    horizon = min(each for each in (window.as_of, asset.decommissioned) if each is not None)
    since = max(each for each in (window.since, asset.in_service) if each is not None)
    shares = stops(asset.spans, since, min(window.until, horizon), horizon).shares
    named = (asset.fields.get(name) for name in ("category", "type_source"))
    return AssetReliability(
        connection=connection,
        asset=asset.key,
        site=asset.site,
        asset_class=next((each for each in named if isinstance(each, str)), None),
        look=asset.look,
        told=told,
        causes=tuple(pooled((more.causes.get(ref), share) for ref, share in shares.items()).items()),
    )
