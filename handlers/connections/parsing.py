"""The text of `connections.toml` into connections, with every mistake at once."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from handlers.connections.connection import Connection, Endpoint
from handlers.connections.endpoint import read_endpoint
from handlers.connections.entry import read_connection
from handlers.connections.fields import Fields, kind_of
from handlers.connections.problems import Problems
from handlers.errors import ConfigurationError
from handlers.sources import Source

CONNECTIONS: Final = "connections"
ENDPOINTS: Final = "endpoints"
_ONE_OF: Final[Mapping[str, str]] = {CONNECTIONS: "a connection", ENDPOINTS: "an endpoint"}

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""An id is a piece of an address, a file's name and a label, unescaped in all three."""

_RESERVED: Final = "unknown"
"""The metrics' label for whatever is no connection."""

_SYNTAX: Final = re.compile(r"(.*) \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)")


class Entries(NamedTuple):
    """What a registry has, each by its name and in the file's order."""

    connections: Mapping[str, Connection]
    endpoints: Mapping[str, Endpoint]


def parse(text: str, name: str, sources: Mapping[str, Source]) -> Entries:
    """Reads a registry.

    Args:
        text: of the file; a byte order mark is none of it.
        name: the file, as the messages call it.
        sources: all there are, by name.

    Returns:
        The connections and the endpoints.

    Raises:
        ConfigurationError: one line a problem, `FILE:LINE: connections.ID.FIELD: what is wrong; how to mend it`. A
            value is quoted only where it cannot be a secret.
    """
    root = read_toml(text, name)
    problems = Problems(name, text)
    entries = _entries(root, problems, sources)
    if problems.told():
        raise ConfigurationError(problems.told())
    return entries


def read_toml(text: str, name: str) -> dict[str, Any]:
    """A file's TOML.

    Raises:
        ConfigurationError: it is none; says on which line.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([_syntax_problem(str(error), name, text)]) from None
    except ValueError:  # CPython reads no integer of more than 4,300 digits, and does not say where one stands
        raise ConfigurationError([f"{name}:1: has a number of thousands of digits; no field takes one"]) from None
    except RecursionError:
        raise ConfigurationError([f"{name}:1: is nested too deeply; its tables are of one level"]) from None


def _syntax_problem(message: str, name: str, text: str) -> str:
    match = _SYNTAX.fullmatch(message)
    what = match[1] if match else message
    line = match[2] if match and match[2] else str(text.count("\n") + 1)
    column = f"column {match[3]}" if match and match[3] else "end of file"
    if " twice" in what:
        return f"{name}:{line}: {what}; a name may be used once, so rename one or join the two"
    return f"{name}:{line}: {column}: {what}; mend the TOML there"


def _entries(root: Mapping[str, Any], problems: Problems, sources: Mapping[str, Source]) -> Entries:
    top = Fields(root, (), problems)
    top.only((CONNECTIONS, ENDPOINTS))
    endpoints = {name: read_endpoint(name, fields, sources) for name, fields in _tables(top, ENDPOINTS, problems)}
    read = {
        name: read_connection(name, fields, sources, endpoints) for name, fields in _tables(top, CONNECTIONS, problems)
    }
    for name in endpoints.keys() & read.keys():
        top.wrong(CONNECTIONS, "is an endpoint's name too; rename one of the two", name)
    connections = {name: connection for name, connection in read.items() if connection is not None}
    _told_apart(connections.values(), top)
    return Entries(connections, {name: each for name, each in endpoints.items() if each is not None})


def _tables(top: Fields, kind: str, problems: Problems) -> Iterator[tuple[str, Fields]]:
    """The tables of one kind by their names, those left out whose name is none."""
    for name, values in top.any(kind, dict, or_else={}).items():
        if not _ID.fullmatch(name) or name == _RESERVED:
            mend = f"use up to 64 letters, digits and . _ -, a letter or digit first, and not {_RESERVED}"
            top.wrong(kind, f"is no id for {_ONE_OF[kind]}; {mend}", name)
        elif not isinstance(values, dict):
            top.wrong(kind, f"is {kind_of(values)}; write [{kind}.{name}]", name)
        else:
            yield name, Fields(values, (kind, name), problems)


def _told_apart(connections: Iterable[Connection], top: Fields) -> None:
    """Notes each connection that an endpoint could not tell from one before it."""
    owners: dict[tuple[str | None, str | None], str] = {}
    for each in connections:
        owner = owners.setdefault((each.endpoint, each.external_id), each.id)
        if each.endpoint is not None and each.external_id is not None and owner != each.id:
            message = f"is the one of {owner} at {each.endpoint} already; each connection there has its own"
            top.wrong(CONNECTIONS, message, each.id, "external_id")
