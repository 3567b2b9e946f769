"""What an operator says of assets, that two are one thing; each act with its row in the audit log."""

from datetime import datetime

from handlers.errors import MaintenworksError
from handlers.events import Json
from handlers.rules.facts import Key
from handlers.store import asset_links
from handlers.store.audit import append
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from worker.acts import Operator


def link(database: Database, one: Key, other: Key, operator: Operator, now: datetime) -> bool:
    """Makes two assets one; the first one's name stands for both.

    Returns:
        False where they are that already: nothing is done then, and no row is written.

    Raises:
        MaintenworksError: nothing was ever said of one of them.
    """
    with database.write() as connection:
        tx = Transaction(connection)
        for each in (one, other):
            if not asset_links.exists(tx, each):
                raise MaintenworksError(f"nothing is known of asset {name_of(each)}")
        if not asset_links.link(tx, one, other, now):
            return False
        first = name_of(asset_links.groups(tx).of(one)[0])
        append(tx, operator.did("assets.link", {"assets": _names(one, other)}, {"counted_as": first}), now)
    return True


def unlink(database: Database, asset: Key, operator: Operator, now: datetime) -> bool:
    """Makes an asset one of its own again; what else was linked to it stays linked.

    Returns:
        False where it was linked to nothing: no row is written.
    """
    with database.write() as connection:
        tx = Transaction(connection)
        group = asset_links.groups(tx).of(asset)
        if not asset_links.unlink(tx, asset):
            return False
        left: dict[str, Json] = {"left": _names(*(each for each in group if each != asset))}
        append(tx, operator.did("assets.unlink", {"asset": name_of(asset)}, left), now)
    return True


def name_of(asset: Key) -> str:
    """An asset's name among those of every connection, `KEY@CONNECTION`."""
    connection, key = asset
    return f"{key}@{connection}"


def read_name(text: str) -> Key:
    """The asset of such a name; a key may have an `@` of its own.

    Raises:
        ValueError: it is none.
    """
    key, at, connection = text.rpartition("@")
    if not (key and at and connection):
        raise ValueError("write it as KEY@CONNECTION, such as PUMP-7@acme")
    return connection, key


def _names(*assets: Key) -> list[Json]:
    return [name_of(each) for each in assets]
