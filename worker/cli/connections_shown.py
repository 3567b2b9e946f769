"""How connections are printed: never a secret, save the one that was made just now."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from handlers.connections import Connection, Endpoint
from handlers.connections.edits import Issued
from worker.cli import output
from worker.shapes.connections import described, state

_COLUMNS = ("connection", "source", "customer", "environment", "scheme", "secrets", "state")
_BOUNDS = (("from", "not_before"), ("until", "not_after"))


def in_list(
    connections: Iterable[Connection],
    endpoints: Iterable[Endpoint] = (),
    *,
    more: tuple[Sequence[str], Iterable[Sequence[object]]] = ((), ()),
) -> None:
    """Prints a line for each, for people.

    Args:
        connections: those.
        endpoints: and those.
        more: further columns, and of each connection what stands in them.
    """
    rows: list[tuple[object, ...]] = [
        (each.id, each.source, each.customer, each.environment, each.scheme.name, len(each.secrets), state(each))
        for each in connections
    ]
    rows += [
        (each.id, each.source, "", "(endpoint)", each.scheme.name, len(each.secrets), state(each)) for each in endpoints
    ]
    columns, cells = more
    rows = [(*row, *of) for row, of in itertools.zip_longest(rows, cells, fillvalue=())]
    output.table((*_COLUMNS, *columns), rows, right=("secrets",))


def whole(connection: Connection | Endpoint) -> None:
    """Prints all that is known of one, for people; what nobody set is left out."""
    found = described(connection)
    refs = found.pop("secrets")
    map_ = found.pop("map", {})
    rows = [(name, value) for name, value in found.items() if value not in (None, {})]
    rows += [(f"map {name}", value) for name, value in map_.items() if name != "fields"]
    rows += [
        (f"map {kind}.{name}", value) for kind, each in map_.get("fields", {}).items() for name, value in each.items()
    ]
    rows += [(f"secret {position}", _secret_line(ref)) for position, ref in enumerate(refs)]
    output.table(("field", "value"), rows)


def done(what: str, connection_id: str, *, as_json: bool) -> None:
    """Says what was done to one."""
    if as_json:
        output.json_line({"done": what, "connection": connection_id})
    else:
        output.line(f"{what} {connection_id}")


def issued(what: str, connection: Connection | Endpoint, new: Issued, *, as_json: bool) -> None:
    """Says what was done, and the secret if it was made just now: this is the one time that it is shown."""
    if as_json:
        made = {} if new.secret is None else {"secret": new.secret}
        output.json_line({"done": what, **described(connection), "ref": new.ref, **made})
        return
    path = described(connection)["path"]
    output.line(f"{what} {connection.id}: POST {path}, signed as {connection.scheme.name}")
    if new.secret is not None:
        output.line(f"secret, shown this once: {new.secret}")
        output.note(f"it is kept as {new.ref} in the home; give it to the sender")


def _secret_line(ref: dict[str, Any]) -> str:
    bounds = [f"{word} {ref[name]:%Y-%m-%dT%H:%M:%SZ}" for word, name in _BOUNDS if ref[name] is not None]
    return " ".join([ref["ref"], *bounds])
