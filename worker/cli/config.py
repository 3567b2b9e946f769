"""`config show`: every setting as it is understood here, secrets left out."""

import os
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import typer
from pydantic import SecretStr

from handlers.settings import PREFIX, load
from worker.cli import output
from worker.settings import UpSettings

HIDDEN = "********"
URLS = ("broker_url", "database_url")
FILES = ("connections", "calendars", "notifications")

commands = typer.Typer(help="The settings.", no_args_is_help=True)


@commands.command()
def show(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: variable and value.")] = False,
) -> None:
    """Print every setting, where it came from, and no secret.

    Example: `MAINTENWORKS_LOG_LEVEL=debug maintenworks config show`
    """
    settings = load(UpSettings)
    values = {name: _shown(settings, name) for name in type(settings).model_fields}
    if as_json:
        output.json_line(values)
        return
    rows = [(f"{PREFIX}{name.upper()}", value, origin(settings, name, os.environ)) for name, value in values.items()]
    output.table(("variable", "value", "from"), rows)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(commands, name="config", rich_help_panel="Looking")


def origin(settings: UpSettings, name: str, environment: Mapping[str, str]) -> str:
    """Which of the places a setting may stand in it was read from."""
    variable = f"{PREFIX}{name.upper()}"
    if variable in environment:
        return "environment"
    if f"{variable}_FILE" in environment:
        return environment[f"{variable}_FILE"]
    if name in settings.model_fields_set:
        return environment.get(f"{PREFIX}CONFIG", "./maintenworks.toml")
    return "default"


def redacted(url: str) -> str:
    """A URL without its password and its query's values; whole in stars where the password cannot be told apart."""
    parts = urlsplit(url)
    if "@" in parts.path + parts.query + parts.fragment:
        return HIDDEN
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    shown = url.partition("?")[0].replace(parts.netloc, f"{name}{colon}{HIDDEN if colon else ''}{at}{host}", 1)
    return f"{shown}?{HIDDEN}" if parts.query else shown


def _shown(settings: UpSettings, name: str) -> object:
    value = getattr(settings, name)
    if name in FILES:
        return str(getattr(settings, f"{name}_path"))
    if name == "database_url":
        return redacted(settings.database)
    if name == "broker_url" and value is None:
        return f"embedded Valkey under {settings.home}"
    if isinstance(value, SecretStr):
        return redacted(value.get_secret_value()) if name in URLS else HIDDEN
    return str(value) if isinstance(value, os.PathLike) else value
