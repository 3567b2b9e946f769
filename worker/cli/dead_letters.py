"""`dead-letters`: what could not be applied, and what an operator does about it."""

import itertools
from datetime import UTC, datetime
from typing import Annotated

import typer

from handlers.errors import ConfigurationError
from handlers.store import read_letters
from handlers.store.dead_letters import OPEN
from handlers.store.read_candidates import candidates
from handlers.store.read_letter_groups import GROUPS, groups
from handlers.store.read_letters import Wanted
from worker import acts
from worker.cli import acting, dead_letters_edit, dead_letters_replay, dead_letters_shown, looking, output
from worker.cli import dead_letters_given as asked
from worker.cli.roles import Home
from worker.shapes import letters as shapes

Group = Annotated[str | None, typer.Option("--by", metavar="|".join(GROUPS), help="Print groups of one of these.")]
Letter = Annotated[str, typer.Argument(metavar="ID", help="A letter as `list` names it, or a delivery's id.")]

commands = typer.Typer(help="What could not be applied, and what to do about it.", no_args_is_help=True)
commands.command("replay")(dead_letters_replay.replay)
commands.command("edit")(dead_letters_edit.edit)


@commands.command("list")
@asked.filtered()
def list_(
    *,
    wanted: Wanted,
    by: Group = None,
    limit: looking.Limit = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print dead letters, those that came first first; open ones unless told otherwise.

    Example: `maintenworks dead-letters list --by fingerprint`

    Example: `maintenworks dead-letters list --connection acme --error missing_field --json`
    """
    if by is not None and by not in GROUPS:
        raise ConfigurationError([f"--by: one of {', '.join(GROUPS)}; not {by!r}"])
    with looking.opened(home) as (_, database):
        if by is not None:
            found_groups = groups(database, wanted, by)[:limit]
            count = len(found_groups)
            if as_json:
                looking.json_lines(shapes.group(one, by) for one in found_groups)
            else:
                dead_letters_shown.in_groups(found_groups, by)
        else:
            found = itertools.islice(read_letters.listed(database, wanted), limit)
            if as_json:
                count = looking.json_lines(map(shapes.described, found))
            else:
                count = looking.rows(dead_letters_shown.COLUMNS, map(dead_letters_shown.line, found))
    if count == 0:
        looking.nothing("no such dead letter")


@commands.command()
def show(id_: Letter, home: Home = None, as_json: looking.Json = False) -> None:
    """Print all that is known of a dead letter: where it failed, every attempt, what became of it, its payload.

    Example: `maintenworks dead-letters show 0199a3c4-7d52-7a10-9c3e-5b1f0c6d2e44/3`
    """
    count = 0
    wanted = Wanted(keys=(asked.key(id_),), state=None)
    with looking.opened(home) as (_, database):
        for letter in read_letters.listed(database, wanted):
            count += 1
            told = (letter, read_letters.fate(database, letter), read_letters.payload(database, letter))
            if as_json:
                output.json_line(shapes.whole(*told))
            else:
                dead_letters_shown.tell(*told)
    if count == 0:
        looking.nothing(f"{id_}: no such dead letter")


@commands.command()
@asked.filtered()
def export(
    *,
    wanted: Wanted,
    home: Home = None,
) -> None:
    """Write dead letters as JSON lines, each with its bytes as base64.

    Example: `maintenworks dead-letters export --connection acme > letters.jsonl`
    """
    with looking.opened(home) as (_, database):
        count = looking.json_lines(
            shapes.exported(letter, read_letters.payload(database, letter))
            for letter in read_letters.listed(database, wanted)
        )
    if count == 0:
        looking.nothing("no such dead letter")


@commands.command()
@asked.filtered("state")
def discard(
    *,
    wanted: Wanted,
    reason: acting.Reason = None,
    who: acting.By = None,
    dry_run: asked.DryRun = False,
    yes: asked.Yes = False,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Give open dead letters up for good: they stay, with their bytes, and are never applied.

    Example: `maintenworks dead-letters discard --id 0199a3c4-7d52-7a10-9c3e-5b1f0c6d2e44/3 --reason "test data"`
    """
    filters = asked.filters(wanted)
    if filters.keys() <= {"state"}:
        raise typer.BadParameter("name at least one filter; nothing brings a discarded letter back")
    with looking.opened(home) as (_, database):
        letters = list(candidates(database, wanted))
        open_ones = [each.key for each in letters if each.state == OPEN and each.key is not None]
        if not open_ones:
            looking.nothing("no such open dead letter")
        if dry_run:
            _discarded(len(open_ones), len(letters), dry_run=True, as_json=as_json)
            return
        operator = acting.operator(who, reason)
        asked.agreed(f"Discard {len(open_ones)} letters for good?", yes=yes)
        gone = acts.discard(database, open_ones, filters, operator, _now())
    _discarded(len(gone), len(letters), dry_run=False, as_json=as_json)
    if len(gone) < len(letters):
        raise typer.Exit(output.PARTLY)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(commands, name="dead-letters", rich_help_panel="Operating")


def _discarded(gone: int, matched: int, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        output.json_line({"matched": matched, "discarded": 0 if dry_run else gone, "open": gone if dry_run else 0})
    elif dry_run:
        output.line(f"{gone} of {matched} letters would be discarded")
    else:
        output.line(f"{gone} of {matched} letters discarded")


def _now() -> datetime:
    return datetime.now(UTC)
