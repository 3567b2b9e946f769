"""What the commands about dead letters are given: which letters, who acts and why, and how fast."""

import getpass
import os
import re
import sys
from typing import Annotated, Final

import typer

from handlers.errors import ConfigurationError
from handlers.events import WHOLE_BODY, Json
from handlers.rules.times import kept_instant
from handlers.store.dead_letters import OPEN, STATES
from handlers.store.read_letters import BODY, Wanted
from worker.acts import Operator
from worker.cli import looking, output

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
Reason = Annotated[str | None, typer.Option("--reason", help="Why, for the audit log.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who, for the audit log; you otherwise.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first; off a terminal nothing is asked.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")]


def wanted(
    *,
    connection: str | None,
    type_: str | None,
    error: str | None,
    fingerprint: str | None,
    since: str | None,
    until: str | None,
    ids: list[str] | None,
    state: str | None,
) -> Wanted:
    """Which letters are wanted; open ones, unless a state or single letters are named.

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


def key(text: str) -> tuple[str, int | None]:
    """A letter's name, `DELIVERY/3` or `DELIVERY/body`; a delivery's id alone stands for all its letters."""
    delivery, slash, place = text.rpartition("/")
    if slash and place == BODY:
        return delivery, WHOLE_BODY
    if slash and place.isdecimal():
        return delivery, int(place)
    return text, None


def filters(asked: Wanted) -> dict[str, Json]:
    """The filters that were given, for the record."""
    told: dict[str, Json] = {
        "connection": asked.connection,
        "type": asked.type,
        "error": asked.code,
        "fingerprint": asked.fingerprint,
        "since": None if asked.since is None else kept_instant(asked.since),
        "until": None if asked.until is None else kept_instant(asked.until),
        "ids": None
        if asked.keys is None
        else [f"{name}/{index}" if index is not None else name for name, index in asked.keys],
        "state": asked.state,
    }
    return {name: value for name, value in told.items() if value is not None}


def operator(who: str | None, reason: str | None) -> Operator:
    """Who acts, and why.

    Raises:
        typer.BadParameter: no reason is given.
    """
    if reason is None or not reason.strip():
        raise typer.BadParameter("say why, it goes into the audit log", param_hint="--reason")
    return Operator(_text(who or _user()), _text(reason.strip()))


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


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def _text(given: str) -> str:
    """Text that every database takes, whatever bytes the shell handed over."""
    return given.replace("\0", "").encode(errors="replace").decode()
