"""What commands that look at assets are given: over which time, by which calendar."""

from typing import Annotated

import typer

from handlers.rules.period import FORMS
from worker import windows
from worker.windows import Asked, looker

__all__ = ["AsOf", "Asked", "ByCalendar", "Of", "RollUp", "Since", "Until", "asked", "looker"]

Since = Annotated[str | None, typer.Option("--from", metavar="T", help="Start of the window: a date or a time.")]
Until = Annotated[str | None, typer.Option("--to", metavar="T", help="Its end, itself excluded.")]
Of = Annotated[str | None, typer.Option("--period", metavar="P", help=f"{FORMS}, cut where each site is.")]
AsOf = Annotated[
    str | None, typer.Option(metavar="T", help="Cut everything there; now otherwise. All known facts count.")
]
ByCalendar = Annotated[
    bool, typer.Option("--calendar", help="Required time is operating time, of assets with a calendar.")
]
RollUp = Annotated[
    bool, typer.Option("--roll-up", help="With everything below it: an asset is down while any of that is.")
]


def asked(since: str | None, until: str | None, period: str | None, as_of: str | None) -> Asked:
    """The time that options name; see `worker.windows.asked`.

    Raises:
        ConfigurationError: they name more than one, or something that is no time.
        typer.BadParameter: they name none.
    """
    if period is None and (since is None or until is None):
        raise typer.BadParameter("give it with --to, or a --period such as 2026-10", param_hint="--from")
    return windows.asked(since, until, period, as_of)
