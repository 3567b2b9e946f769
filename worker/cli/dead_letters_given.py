"""What the commands about dead letters are given: which letters, and how fast."""

import functools
import inspect
import re
import sys
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from handlers.errors import ConfigurationError
from handlers.store.dead_letters import OPEN, STATES
from handlers.store.read_letters import Wanted
from worker.cli import looking, output
from worker.shapes.letters import filters, key

__all__ = [
    "ALL",
    "DryRun",
    "Error",
    "Fingerprint",
    "Ids",
    "Since",
    "State",
    "Type",
    "Until",
    "Yes",
    "agreed",
    "filtered",
    "filters",
    "key",
    "rate",
    "wanted",
]

ALL: Final = "all"
_RATE: Final = re.compile(r"([1-9][0-9]{0,5}) ?(?:/ ?s)?")

Type = Annotated[str | None, typer.Option("--type", help="Of events that say they are of this type.")]
Error = Annotated[str | None, typer.Option("--error", metavar="CODE", help="Of this error, such as missing_field.")]
Fingerprint = Annotated[
    str | None, typer.Option("--fingerprint", help="Of this cause, as `dead-letters list --by fingerprint` names it.")
]
Since = Annotated[str | None, typer.Option("--since", metavar="T", help="Buried from a date or a time on.")]
Until = Annotated[str | None, typer.Option("--until", metavar="T", help="Buried before.")]
Ids = Annotated[
    list[str] | None, typer.Option("--id", metavar="ID", help="This one, or all of a delivery; may be given again.")
]
State = Annotated[str | None, typer.Option("--state", metavar="|".join((*STATES, ALL)), help="In this state.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first; off a terminal nothing is asked.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")]


def wanted(
    *,
    connection: looking.Of = None,
    type_: Type = None,
    error: Error = None,
    fingerprint: Fingerprint = None,
    since: Since = None,
    until: Until = None,
    ids: Ids = None,
    state: State = None,
) -> Wanted:
    """Which letters are wanted; open ones, unless a state or single letters are named.

    Its parameters are the filters that commands take (`filtered`).

    Raises:
        ConfigurationError: a time or a state is none.
    """
    if state is not None and state not in {*STATES, ALL}:
        raise ConfigurationError([f"--state: one of {', '.join((*STATES, ALL))}; not {state!r}"])
    start, end = looking.bounds(since, until, ("--since", "--until"))
    keys = tuple(map(key, ids)) if ids else None
    default = OPEN if keys is None else None
    return Wanted(
        connection=connection,
        type=type_,
        code=error,
        fingerprint=fingerprint,
        since=start,
        until=end,
        keys=keys,
        state=default if state is None else (None if state == ALL else state),
    )


def filtered(*left_out: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the filters as options of its own, and itself what they select, as its argument `wanted`.

    Args:
        left_out: parameters of `wanted` that the command does not offer.
    """
    filters = {name: each for name, each in inspect.signature(wanted).parameters.items() if name not in left_out}

    def offered(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: Any) -> None:
            selected = wanted(**{name: given.pop(name) for name in filters})
            command(wanted=selected, **given)

        others = dict(inspect.signature(command).parameters)
        del others["wanted"]
        parameters = [*filters.values(), *others.values()]
        # What typer reads the options from.
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # no part of a function's type
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return run

    return offered


def rate(text: str) -> int:
    """Letters a second, written `50/s` or `50`.

    Raises:
        typer.BadParameter: it is none.
    """
    match = _RATE.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter("write it like 50/s", param_hint="--rate")
    return int(match[1])


def agreed(question: str, *, yes: bool) -> None:
    """Asks on a terminal before something is done.

    Raises:
        typer.Exit: the answer is no.
    """
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if not typer.confirm(question, err=True):
        output.note("nothing was done")
        raise typer.Exit(output.FAILURE)
