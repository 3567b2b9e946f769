"""`uptime`: availability, down time, failures, MTBF and MTTR, by asset, site or customer."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer
from msgspec.structs import replace

from handlers.connections import Connection
from handlers.errors import ConfigurationError
from handlers.rules.figures import Figures, pool
from handlers.rules.times import kept_instant
from handlers.store.engine import Database
from handlers.store.read_spans import Window
from handlers.store.read_uptime import AssetFigures, asset_figures, connections_with_assets, data_as_of
from worker.cli import given, looking, output
from worker.cli.roles import Home

SANDBOX = "sandbox"
ASSET, SITE, CUSTOMER = "asset", "site", "customer"
NAMED = {ASSET: "asset_key", SITE: "site", CUSTOMER: "customer"}
"""What a row is about, by `--by`."""
COLUMNS = (
    "availability",
    "unplanned only",
    "required h",
    "down h",
    "planned h",
    "failures",
    "reported",
    "open",
    "MTBF h",
    "MTTR h",
)
VARIANTS = "MTBF: uptime / failures, > its 90 % lower bound without any; MTTR: unplanned down time / failures"
"""Printed beside the figures: six public formulas give five values for one timeline (`reference/kpi.md`, 0.1)."""


class Row(msgspec.Struct, frozen=True):
    """Figures with what they are about.

    Attributes:
        name: of the asset, site or customer; None for assets whose site nobody said.
        connection: whose they are; None where a customer's come from several.
        observed_from: when the first known fact about any of it happened.
        data_as_of: when the newest fact of the connection happened; of several, of the one that is furthest behind.
        figures: the sums.
    """

    name: str | None
    connection: str | None
    observed_from: datetime | None
    data_as_of: datetime | None
    figures: Figures


def uptime(
    asset: Annotated[str | None, typer.Argument(metavar="ASSET", help="Key of one asset; all otherwise.")] = None,
    *,
    since: Annotated[str, typer.Option("--from", metavar="T", help="Start of the window: a date or a time.")],
    until: Annotated[str, typer.Option("--to", metavar="T", help="Its end, itself excluded.")],
    as_of: Annotated[
        str | None, typer.Option(metavar="T", help="Cut everything there; now otherwise. All known facts count.")
    ] = None,
    connection: looking.Of = None,
    by: Annotated[str, typer.Option(metavar="asset|site|customer", help="What a line is about.")] = ASSET,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print availability, down time, failures, MTBF and MTTR of a window.

    Overlapping down time counts once. Dates are midnights UTC. Every asset that anything was ever said about has a
    line. A sandbox connection counts only when it is named.

    Example: `maintenworks uptime --from 2026-03-01 --to 2026-04-01`

    Example: `maintenworks uptime PUMP-7 --connection acme --from 2026-01-01 --to 2027-01-01 --as-of 2026-07-05 --json`
    """
    if by not in NAMED:
        raise ConfigurationError([f"--by: one of {', '.join(NAMED)}; not {by!r}"])
    looking.bounds(since, until, ("--from", "--to"))
    cut = datetime.now(UTC) if as_of is None else looking.moment(as_of, "--as-of")
    window = Window(looking.moment(since, "--from"), looking.moment(until, "--to"), cut)
    with looking.opened(home) as (settings, database):
        known = given.registry(settings).all()
        counted, left_out = _counted(database, known, connection)
        newest = data_as_of(database, counted)
        assets = (held for each in counted for held in asset_figures(database, each, window, asset))
        found = _rows(assets, newest, known, by)
        if as_json:
            count = looking.json_lines(_printed(row, by, window) for row in found)
        else:
            count = looking.rows(("connection", by, *COLUMNS), map(_line, found), right=COLUMNS)
    if count == 0:
        hint = f"; sandbox connections count only when named: --connection {left_out[0]}" if left_out else ""
        looking.nothing(f"no asset{'' if asset is None else f' {asset!r}'} of {connection or 'any connection'}{hint}")
    if not as_json:
        output.note(f"{since} to {until}, as of {kept_instant(cut)}; {VARIANTS}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Looking")(uptime)


def _counted(database: Database, known: Mapping[str, Connection], named: str | None) -> tuple[list[str], list[str]]:
    """The connections whose assets count, and the sandboxes that do not."""
    if named is not None:
        return [named], []
    every = connections_with_assets(database)
    sandboxes = [each for each in every if each in known and known[each].environment == SANDBOX]
    return [each for each in every if each not in sandboxes], sandboxes


def _rows(
    assets: Iterable[AssetFigures], newest: Mapping[str, datetime], known: Mapping[str, Connection], by: str
) -> Iterator[Row]:
    """The rows, streamed where each is one asset; sites are told apart by connection, customers are not."""
    pools: dict[tuple[str | None, str | None], Row] = {}
    for held in assets:
        row = Row(held.asset, held.connection, held.observed_from, newest.get(held.connection), held.figures)
        if by == ASSET:
            yield row
            continue
        connection = known.get(held.connection)
        customer = held.connection if connection is None else connection.customer
        group = (held.connection, held.site) if by == SITE else (None, customer)
        row = replace(row, name=group[1])
        pools[group] = _joined(pools[group], row) if group in pools else row
    yield from pools.values()


def _joined(one: Row, other: Row) -> Row:
    starts = [each.observed_from for each in (one, other) if each.observed_from is not None]
    ends = [each.data_as_of for each in (one, other) if each.data_as_of is not None]
    return Row(
        name=one.name,
        connection=one.connection if one.connection == other.connection else None,
        observed_from=min(starts, default=None),
        data_as_of=min(ends, default=None),
        figures=pool((one.figures, other.figures)),
    )


def _printed(row: Row, by: str, window: Window) -> dict[str, Any]:
    """A row under the contract's names (section 6)."""
    return {
        NAMED[by]: row.name,
        "connection": row.connection,
        "from": kept_instant(window.since),
        "to": kept_instant(window.until),
        "as_of": kept_instant(window.as_of),
        "observed_from": None if row.observed_from is None else kept_instant(row.observed_from),
        "data_as_of": None if row.data_as_of is None else kept_instant(row.data_as_of),
        **row.figures.row(),
    }


def _line(row: Row) -> tuple[object, ...]:
    """A row for people: ratios as percentages, times in hours."""
    figures = row.figures
    told = figures.row()
    bound = figures.mtbf_lower_bound_s
    return (
        row.connection,
        row.name,
        _percent(figures.availability),
        _percent(figures.availability_unplanned),
        _hours(told["required_s"]),
        _hours(told["downtime_s"]),
        _hours(told["planned_downtime_s"]),
        figures.failures_effective,
        figures.failures_reported,
        figures.open_downtimes,
        _hours(figures.mtbf_s) if bound is None else f"> {_hours(bound)}",
        _hours(figures.mttr_s),
    )


def _percent(ratio: float | None) -> str | None:
    return None if ratio is None else f"{ratio:.3%}"


def _hours(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds / 3600:,.2f}"
