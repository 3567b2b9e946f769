"""`dead-letters edit`: a corrected copy in the place of what could not be applied."""

import os
import shlex
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from handlers.errors import ConfigurationError, MaintenworksError
from handlers.store import read_letters
from handlers.store.dead_letters import OPEN
from handlers.store.engine import Database
from handlers.store.read_deliveries import delivery
from handlers.store.read_letters import KeptLetter
from worker import acts
from worker.cli import acting, given, looking, output
from worker.cli import dead_letters_given as asked
from worker.cli.roles import Home

EDITOR = "vi"
"""Where neither VISUAL nor EDITOR says otherwise, as POSIX has it."""

Letter = Annotated[str, typer.Argument(metavar="ID", help="A letter as `dead-letters list` names it.")]
File = Annotated[
    str | None, typer.Argument(metavar="[FILE]", help="The corrected bytes, - for standard input; else $EDITOR.")
]


def edit(
    id_: Letter,
    file: File = None,
    *,
    reason: acting.Reason = None,
    who: acting.By = None,
    dry_run: asked.DryRun = False,
    yes: asked.Yes = False,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Correct what a dead letter holds: prints the difference, then sends the corrected copy on its way.

    The copy is a delivery of its own, whose verdict says who edited it; the original stays as it came, and is never
    applied.

    Example: `maintenworks dead-letters edit 0199a3c4-7d52-7a10-9c3e-5b1f0c6d2e44/3 mended.json --reason "typing error"`
    """
    with looking.opened(home) as (_, database):
        letter = _one(database, id_)
        original, before = delivery(database, letter.delivery_id), read_letters.payload(database, letter)
        if original is None or before is None:
            looking.nothing(f"{letter.name}: its bytes are no longer kept")
        after = _edited(before) if file is None else given.body(file)
        if after.strip() == before.strip():  # an editor's last line end is no change
            raise MaintenworksError(f"{letter.name}: nothing was changed")
        if not dry_run:
            operator = acting.operator(who, reason)
        lines = acts.diff(before, after, (letter.name, "edited"))
        if not as_json:
            looking.each(lines or ["(white space only)"], output.line)
        if dry_run:
            if as_json:
                output.json_line({"letter": letter.name, "edited_into": None, "diff": lines})
            return
        asked.agreed(f"Put this in the place of {letter.name}?", yes=yes)
        copy = acts.edit(database, letter, original, after, operator=operator, now=datetime.now(UTC))
    if as_json:
        output.json_line({"letter": letter.name, "edited_into": copy.delivery_id, "diff": lines})
    else:
        output.line(f"{letter.name} is superseded by delivery {copy.delivery_id}, which is on its way")


def _one(database: Database, id_: str) -> KeptLetter:
    """The one open letter of that name."""
    found = list(read_letters.listed(database, read_letters.Wanted(keys=(asked.key(id_),), state=None)))
    if not found:
        looking.nothing(f"{id_}: no such dead letter")
    open_ones = [letter for letter in found if letter.state == OPEN]
    if len(open_ones) > 1:
        names = ", ".join(letter.name for letter in open_ones)
        raise ConfigurationError([f"{id_}: several letters are open there; name one: {names}"])
    if not open_ones:
        raise MaintenworksError(f"{found[0].name}: it is {found[0].state}; only an open letter can be edited")
    return open_ones[0]


def _edited(before: bytes) -> bytes:
    """What the operator's editor made of some bytes; the file is theirs alone and gone afterwards."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("name a file with the corrected bytes, or - for standard input")
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or EDITOR)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "letter.json"
        path.touch(mode=0o600)
        path.write_bytes(before)
        ended = subprocess.run([*command, str(path)], check=False)  # noqa: S603  # the operator's own editor
        if ended.returncode != 0:
            raise MaintenworksError(f"{command[0]} ended with code {ended.returncode}; nothing was done")
        return path.read_bytes()
