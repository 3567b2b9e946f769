"""What the page says of sites is what the commands print of them; however many sites there are, few have a series."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.connections import Registry
from handlers.connections.plan_file import NAME as PLAN_FILE
from handlers.connections.zones import zones_of
from handlers.rules.times import kept_instant
from handlers.store import kept_gauges
from tests.worker.cli.plant import Plant, event
from tests.worker.cli.test_pm import tell as tell_of_plans
from worker.console import readings
from worker.console.readings import KEPT
from worker.occurrences import Looks, PlanFile
from worker.site_gauges import LONGEST, MOST_SITES, OTHER, STATUSES, UNKNOWN, WINDOWS, SiteGauges

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
AS_OF = ("--as-of", kept_instant(NOW), "--json")
SUMMED = ("required_s", "uptime_s", "unplanned_downtime_s", "failures_effective")
Samples = dict[str, dict[tuple[str, ...], float]]


def _at(**ago: float) -> str:
    return kept_instant(NOW - timedelta(**ago))


def _stop(key: str, asset: str, ago: float, hours: float | None, **data: Any) -> Iterator[dict[str, Any]]:
    yield event("downtime.started", key, _at(days=ago), asset_key=asset, **data)
    if hours is not None:
        yield event("downtime.ended", key, _at(days=ago, hours=-hours))


def _tell(plant: Plant) -> None:
    """Stops of the last day, week, month and of before; orders in every stage, late by a moment, a day, by nothing."""
    tell_of_plans(plant)
    for connection in ("plant", "second", "trial"):
        plant.send(
            *(event("asset.created", f"A-{each}", "2026-01-01T00:00:00Z", site_key="SOUTH") for each in range(3)),
            event("asset.created", "GONE", "2026-01-01T00:00:00Z", site_key="SOUTH"),
            event("asset.created", "ENDED", "2026-01-01T00:00:00Z", site_key="SOUTH", decommissioned_date="2026-03-01"),
            event("asset.deleted", "GONE", "2026-03-01T00:00:00Z"),
            *_stop("D1", "A-0", 0.5, 3),
            *_stop("D2", "A-0", 5, 7, planned=True),
            *_stop("D3", "A-1", 20, 11),
            *_stop("D4", "A-1", 100, 24),
            *_stop("D5", "A-2", 0.25, None),
            *_stop("D6", "ENDED", 50, None),
            *_stop("D7", "PUMP-1", 31, 48),
            *_stop("D8", "NOWHERE", 3, 5),
            event("work_order.created", "O1", _at(days=9), status="approved", asset_key="A-0", due_at=_at(minutes=1)),
            event("work_order.created", "O2", _at(days=9), status="scheduled", site_key="NORTH", due_date="2026-03-19"),
            event(
                "work_order.created", "O3", _at(days=9), status="in_progress", site_key="NORTH", due_date="2026-03-20"
            ),
            event(
                "work_order.created", "O4", _at(days=9), status="on_hold", asset_key="NOWHERE", due_date="2026-01-02"
            ),
            event("work_order.created", "O5", _at(days=9), status="completed", site_key="NORTH", due_date="2026-01-02"),
            event("work_order.created", "O6", _at(days=9), site_key="NORTH"),
            event("work_order.created", "O7", _at(days=9), status="approved", site_key="NORTH", due_date="2026-01-02"),
            event("work_order.deleted", "O7", _at(days=8)),
            to=connection,
        )


def _reckoned(plant: Plant) -> Samples:
    """A run of both of the leader's ticks, and what it has kept."""
    registry = Registry(plant.home / "connections.toml", plant.home)
    file = PlanFile(plant.home / PLAN_FILE)
    Looks(plant.database, file.plans, lambda: zones_of(registry.all()), lambda: NOW).rounds.round()
    SiteGauges(plant.database, registry.all, lambda: NOW).rounds.round()
    families, taken_at = kept_gauges.kept(plant.database)
    assert taken_at == NOW
    return {name: {tuple(labels): value for labels, value in samples} for name, samples in families.items()}


def _told(plant: Plant, *command: str) -> list[dict[str, Any]]:
    return plant.run(*command, *AS_OF).rows


def _named(row: Mapping[str, Any]) -> str:
    return row["site"] or UNKNOWN


