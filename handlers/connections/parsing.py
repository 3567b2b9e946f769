"""The text of `connections.toml` into connections, with every mistake at once."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from handlers.connections.connection import Connection
from handlers.connections.entry import read_connection
from handlers.connections.fields import Fields, kind_of
from handlers.connections.problems import Problems
from handlers.errors import ConfigurationError
from handlers.sources import Source

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""An id is a piece of an address, a file's name and a label, unescaped in all three."""

_RESERVED: Final = "unknown"
"""The metrics' label for whatever is no connection."""

_SYNTAX: Final = re.compile(r"(.*) \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)")


def parse(text: str, name: str, sources: Mapping[str, Source]) -> dict[str, Connection]:
    """Reads a registry.

    Args:
        text: of the file; a byte order mark is none of it.
        name: the file, as the messages call it.
        sources: all there are, by name.

    Returns:
        The connections by their ids, in the file's order.

    Raises:
        ConfigurationError: one line a problem, `FILE:LINE: connections.ID.FIELD: what is wrong; how to mend it`. A
            value is quoted only where it cannot be a secret.
    """
    try:
        root = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([_syntax_problem(str(error), name, text)]) from None
    except RecursionError:
        raise ConfigurationError([f"{name}:1: is nested too deeply; connections are tables of one level"]) from None
    problems = Problems(name, text)
    connections = _connections(root, problems, sources)
    if problems.told():
        raise ConfigurationError(problems.told())
    return connections


def _syntax_problem(message: str, name: str, text: str) -> str:
    match = _SYNTAX.fullmatch(message)
    what = match[1] if match else message
    line = match[2] if match and match[2] else str(text.count("\n") + 1)
    column = f"column {match[3]}" if match and match[3] else "end of file"
    if " twice" in what:
        return f"{name}:{line}: {what}; a name may be used once, so rename one or join the two"
    return f"{name}:{line}: {column}: {what}; mend the TOML there"


def _connections(root: Mapping[str, Any], problems: Problems, sources: Mapping[str, Source]) -> dict[str, Connection]:
    top = Fields(root, (), problems)
    top.only(("connections", "endpoints"))
    connections = top.any("connections", dict, or_else={})
    for endpoint in top.any("endpoints", dict, or_else={}):
        top.wrong("endpoints", "shared endpoints come with a later version; give each connection its own", endpoint)
        if endpoint in connections:
            top.wrong("connections", "is an endpoint's name too; rename one of the two", endpoint)
    read = {}
    for connection_id, values in connections.items():
        if not _ID.fullmatch(connection_id) or connection_id == _RESERVED:
            mend = f"use up to 64 letters, digits and . _ -, a letter or digit first, and not {_RESERVED}"
            top.wrong("connections", f"is no id for a connection; {mend}", connection_id)
        elif not isinstance(values, dict):
            top.wrong("connections", f"is {kind_of(values)}; write [connections.{connection_id}]", connection_id)
        else:
            fields = Fields(values, ("connections", connection_id), problems)
            read[connection_id] = read_connection(connection_id, fields, sources)
    return {connection_id: connection for connection_id, connection in read.items() if connection is not None}
