"""Settings that every role shares: `MAINTENWORKS_*` variables, their `*_FILE` twins, and one TOML file.

Order of precedence: the environment, then `*_FILE`, then the file named by `MAINTENWORKS_CONFIG`
(default `./maintenworks.toml`), then the default. All errors are reported at once.
"""

import abc
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from handlers.errors import ConfigurationError

PREFIX = "MAINTENWORKS_"
BROKER_SCHEMES = ("redis://", "rediss://", "unix://")
DATABASE_SCHEMES = ("sqlite:///", "postgresql://")


class Settings(BaseSettings):
    """What every role needs to know; a role's own settings are a subclass.

    Attributes:
        home: folder of everything embedded: broker, SQLite file, generated secrets, metrics files, locks.
        broker_url: None means the embedded Valkey under the home.
        connections: None means `<home>/connections.toml`.
        calendars: None means `<home>/calendars.toml`.
        max_body_bytes: greatest body accepted, in bytes; also the limit after inflating.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True)

    home: Path = Path("./.maintenworks")
    broker_url: SecretStr | None = None
    connections: Path | None = None
    calendars: Path | None = None
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024, le=64 * 1024 * 1024)
    backlog_limit_bytes: int = Field(default=1024 * 1024 * 1024, ge=1024 * 1024)
    min_free_bytes: int = Field(default=256 * 1024 * 1024, ge=0)
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    metrics_token: SecretStr | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] | None = None

    @field_validator("broker_url")
    @classmethod
    def _known_broker(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(BROKER_SCHEMES):
            raise ValueError(f"starts with none of {', '.join(BROKER_SCHEMES)}")
        return value

    @property
    def connections_path(self) -> Path:
        """Where the connection registry is read from."""
        return self.connections or self.home / "connections.toml"

    @property
    def calendars_path(self) -> Path:
        """Where the operating calendars are read from; it need not exist."""
        return self.calendars or self.home / "calendars.toml"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Puts the `*_FILE` twins and the TOML file behind the environment."""
        del dotenv_settings, file_secret_settings
        return (init_settings, env_settings, _FileTwins(settings_cls), _TomlFile(settings_cls))


Role = TypeVar("Role", bound=Settings)


class _Values(PydanticBaseSettingsSource):
    """A source that hands over whatever of the model's fields it holds."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """Unused by `__call__`, demanded by the base class."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The values, by field name."""
        held = self.held()
        return {name: held[name] for name in self.settings_cls.model_fields if name in held}

    @abc.abstractmethod
    def held(self) -> Mapping[str, Any]:
        """All the values there are."""


class _FileTwins(_Values):
    """`MAINTENWORKS_DATABASE_URL_FILE=/run/secrets/url`: the file's text, one trailing newline dropped."""

    def held(self) -> Mapping[str, Any]:
        found = {}
        for name in self.settings_cls.model_fields:
            variable = f"{PREFIX}{name.upper()}_FILE"
            path = os.environ.get(variable)
            if path is None:
                continue
            try:
                found[name] = Path(path).read_text().removesuffix("\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "is not text"
                raise ConfigurationError([f"{variable}: {path}: {reason}; name a readable file"]) from error
        return found


class _TomlFile(_Values):
    """The file `MAINTENWORKS_CONFIG`; absent is fine unless it was named."""

    def held(self) -> Mapping[str, Any]:
        named = os.environ.get(f"{PREFIX}CONFIG")
        path = Path(named or "./maintenworks.toml")
        try:
            return tomllib.loads(path.read_text())
        except FileNotFoundError:
            if named is None:
                return {}
            raise ConfigurationError([f"{PREFIX}CONFIG: {path}: no such file"]) from None
        except (OSError, ValueError, RecursionError) as error:  # no UTF-8, no TOML, or nothing that Python bears
            raise ConfigurationError([f"{path}: {error}"]) from error


def load(settings: type[Role], **overrides: Any) -> Role:
    """Builds a role's settings from flags, environment and file.

    Args:
        settings: the role's settings class.
        overrides: values given on the command line; None counts as not given.

    Raises:
        ConfigurationError: with every problem, each naming the variable and the mend.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return settings(**given)
    except ValidationError as error:
        problems = [f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        raise ConfigurationError(problems) from None
