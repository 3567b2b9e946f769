"""Ten thousand real events, posted as signed webhooks to a running `up`, come to the figures worked out elsewhere."""

import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from tests.journeys.installation import Installation, installation
from tests.servers import PostgresServer
from tests.worker.cli.plant import SAMPLES

ORACLES = json.loads((SAMPLES / "oracles.json").read_text())
LANL = (SAMPLES / "lanl_s20.jsonl").read_bytes().splitlines()
EXCAVATORS = (SAMPLES / "excavators.jsonl").read_bytes().splitlines()
YEAR = ("--from", "2004-01-01", "--to", "2005-01-01")
JULY = "2004-07-05T00:00:00Z"
HOUR = 3600.0


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """An `up` on each database; each test sends over a connection of its own."""
    if request.param == "sqlite":
        with installation() as fresh:
            yield from _up(fresh)
    else:
        server: PostgresServer = request.getfixturevalue("postgres_session")
        with server.database("real_streams") as url, installation(MAINTENWORKS_DATABASE_URL=url) as fresh:
            yield from _up(fresh)


def _up(fresh: Installation) -> Iterator[Installation]:
    for name in ("outages", "withheld", "excavators"):
        fresh.connect(name)
    with fresh.up():
        yield fresh


def _send(running: Installation, connection: str, lines: Sequence[bytes], seed: int) -> None:
    """Posts lines shuffled, a fifth of them twice, and waits until they are worked on."""
    dice = random.Random(seed)
    told = [*lines, *dice.sample(lines, len(lines) // 5)]
    dice.shuffle(told)
    (sender,) = (sender for sender in running.senders if sender.connection == connection)
    sender.deliver(told)
    assert len(sender.accepted) == len(told)
    running.settle(sender)


def _counted(running: Installation, connection: str, outcome: str) -> float:
    return running.metric("maintenworks_events_processed_total", connection=connection, outcome=outcome)


def _total(rows: Sequence[dict[str, Any]], name: str) -> float:
    return math.fsum(row[name] for row in rows)


def test_the_outages_of_a_fleet_give_its_figures_in_2004(running: Installation) -> None:
    _send(running, "outages", LANL, seed=20)

    rows = running.run("uptime", "--connection", "outages", *YEAR, "--json").rows

    fleet = ORACLES["lanl_s20"]["fleet"]
    assert len(rows) == fleet["assets_with_any_record"]
    assert _total(rows, "failures_effective") == fleet["effective"] == 440
    assert _total(rows, "failures_reported") == fleet["reported"]
    assert _total(rows, "downtime_s") / HOUR == pytest.approx(fleet["downtime_h"])
    by_asset = {row["asset_key"]: row for row in rows}
    for asset, oracle in ORACLES["lanl_s20"]["per_asset"].items():
        row = by_asset[asset]
        assert row["availability"] == pytest.approx(oracle["availability"])
        for name in ("downtime", "uptime", "mtbf", "mttr"):
            assert row[f"{name}_s"] / HOUR == pytest.approx(oracle[f"{name}_h"])
        assert (row["failures_effective"], row["failures_reported"]) == (oracle["effective"], oracle["reported"])
    ended = Counter({outcome: _counted(running, "outages", outcome) for outcome in ("applied", "stale", "duplicate")})
    assert ended["applied"] + ended["stale"] == len(LANL)
    assert ended["duplicate"] == len(LANL) // 5


def test_as_of_july_with_later_facts_withheld_one_outage_is_open(running: Installation) -> None:
    known = [line for line in LANL if json.loads(line)["occurred_at"] <= JULY]
    _send(running, "withheld", known, seed=7)

    rows = running.run("uptime", "--connection", "withheld", *YEAR, "--as-of", JULY, "--json").rows

    assert _total(rows, "failures_effective") == 278
    assert _total(rows, "downtime_s") / HOUR == pytest.approx(434.0833, abs=1e-4)
    assert _total(rows, "open_downtimes") == 1


def test_ten_years_of_work_orders_give_their_counts_and_costs(running: Installation) -> None:
    _send(running, "excavators", EXCAVATORS, seed=5)

    rows = running.run("get", "work-orders", "--connection", "excavators", "--json").rows

    oracle = ORACLES["excavators"]
    costs: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        cost = row["costs"]["total"]["actual"]
        assert cost["currency"] == "AUD"
        costs[row["asset_ref"]["key"]] += Decimal(cost["amount"])
    assert len(rows) == oracle["rows"]
    assert Counter(f"{row['asset_ref']['key']}/{row['type_source']}" for row in rows) == oracle["by_asset_type"]
    assert {asset: float(cost) for asset, cost in costs.items()} == oracle["cost_aud"]
