"""`report close` and `report reopen`: what was published of a period, kept so that later facts show as a difference."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Annotated

import typer

from handlers.errors import MaintenworksError
from handlers.events import Json
from handlers.rules.reporting import ASSET, AssetSums, whole
from handlers.rules.times import kept_instant
from handlers.store import snapshots
from handlers.store.audit import append
from handlers.store.engine import Database
from handlers.store.reading import Held
from handlers.store.rowset import Transaction
from handlers.store.snapshots import Closing
from worker.acts import Operator
from worker.cli import acting, given, looking, output
from worker.cli import report_given as asked
from worker.cli.roles import Home
from worker.report.making import Wanted, read

COLUMNS = ("connection", "period", "closed at", "time zone", "who", "reason", "reopened at")

Period = Annotated[str, typer.Option("--period", metavar="P", help="YYYY, YYYY-MM, YYYY-Qn or YYYY-Wnn.")]


def close(
    *,
    period: Period,
    time_zone: asked.Zone = None,
    connection: looking.Of = None,
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Keep what a period came to, as it is known now, for each connection that has assets.

    Later facts about it are taken in as ever, and a report of the period then says what they changed. The period must
    be over, and closed for none of the connections.

    Example: `maintenworks report close --period 2026-10 --reason "monthly report sent"`
    """
    operator = acting.operator(who, reason)
    of, now = asked.period(period), datetime.now(UTC)
    with ExitStack() as stack:
        settings, database = stack.enter_context(looking.opened(home))
        answer = (of, ASSET, now, asked.zone(time_zone))
        wanted, _ = asked.wanted(database, given.registry(settings).all(), connection, answer)
        with database.read() as plain, output.progress("reading", None) as advance:
            assets = [each.sums for each in read(Held(plain), wanted, advance)]
        if not assets:
            looking.nothing(f"no asset of {connection or 'any connection'}")
        unfinished = max(each.until for each in assets)
        if unfinished > now:
            raise MaintenworksError(f"{of.label} is not over until {kept_instant(unfinished)}, so it cannot be closed")
        closed = _keep(database, wanted, assets, operator)
    _tell(closed, as_json=as_json)


def reopen(
    *,
    period: Period,
    connection: looking.Of = None,
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
) -> None:
    """Open a closed period again: reports are no longer compared with what was published, which stays kept.

    Example: `maintenworks report reopen --period 2026-10 --reason "two stops were booked to the wrong pump"`
    """
    operator = acting.operator(who, reason)
    of, now = asked.period(period), datetime.now(UTC)
    with looking.opened(home) as (_, database):
        found = sorted({each.connection for each in snapshots.closings(database) if _stands(each, of.label)})
        chosen = [each for each in found if connection in {None, each}]
        if chosen:
            with database.write() as plain:
                tx = Transaction(plain)
                opened = snapshots.reopen(tx, of.label, chosen, now)
                told: dict[str, Json] = {"period": of.label, "connections": list(opened)}
                append(tx, operator.did("report.reopen", told, {"reopened": len(opened)}), now)
    if not chosen:
        looking.nothing(f"{of.label} is not closed for {connection or 'any connection'}")
    for each in chosen:
        output.note(f"{of.label} is open again for {each}")


def closed(home: Home = None, as_json: looking.Json = False) -> None:
    """Print every closing there ever was, with who closed the period and whether it was opened again.

    Example: `maintenworks report closed`
    """
    with looking.opened(home) as (_, database):
        found = list(snapshots.closings(database))
    if not found:
        looking.nothing("no period was ever closed")
    _tell(found, as_json=as_json)


def register(commands: typer.Typer) -> None:
    """Adds the commands."""
    commands.command()(close)
    commands.command()(reopen)
    commands.command()(closed)


def _keep(database: Database, wanted: Wanted, assets: Sequence[AssetSums], operator: Operator) -> list[Closing]:
    """Keeps the snapshots and the row of the audit log in one transaction."""
    period, now = wanted.period.label, wanted.as_of
    closings = [
        Closing(
            connection=each,
            period=period,
            computed_at=now,
            time_zone=wanted.time_zone,
            who=operator.who,
            reason=operator.reason,
        )
        for each in sorted({asset.connection for asset in assets})
    ]
    with database.write() as plain:
        tx = Transaction(plain)
        for closing in closings:
            snapshots.keep(tx, closing, [each for each in assets if each.connection == closing.connection])
        told: dict[str, Json] = {"period": period, "connections": [each.connection for each in closings]}
        figures = whole(assets)
        outcome: dict[str, Json] = {"assets": figures.assets, "computed_at": kept_instant(now)}
        append(tx, operator.did("report.close", told, outcome), now)
    return closings


def _stands(closing: Closing, period: str) -> bool:
    return closing.period == period and closing.reopened_at is None


def _tell(closings: Sequence[Closing], *, as_json: bool) -> None:
    if as_json:
        looking.json_lines(_printed(each) for each in closings)
    else:
        rows = [
            (each.connection, each.period, each.computed_at, each.time_zone, each.who, each.reason, each.reopened_at)
            for each in closings
        ]
        looking.rows(COLUMNS, rows)


def _printed(closing: Closing) -> dict[str, object]:
    return {
        "connection": closing.connection,
        "period": closing.period,
        "computed_at": kept_instant(closing.computed_at),
        "time_zone": closing.time_zone,
        "who": closing.who,
        "reason": closing.reason,
        "reopened_at": None if closing.reopened_at is None else kept_instant(closing.reopened_at),
    }
