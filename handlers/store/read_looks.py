"""Assets with the spans that their figures need, each looked at in a window, a zone and a calendar of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeAlias, TypeVar

import msgspec
import sqlalchemy as sa

from handlers.events import Json
from handlers.rules.calendars import Calendar
from handlers.rules.downtime import Span
from handlers.rules.facts import Key
from handlers.rules.times import local_midnight, parse_moment
from handlers.store.read_linked import Told, selected, told
from handlers.store.read_members import OWN, Members, Reach, pooled
from handlers.store.read_spans import Window
from handlers.store.reading import Readable
from handlers.store.rowset import Transaction
from handlers.store.schema import assets

ASSETS_AT_ONCE = 250
"""Assets whose spans are read together: few enough for memory, enough to spare round trips."""
Beside = TypeVar("Beside")


class Look(msgspec.Struct, frozen=True):
    """How one asset is looked at.

    Attributes:
        window: of which time, as known when.
        zone: where it stands: plain dates mean the midnights there.
        calendar: when it operates; None where nobody asked, or nobody said.
    """

    window: Window
    zone: tzinfo = UTC
    calendar: Calendar | None = None


Looker: TypeAlias = Callable[[str, str | None], Look]
"""How an asset is looked at, by its key and its site's."""


class Looked(msgspec.Struct, frozen=True):
    """One asset.

    Attributes:
        key: its key.
        site: key of its site; None where nobody said.
        fields: its registers.
        observed_from: when its first known fact happened; None where it was only named by facts that left it since.
        look: how it was looked at.
        spans: what its figures need, as so looked at.
        linked: what it is linked to.
    """

    key: str
    site: str | None
    fields: Mapping[str, Json]
    observed_from: datetime | None
    look: Look
    spans: Sequence[Span]
    linked: tuple[Key, ...] = ()

    @property
    def in_service(self) -> datetime | None:
        """From when on anything is required of it."""
        return self._midnight("in_service_date")

    @property
    def decommissioned(self) -> datetime | None:
        """From when on nothing is."""
        return self._midnight("decommissioned_date")

    def _midnight(self, name: str) -> datetime | None:
        told = self.fields.get(name)
        return local_midnight(parse_moment(told), told, self.look.zone)


def looked(
    database: Readable,
    connection: str,
    look: Looker,
    beside: Callable[[Transaction, Sequence[Looked]], Beside],
    asset: str | None = None,
    *,
    reach: Reach = OWN,
    after: str = "",
) -> Iterator[tuple[list[Looked], Beside]]:
    """The assets of a connection, by key and a page at a time, deleted ones and those only named among them.

    What is linked to another asset stands in the row of that.

    Args:
        database: to read from; each page on one snapshot.
        connection: whose assets.
        look: how each is looked at.
        beside: what else is read of a page on the same snapshot.
        asset: only the one of that key.
        reach: what counts as an asset's own.
        after: begins behind the asset of that key.
    """
    members: Members | None = None
    while True:
        with database.read() as plain:
            tx = Transaction(plain)
            members = members or Members(tx, reach)
            rows = plain.execute(_page(connection, asset, after)).all()
            page = _with_spans(tx, connection, told(tx, members, rows, asset), look, members)
            more = beside(tx, page)
        yield page, more
        if len(rows) < ASSETS_AT_ONCE:
            return
        after = rows[-1].key


def _with_spans(tx: Transaction, connection: str, rows: Sequence[Told], look: Looker, members: Members) -> list[Looked]:
    looks = {row.key: look(row.key, row.site_key) for row in rows}
    alike: dict[tuple[Window, tzinfo], list[tuple[str, str]]] = {}
    for key, each in looks.items():
        alike.setdefault((each.window, each.zone), []).append((connection, key))
    spans: dict[tuple[str, str], list[Span]] = {}
    for (window, zone), keys in alike.items():
        spans |= pooled(tx, {each: members.of(tx, each) for each in keys}, window, zone)
    return [
        Looked(
            key=row.key,
            site=row.site_key,
            fields=row.fields,
            observed_from=row.observed_from,
            look=looks[row.key],
            spans=spans.get((connection, row.key), ()),
            linked=row.linked,
        )
        for row in rows
    ]


def _page(connection: str, asset: str | None, after: str) -> sa.Select[Any]:
    statement = (
        selected()
        .where(assets.c.connection_id == connection, assets.c.key > after)
        .order_by(assets.c.key)
        .limit(ASSETS_AT_ONCE)
    )
    return statement if asset is None else statement.where(assets.c.key == asset)
