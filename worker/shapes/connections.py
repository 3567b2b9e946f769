"""Connections and endpoints: never a secret, only where each is."""

from collections.abc import Mapping
from typing import Any

from handlers.connections import Connection, Endpoint, SecretRef


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


def state(connection: Connection | Endpoint) -> str:
    """`active`, `paused` or `revoked`."""
    if connection.revoked:
        return "revoked"
    return "paused" if isinstance(connection, Connection) and connection.paused else "active"


def record(connection: Connection, health: Mapping[str, Any] | None) -> dict[str, Any]:
    """A connection like any other record, with what its operational events say of its health."""
    return {
        "kind": "connection",
        "connection": connection.id,
        "key": connection.id,
        **described(connection),
        "health": health,
    }


def _secret(ref: SecretRef) -> dict[str, Any]:
    return {"ref": ref.text, "not_before": ref.not_before, "not_after": ref.not_after}
