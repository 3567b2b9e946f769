"""`routes`: what handles what, as the shelves say."""

from typing import Annotated

import typer

from handlers import effects, sources
from worker.cli import output


def routes(
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines: a source or an event type each.")] = False,
) -> None:
    """Print which sources are read and which effects each event type has.

    A type that is not listed is kept and ends as `ignored`.

    Example: `maintenworks routes --json | grep downtime`
    """
    shelf = sources.load()
    handled = {
        kind: [effect.name for effect in effects.load() if kind in effect.types]
        for kind in sorted(frozenset().union(*(effect.types for effect in effects.load())))
    }
    if as_json:
        for source in shelf.values():
            output.json_line({"source": source.name, "default_scheme": source.default_scheme})
        for kind, names in handled.items():
            output.json_line({"type": kind, "effects": names})
        return
    output.table(("source", "default scheme"), [(source.name, source.default_scheme) for source in shelf.values()])
    output.table(("event type", "effects"), [(kind, ", ".join(names)) for kind, names in handled.items()])


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Looking")(routes)
