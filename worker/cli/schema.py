"""`schema`: the JSON Schema of a kind of record."""

from typing import Annotated

import orjson
import typer

from handlers.errors import ConfigurationError
from handlers.model import MODELS
from handlers.rules.schemas import schema as schema_of
from worker.cli import output
from worker.shapes.kinds import KINDS


def schema(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help=f"{', '.join(KINDS)}; without one they are listed.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="On one line; of the list, a line a kind.")] = False,
) -> None:
    """Print the JSON Schema (draft 2020-12) of a record as `get KIND KEY --json` prints it.

    Every member is always there, null where nobody has stated it. On input, `<name>_key` serves for `<name>_ref`.

    Example: `maintenworks schema purchase-orders | jq '."$defs".Line.properties | keys'`
    """
    if kind is None:
        _list(as_json=as_json)
        return
    wanted = KINDS.get(kind, kind)
    if wanted not in MODELS:
        raise ConfigurationError([f"KIND: one of {', '.join(KINDS)}; not {kind!r}"])
    if as_json:
        output.json_line(schema_of(wanted))
        return
    for line in orjson.dumps(schema_of(wanted), option=orjson.OPT_INDENT_2).decode().splitlines():
        output.line(line)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Looking")(schema)


def _list(*, as_json: bool) -> None:
    rows = [(name, kind, " ".join(schema_of(kind)["description"].split())) for name, kind in KINDS.items()]
    if as_json:
        for name, kind, description in rows:
            output.json_line({"name": name, "kind": kind, "description": description})
        return
    output.table(("name", "kind", "what it is"), rows)
