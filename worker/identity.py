"""What log lines, traces and metrics call a process of ours."""

import functools
import importlib.metadata
import os


@functools.cache
def version() -> str:
    """The installed distribution's version."""
    return importlib.metadata.version("maintenworks")


def service_name(role: str | None) -> str:
    """`service.name`: as OpenTelemetry's variables have it, else `maintenworks-ROLE`."""
    given = os.environ.get("OTEL_SERVICE_NAME")
    for pair in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        name, _, value = pair.partition("=")
        if name.strip() == "service.name":
            given = given or value.strip()
    return given or ("maintenworks" if role is None else f"maintenworks-{role}")
