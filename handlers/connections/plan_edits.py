"""What the command line does to `pm_plans.toml`: comments stay, and nothing bad is written."""

import contextlib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError

from handlers.connections.document import Document
from handlers.connections.files import locked, replace
from handlers.connections.plan_file import parse_plans
from handlers.errors import ConfigurationError

PLANS: Final = "plans"
_GIVEN: Final = "plan"


def add_plan(path: Path, name: str, fields: Mapping[str, Any]) -> None:
    """Adds a plan at the end of the file.

    Args:
        path: `pm_plans.toml`; made, 0600, if need be.
        name: of its table: the plan's key, unless `fields` has another.
        fields: what the table shall say, as TOML's values; None counts as not given.

    Raises:
        ConfigurationError: the name is taken, or the file would be bad with it; nothing is written then.
    """
    given = {key: value for key, value in fields.items() if value is not None}
    trial = Document("")
    trial.append(name, given, PLANS)
    try:
        parse_plans(trial.text, _GIVEN)
    except ConfigurationError as error:  # the lines are of no file that anybody could look at
        raise ConfigurationError([problem.split(": ", maxsplit=1)[-1] for problem in error.problems]) from None
    with _editing(path) as text:
        document = Document(text)
        if name in document.tables(PLANS):
            raise ConfigurationError([f"{path}: plans.{name}: is there already; remove it first, or edit the file"])
        document.append(name, given, PLANS)
        if not document.is_sound():
            raise _beyond_reach(path)
        _keep(path, document.text)


def remove_plan(path: Path, name: str) -> None:
    """Removes a plan; what upstream states of it stays.

    Raises:
        ConfigurationError: there is no such table, or the file is bad; nothing is written then.
    """
    with _editing(path) as text:
        left = tomllib.loads(text)
        if name not in left.get(PLANS, {}):
            raise ConfigurationError([f"{path}: plans.{name}: is not there; see `maintenworks pm plan`"])
        del left[PLANS][name]
        try:
            document = tomlkit.parse(text)
            tables: Any = document[PLANS]
            del tables[name]
            edited = tomlkit.dumps(document)
        except (TOMLKitError, AttributeError, TypeError, ValueError) as error:
            raise _beyond_reach(path) from error
        said = tomllib.loads(edited)
        if said.get(PLANS, {}) != left[PLANS]:
            raise _beyond_reach(path)
        _keep(path, edited)


@contextlib.contextmanager
def _editing(path: Path) -> Iterator[str]:
    with locked(path):
        try:
            text = path.read_text()
        except FileNotFoundError:
            text = ""
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            raise ConfigurationError([f"{path}: {reason}; make it a readable text"]) from error
        parse_plans(text, str(path))
        yield text


def _keep(path: Path, text: str) -> None:
    parse_plans(text, str(path))
    replace(path, text.encode())


def _beyond_reach(path: Path) -> ConfigurationError:
    return ConfigurationError([f"{path}: is laid out in a way that cannot be edited by program; edit it by hand"])
