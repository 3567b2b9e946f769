"""Connections and endpoints: never a secret, only where each is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from handlers.connections import Connection, Endpoint, SecretRef
from worker.rejections import Rejection
from worker.shapes.scalars import Count, Members


class Secret(TypedDict):
    """Where a secret is, and when it is valid."""

    ref: str
    not_before: datetime | None
    not_after: datetime | None


class Described(TypedDict):
    """A connection, as `connections show --json` prints it."""

    connection: str
    path: str
    endpoint: str | None
    external_id: str | None
    source: str
    customer: str
    environment: str
    scheme: str
    signature: str
    paused: bool
    revoked: bool
    rate_limit_per_s: float | None
    expect_every_s: float | None
    deployment: str
    tier: int | None
    credits: int | None
    api: str | None
    time_zone: str | None
    site_zones: dict[str, str]
    currency: str | None
    status_map: dict[str, str]
    priority_map: dict[str, str]
    field_map: dict[str, str]
    order: str | None
    map: Members
    secrets: list[Secret]


class Record(Described):
    """The same as a record, as `get connections --json` prints it, with its health as operational events tell it."""

    kind: str
    key: str
    health: Members | None


class Rejected(TypedDict):
    """A request that was refused, as `connections rejections --json` prints it."""

    connection: str
    time: datetime
    reason: str
    status: int
    size: Count | None
    header_names: list[str]


def described(connection: Connection | Endpoint) -> dict[str, Any]:
    """A connection, or an endpoint, as JSON: of its secrets, where each is and when it is valid."""
    if isinstance(connection, Endpoint):
        return _endpoint(connection)
    return {**whole(connection)}


def whole(connection: Connection) -> Described:
    """A connection."""
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
        "expect_every_s": connection.expect_every.total_seconds() if connection.expect_every else None,
        "deployment": connection.deployment,
        "tier": connection.tier,
        "credits": connection.credits,
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


def record(connection: Connection, health: Mapping[str, Any] | None) -> Record:
    """A connection like any other record, with what its operational events say of its health."""
    return {
        "kind": "connection",
        "connection": connection.id,
        "key": connection.id,
        **whole(connection),
        "health": None if health is None else {**health},
    }


def rejected(connection_id: str, one: Rejection) -> Rejected:
    """A refusal."""
    return {
        "connection": connection_id,
        "time": one.time,
        "reason": one.reason,
        "status": one.status,
        "size": one.size,
        "header_names": list(one.header_names),
    }


def _secret(ref: SecretRef) -> Secret:
    return {"ref": ref.text, "not_before": ref.not_before, "not_after": ref.not_after}
