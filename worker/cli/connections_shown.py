"""How connections are printed: never a secret, save the one that was made just now."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from handlers.connections import Connection, Endpoint, SecretRef
from handlers.connections.edits import Issued
from worker.cli import output

_COLUMNS = ("connection", "source", "customer", "environment", "scheme", "secrets", "state")
_BOUNDS = (("from", "not_before"), ("until", "not_after"))


def described(connection: Connection | Endpoint) -> dict[str, Any]:
    """A connection, or an endpoint, as JSON: of its secrets, where each is and when it is valid."""
    if isinstance(connection, Endpoint):
        return _endpoint(connection)
    options = connection.options
    return {
        "connection": connection.id,
        "path": f"/webhooks/{connection.id if connection.has_address else connection.endpoint}",
        "endpoint": connection.endpoint,
        "external_id": connection.external_id,
        "source": connection.source,
        "customer": connection.customer,
        "environment": connection.environment,
        "scheme": connection.scheme.name,
        "signature": connection.scheme.expects,
        "paused": connection.paused,
        "revoked": connection.revoked,
        "rate_limit_per_s": connection.rate_limit,
        "deployment": connection.deployment,
        "api": connection.api.base_url if connection.api else None,
        "time_zone": options.time_zone,
        "site_zones": dict(options.site_zones),
        "currency": options.currency,
        "status_map": dict(options.status_map),
        "priority_map": dict(options.priority_map),
        "field_map": dict(options.field_map),
        "order": options.order,
        "map": dict(options.map),
        "secrets": [_secret(ref) for ref in connection.secrets],
    }


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "endpoint": endpoint.id,
        "path": f"/webhooks/{endpoint.id}",
        "source": endpoint.source,
        "id": endpoint.pointer.text,
        "scheme": endpoint.scheme.name,
        "signature": endpoint.scheme.expects,
        "revoked": endpoint.revoked,
        "rate_limit_per_s": endpoint.rate_limit,
        "secrets": [_secret(ref) for ref in endpoint.secrets],
    }


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


def state(connection: Connection | Endpoint) -> str:
    """`active`, `paused` or `revoked`."""
    if connection.revoked:
        return "revoked"
    return "paused" if isinstance(connection, Connection) and connection.paused else "active"


def _secret(ref: SecretRef) -> dict[str, Any]:
    return {"ref": ref.text, "not_before": ref.not_before, "not_after": ref.not_after}


def _secret_line(ref: dict[str, Any]) -> str:
    bounds = [f"{word} {ref[name]:%Y-%m-%dT%H:%M:%SZ}" for word, name in _BOUNDS if ref[name] is not None]
    return " ".join([ref["ref"], *bounds])
