"""Which connections' assets figures are made of."""

from collections.abc import Mapping, Sequence

from handlers.connections import Connection
from handlers.store.engine import Database
from handlers.store.read_uptime import connections_with_assets

SANDBOX = "sandbox"


def counted(database: Database, known: Mapping[str, Connection], named: str | None) -> tuple[list[str], list[str]]:
    """The connections whose assets count, and the sandboxes that do not, since nobody named them."""
    return ([named], []) if named is not None else apart(connections_with_assets(database), known)


def apart(every: Sequence[str], known: Mapping[str, Connection]) -> tuple[list[str], list[str]]:
    """Connections that count without being named, and the sandboxes, which do not."""
    sandboxes = [each for each in every if each in known and known[each].environment == SANDBOX]
    return [each for each in every if each not in sandboxes], sandboxes


def nobody(asset: str | None, connection: str | None, left_out: list[str]) -> str:
    """What to say where no asset counted.

    Args:
        asset: the one that was asked for.
        connection: likewise.
        left_out: the sandboxes that did not count.
    """
    hint = f"; sandbox connections count only when named: --connection {left_out[0]}" if left_out else ""
    return f"no asset{'' if asset is None else f' {asset!r}'} of {connection or 'any connection'}{hint}"
