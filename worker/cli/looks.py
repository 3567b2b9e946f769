"""What commands that look at assets are given: over which time, by which calendar."""

from typing import Annotated

import typer

from handlers.rules.period import FORMS
from worker.windows import Asked, asked, looker

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
