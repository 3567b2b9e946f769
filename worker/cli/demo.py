"""`demo`: everything at work, on simulated plants, with the balance at the end."""

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from handlers.errors import ServiceUnreachableError
from worker.address import embedded_socket
from worker.cli import output
from worker.demo.play import LEAST_EVENTS, Result, play

DEFAULT_EVENTS: Final = 20_000
"""Some half minute on two cores."""
DEFAULT_SEED: Final = 7
_FOLDER_PREFIX: Final = "maintenworks-demo-"


def demo(
    *,
    events: Annotated[int, typer.Option(min=LEAST_EVENTS, help="How many different events happen.")] = DEFAULT_EVENTS,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the home folder and say where it is.")] = False,
    seed: Annotated[int, typer.Option(help="Another one, other plants.")] = DEFAULT_SEED,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show everything at work: three simulated plants post signed webhooks to a real `up` in a fresh folder.

    Their systems sign in three ways, post at once, try again, send a fifth twice, and much out of order; some bodies
    are broken, some signatures forged. At the end every event is accounted for, and the availability found is compared
    with the one simulated. Exits 1 where one was lost, or the figures differ. Ctrl-C ends the sending early.

    Example: `maintenworks demo`

    Example: `maintenworks demo --events 2000 --json | jq .lost`
    """
    home = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX))
    output.note("starting broker, receiver, worker, scheduler and console in a fresh folder")
    try:
        result = play(home, events, seed)
    finally:
        if not keep:
            _remove(home)
    if as_json:
        output.json_line(_as_json(result) | ({"home": home} if keep else {}))
    else:
        _tell(result)
        if keep:
            output.line(f"home          {home} (look around: maintenworks get work-orders --home {home})")
    if not result.good:
        raise typer.Exit(output.FAILURE)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Running")(demo)


def _remove(home: Path) -> None:
    """Deletes everything; the broker's socket has a folder of its own where the home's path is long."""
    with contextlib.suppress(ServiceUnreachableError):
        folder = embedded_socket(home).parent
        if folder != home:
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def _as_json(result: Result) -> dict[str, Any]:
    comparison = result.comparison
    figures = None
    if comparison is not None:
        figures = {
            "assets": comparison.assets,
            "found": comparison.found,
            "simulated": comparison.simulated,
            "greatest_difference": comparison.greatest_difference,
            "failures_found": comparison.failures_found,
            "failures_simulated": comparison.failures_simulated,
        }
    return {
        **result.balance._asdict(),
        "posted": result.posted,
        "refused": result.refused,
        "believed": result.believed,
        "failed": dict(result.failed),
        "availability": figures,
        "seconds": round(result.seconds, 3),
    }


def _tell(result: Result) -> None:
    held = result.balance
    output.line(
        f"balance       {held.accepted:,} events accepted = {held.applied:,} applied + {held.stale:,} stale"
        f" + {held.ignored:,} ignored + {held.duplicates:,} duplicates + {held.dead_letters:,} dead letters"
        f" + {held.lost:,} lost"
    )
    failed = "".join(f", {count:,} ended with {what}" for what, count in result.failed.items())
    believed = f", {result.believed:,} forged ones BELIEVED" if result.believed else ""
    output.line(
        f"posts         {result.posted:,} in {result.seconds:.1f} s; {result.refused:,} with a bad signature refused"
        f"{believed}{failed}"
    )
    found = result.comparison
    if found is None:
        output.line("availability  not compared, since it was ended early")
        return
    verdict = "agrees" if found.agrees else "DIFFERS"
    available = "none" if found.found is None else f"{found.found:.6%}"
    output.line(
        f"availability  {available} found, {found.simulated:.6%} simulated; {found.failures_found:,} failures found,"
        f" {found.failures_simulated:,} simulated: {verdict} on {found.assets:,} assets"
        f" (greatest difference {found.greatest_difference:.1e})"
    )