def test_the_gauges_of_sites_are_what_the_commands_print(plant: Plant) -> None:
    _tell(plant)
    found = _reckoned(plant)

    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for window, length in WINDOWS.items():
        ends = ("--from", kept_instant(NOW - length), "--to", kept_instant(NOW))
        for row in _told(plant, "uptime", *ends, "--by", "site"):
            sums[_named(row), window].update({name: row[name] for name in SUMMED})
    assert found["asset_availability_ratio"] == {
        key: pytest.approx(each["uptime_s"] / each["required_s"]) for key, each in sums.items()
    }
    month = {site: each for (site, window), each in sums.items() if window == LONGEST and each["failures_effective"]}
    assert found["mtbf_seconds"] == {
        (site,): pytest.approx(each["uptime_s"] / each["failures_effective"]) for site, each in month.items()
    }
    assert found["mttr_seconds"] == {
        (site,): pytest.approx(each["unplanned_downtime_s"] / each["failures_effective"])
        for site, each in month.items()
    }

    groups = Counter((row["group"], row["site"] or UNKNOWN) for row in _told(plant, "today"))
    sites = {"NORTH", "SOUTH", UNKNOWN}
    assert found["assets_down"] == {(site,): groups["down", site] for site in sites}
    assert found["work_orders_overdue"] == {(site,): groups["overdue", site] for site in sites}
    due = Counter(_named(row) for row in _told(plant, "pm", "due") if row["state"] == "overdue")
    assert found["pm_overdue"] == {(site,): due[site] for site in sites}
    ends = ("--from", kept_instant(NOW - WINDOWS[LONGEST]), "--to", kept_instant(NOW))
    (row,) = _told(plant, "pm", "compliance", *ends, "--rule", "plan")
    assert found["pm_compliance_ratio"] == {("NORTH",): row["on_time"] / row["due"]}
    assert found["assets"] == {("NORTH",): 1, ("SOUTH",): 6, (UNKNOWN,): 3}
    orders = {key: value for key, value in found["work_orders"].items() if value}
    assert orders == {
        ("approved", "SOUTH"): 2,
        ("scheduled", "NORTH"): 2,
        ("in_progress", "NORTH"): 2,
        ("on_hold", UNKNOWN): 2,
        ("completed", "NORTH"): 2,
        (UNKNOWN, "NORTH"): 2,
        ("completed", UNKNOWN): 2,
    }
    assert len(found["work_orders"]) == len(STATUSES) * len(sites)


def test_linked_assets_are_one_that_stands_once(local: Plant) -> None:
    for connection in ("plant", "second"):
        local.send(
            event("asset.created", "A", "2026-01-01T00:00:00Z", site_key="NORTH"),
            *_stop("D", "A", 1, None),
            to=connection,
        )
    local.run("assets", "link", "A@plant", "A@second", "--reason", "same pump")
    found = _reckoned(local)
    assert (found["assets"], found["assets_down"]) == ({("NORTH",): 1}, {("NORTH",): 1})


def test_however_many_sites_there_are_few_have_a_series_and_none_is_left_out(local: Plant) -> None:
    many = MOST_SITES + 30
    local.send(
        *(
            event("asset.created", f"A-{site}-{number}", _at(days=1), site_key=f"S-{site:03}")
            for site in range(many)
            for number in range(2 if site % 2 else 1)
        )
    )
    found = _reckoned(local)
    assert len(found["assets"]) == MOST_SITES + 1
    assert sum(found["assets"].values()) == many + many // 2
    own = {site for (site,) in found["assets"]} - {OTHER}
    assert {f"S-{site:03}" for site in range(many) if site % 2} <= own, "those with the most assets"
    assert {site for _, site in found["work_orders"]} == {*own, OTHER}


def test_the_page_shows_what_was_kept_last_and_when(local: Plant) -> None:
    local.send(event("asset.created", "A", "2026-01-01T00:00:00Z", site_key="NORTH"))
    nothing = list(readings.kept(lambda: kept_gauges.kept(local.database)).collect())
    assert [family.samples for family in nothing] == [[]] * (len(KEPT) + 1)
    _reckoned(local)
    found = {each.name: each for each in readings.kept(lambda: kept_gauges.kept(local.database)).collect()}
    for name, (_, labels) in KEPT.items():
        assert all(set(sample.labels) == set(labels) for sample in found[f"maintenworks_{name}"].samples)
    assert [s.value for s in found["maintenworks_assets"].samples] == [1]
    assert [s.value for s in found["maintenworks_site_gauges_timestamp_seconds"].samples] == [NOW.timestamp()]
