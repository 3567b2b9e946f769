"""Settings that every role shares: `MAINTENWORKS_*` variables, their `*_FILE` twins, and one TOML file.

Order of precedence: the environment, then `*_FILE`, then the file named by `MAINTENWORKS_CONFIG`
(default `./maintenworks.toml`), then the default. All errors are reported at once, each where it stands.
"""

import abc
import os
import tomllib
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from handlers.errors import ConfigurationError

PREFIX = "MAINTENWORKS_"
BROKER_SCHEMES = ("redis://", "rediss://", "unix://")
DATABASE_SCHEMES = ("sqlite:///", "postgresql://")
FOUND = "found_problems"
"""Handed to the sources among the values given: a list that takes what cannot be read, and is no setting."""


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
    max_body_bytes: int = Field(default=1024 * 1024, ge=1, le=64 * 1024 * 1024)
    backlog_limit_bytes: int = Field(default=1024 * 1024 * 1024, ge=1)
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
        assert isinstance(init_settings, InitSettingsSource)
        problems = init_settings.init_kwargs.pop(FOUND, [])
        return (init_settings, env_settings, _FileTwins(settings_cls, problems), _TomlFile(settings_cls, problems))


Role = TypeVar("Role", bound=Settings)


class _Values(PydanticBaseSettingsSource):
    """A source that hands over whatever of the model's fields it holds.

    Args:
        settings: the model.
        problems: takes what cannot be read, so that the others are still reported.
    """

    def __init__(self, settings: type[BaseSettings], problems: list[str]) -> None:
        super().__init__(settings)
        self._problems = problems

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
            variable = _twin(name)
            path = os.environ.get(variable)
            if path is None:
                continue
            try:
                found[name] = Path(path).read_text().removesuffix("\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "is not text"
                self._problems.append(f"{variable}: {path}: {reason}; name a readable file")
        return found


class _TomlFile(_Values):
    """The file `MAINTENWORKS_CONFIG`; absent is fine unless it was named."""

    def held(self) -> Mapping[str, Any]:
        path = _file()
        try:
            return tomllib.loads(path.read_text())
        except FileNotFoundError:
            if f"{PREFIX}CONFIG" in os.environ:
                self._problems.append(f"{PREFIX}CONFIG: {path}: no such file")
        except (OSError, ValueError, RecursionError) as error:  # no UTF-8, no TOML, or nothing that Python bears
            self._problems.append(f"{path}: {error}")
        return {}


def load(settings: type[Role], **overrides: Any) -> Role:
    """Builds a role's settings from flags, environment and file.

    Args:
        settings: the role's settings class.
        overrides: values given on the command line; None counts as not given.

    Raises:
        ConfigurationError: with every problem, each naming the variable, or the file and line, and the mend.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    problems: list[str] = []
    built = None
    try:
        built = settings(**{**given, FOUND: problems})
    except ValidationError as error:
        problems += [f"{_place(str(each['loc'][0]), given)}: {each['msg']}" for each in error.errors()]
    if built is None or problems:
        raise ConfigurationError(problems)
    return built


def _twin(name: str) -> str:
    return f"{PREFIX}{name.upper()}_FILE"


def _file() -> Path:
    return Path(os.environ.get(f"{PREFIX}CONFIG") or "./maintenworks.toml")


def _place(name: str, given: Container[str]) -> str:
    """Where a setting that was read, and is wrong, stands."""
    variable = f"{PREFIX}{name.upper()}"
    if name in given or any(each.upper() == variable for each in os.environ):
        return variable
    if _twin(name) in os.environ:
        return _twin(name)
    path = _file()
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.partition("=")[0].strip(" \t\"'") == name:
            return f"{path}:{number}: {name}"
    return f"{path}: {name}"
