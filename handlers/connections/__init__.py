"""Connections: the registry in `connections.toml`, and the references to their secrets.

A value of a secret leaves this package only by `Registry.secrets` and `Registry.resolve`.
"""

from handlers.connections.connection import MIN_SECRET_BYTES, Address, Api, Connection, Endpoint, SecretRef
from handlers.connections.registry import Registry

__all__ = ["MIN_SECRET_BYTES", "Address", "Api", "Connection", "Endpoint", "Registry", "SecretRef"]
