"""Who acts, and why: what every command is asked that goes into the audit log."""

import getpass
import os
from typing import Annotated

import typer

from worker.acts import Operator

Reason = Annotated[str | None, typer.Option("--reason", help="Why, for the audit log.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who, for the audit log; you otherwise.")]


def operator(who: str | None, reason: str | None, otherwise: str | None = None) -> Operator:
    """Who acts, and why.

    Args:
        who: as given; None for the user whose shell this is.
        reason: as given.
        otherwise: the reason where none is given; None demands one.

    Raises:
        typer.BadParameter: no reason is given.
    """
    told = (reason or "").strip() or otherwise
    if told is None:
        raise typer.BadParameter("say why, it goes into the audit log", param_hint="--reason")
    return Operator(_text(who or _user()), _text(told))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def _text(given: str) -> str:
    """Text that every database takes, whatever bytes the shell handed over."""
    return given.replace("\0", "").encode(errors="replace").decode()
