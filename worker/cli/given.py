"""What commands are given, read into what they mean: a connection's name, a body, headers, a length of time."""

import sys
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import typer

from handlers.connections import Address, Connection, Endpoint, Registry
from handlers.connections.calendar_file import Calendars
from handlers.errors import MaintenworksError, TransientError
from handlers.rules.durations import read_duration
from handlers.settings import Settings
from worker.cli import output

STANDARD_INPUT: Final = "-"


def registry(settings: Settings) -> Registry:
    """The connections as the file says now.

    Raises:
        ConfigurationError: the file is bad.
    """
    return Registry(settings.connections_path, settings.home)


def calendars(settings: Settings, known: Collection[str]) -> Calendars:
    """The operating calendars as their file says now; connections that nobody registered are told of.

    Raises:
        ConfigurationError: the file is bad.
    """
    found = Calendars(settings.calendars_path)
    for each in found.connections:
        if each not in known:
            output.note(f"maintenworks: {settings.calendars_path}: connections.{each}: no connection has that name")
    return found


def connection(found: Registry, connection_id: str, settings: Settings) -> Connection:
    """One connection.

    Raises:
        typer.Exit: nothing matched, said on standard error.
    """
    known = found.get(connection_id)
    if known is None:
        output.note(f"maintenworks: no connection {connection_id!r} in {settings.connections_path}")
        raise typer.Exit(output.NOTHING)
    return known


def address(found: Registry, name: str, settings: Settings) -> Connection | Endpoint:
    """One connection, or one endpoint.

    Raises:
        typer.Exit: nothing matched, said on standard error.
    """
    return found.endpoint(name) or connection(found, name, settings)


def posted_to(found: Registry, of: Connection | Endpoint) -> Address:
    """Where its webhooks go: its own address, or that of the endpoint that it joined."""
    if isinstance(of, Endpoint) or of.has_address or of.endpoint is None:
        return of
    return found.endpoints()[of.endpoint]


def secrets(found: Registry, of: Address, now: datetime) -> Sequence[bytes]:
    """The secrets that verify a connection's deliveries at a moment, the newest first.

    Raises:
        MaintenworksError: one cannot be had here, or none is valid then; names the reference.
    """
    try:
        held = found.secrets(of, now)
    except TransientError as error:
        raise MaintenworksError(f"{of.id}: {error}") from error
    if not held:
        why = "it is revoked" if of.revoked else "all have expired"
        raise MaintenworksError(f"{of.id}: no secret is valid then, for {why}; see `connections show {of.id}`")
    return held


def body(name: str) -> bytes:
    """The bytes of a file, or of standard input for `-`, exactly as they are."""
    return sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()


def headers(lines: Sequence[str]) -> dict[str, str]:
    """Headers written as `Name: value`; names in lower case, values as a receiver decodes them.

    Raises:
        typer.BadParameter: one has no colon or no name.
    """
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        key = name.strip().lower()
        if not colon or not key:
            raise typer.BadParameter("write it as 'Name: value'", param_hint="--header")
        text = value.strip().encode(errors="surrogateescape").decode("latin-1")  # the shell's own bytes
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def duration(text: str, option: str) -> timedelta:
    """A length of time such as `90s`, `30min`, `24h` or `7d`.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        return read_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def moment(text: str, option: str) -> datetime:
    """A time with its offset from UTC.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min  # noqa: DTZ901  # told apart by its missing zone, next
    if found.tzinfo is None:
        raise typer.BadParameter("write it with its offset, like 2026-03-01T08:00:00Z", param_hint=option)
    return found
