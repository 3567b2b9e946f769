"""What the figures of assets need to know of them besides down time, of linked ones together."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from handlers.events import Json
from handlers.rules.facts import Key
from handlers.store.read_members import Members
from handlers.store.rowset import Transaction
from handlers.store.schema import asset_history, assets

NAMES = ("connection_id", "key")


class Told(NamedTuple):
    """An asset.

    Attributes:
        key: its key.
        site_key: of its site; None where nobody said.
        fields: its registers; what it does not state, as what it is linked to does.
        observed_from: when the first known fact about any of them happened.
        linked: what it is linked to.
    """

    key: str
    site_key: str | None
    fields: Mapping[str, Json]
    observed_from: datetime | None
    linked: tuple[Key, ...] = ()


@cache
def selected() -> sa.Select[Any]:
    """Assets, as they are told by themselves."""
    history = asset_history
    observed_from = (
        sa.select(sa.func.min(history.c.occurred_at))
        .where(history.c.connection_id == assets.c.connection_id, history.c.asset_key == assets.c.key)
        .scalar_subquery()
    )
    return sa.select(
        assets.c.connection_id, assets.c.key, assets.c.site_key, assets.c.fields, observed_from.label("observed_from")
    )


def told(tx: Transaction, members: Members, rows: Iterable[sa.Row[Any]], named: str | None) -> list[Told]:
    """Those of some assets that have a row of their own, with what they are linked to.

    Args:
        tx: to read in.
        members: what counts as an asset's own.
        rows: as `selected`.
        named: the key that was asked for; None for any.
    """
    own = {(row.connection_id, row.key): row for row in rows}
    kept = [asset for asset in own if members.has_row(asset, named)]
    linked = {asset: tuple(each for each in members.group(asset) if each != asset) for asset in kept}
    found = own | _others(tx, {each for every in linked.values() for each in every} - own.keys())
    return [
        _joined(own[asset], [found[each] for each in linked[asset] if each in found], linked[asset]) for asset in kept
    ]


def _joined(own: sa.Row[Any], others: Sequence[sa.Row[Any]], linked: tuple[Key, ...]) -> Told:
    if not others:
        return Told(own.key, own.site_key, own.fields, own.observed_from, linked)
    fields: dict[str, Json] = {}
    for row in (own, *others):
        fields |= {name: value for name, value in row.fields.items() if fields.get(name) is None}
    seen = [row.observed_from for row in (own, *others) if row.observed_from is not None]
    site = next((row.site_key for row in (own, *others) if row.site_key is not None), None)
    return Told(own.key, site, fields, min(seen, default=None), linked)


def _others(tx: Transaction, wanted: Iterable[Key]) -> dict[Key, sa.Row[Any]]:
    rows = [dict(zip(NAMES, each, strict=True)) for each in sorted(wanted)]
    if not rows:
        return {}
    source = tx.rows(assets, NAMES)
    same = sa.and_(*(assets.c[name] == source.c[name] for name in NAMES))
    statement = selected().select_from(sa.join(source, assets, same))
    return {(row.connection_id, row.key): row for row in tx.run(statement, rows)}
