"""`assets link`, and what it does to figures and history: one pump told by two systems is one pump."""

from typing import Any

import pytest

from handlers.store.audit import entries
from tests.worker.cli.plant import Plant, event

DAY = ("--from", "2026-03-01", "--to", "2026-03-02")
WHY = ("--reason", "same pump", "--by", "anna")


@pytest.fixture
def two(plant: Plant) -> Plant:
    """A pump that stood from 8 to 12: one system saw it from 8 to 10, the other from 9:30 to 12, each as a failure."""
    _stop(plant, ("plant", "PUMP-1"), "08:00", "10:00")
    _stop(plant, ("second", "10000123"), "09:30", "12:00")
    return plant


def _stop(plant: Plant, asset: tuple[str, str], start: str, end: str, key: str = "D-1", **more: bool) -> None:
    connection, name = asset
    plant.send(
        event("asset.created", name, "00:00", f"{name} is there"),
        event("downtime.started", key, start, f"{key} {name} starts", asset_key=name, **more),
        event("downtime.ended", key, end, f"{key} {name} ends"),
        to=connection,
    )


def _figures(plant: Plant, *arguments: str) -> dict[tuple[str, str], tuple[float, int]]:
    """By connection and asset: hours down and effective failures of the day."""
    rows = plant.run("uptime", *arguments, *DAY, "--json").rows
    return {
        (row["connection"], row["asset_key"]): (row["downtime_s"] / 3600, row["failures_effective"]) for row in rows
    }


def test_linked_assets_are_one_row_whose_down_time_and_failures_count_once(two: Plant) -> None:
    assert _figures(two) == {("plant", "PUMP-1"): (2, 1), ("second", "10000123"): (2.5, 1)}

    done = two.run("assets", "link", "PUMP-1@plant", "10000123@second", *WHY)

    assert done.code == 0
    assert _figures(two) == {("plant", "PUMP-1"): (4, 1)}
    assert _figures(two, "10000123") == {("second", "10000123"): (4, 1)}
    assert _figures(two, "--connection", "second") == {("second", "10000123"): (4, 1)}
    row = two.run("uptime", "PUMP-1", *DAY, "--json").row
    assert row["linked"] == [{"connection": "second", "asset_key": "10000123"}]
    [customer] = two.run("uptime", *DAY, "--by", "customer", "--json").rows
    assert (customer["required_s"], customer["downtime_s"]) == (24 * 3600, 4 * 3600)
    assert two.run("uptime", "PUMP-1", *DAY, "--json").row["failures_reported"] == 2


def test_what_two_systems_call_the_same_stays_two_stops(local: Plant) -> None:
    """Spells of one record fail once; two intervals of one key, of two systems, are two."""
    _stop(local, ("plant", "PUMP-1"), "08:00", "09:00")
    _stop(local, ("second", "10000123"), "11:00", "12:00")

    local.run("assets", "link", "PUMP-1@plant", "10000123@second", *WHY)

    assert _figures(local) == {("plant", "PUMP-1"): (2, 2)}


def test_an_outage_that_one_system_leads_on_where_the_other_ends_falls_where_it_started(local: Plant) -> None:
    """Given two planned stops over midnight, and a failure begun in the second; then it falls on the first day."""
    _stop(local, ("plant", "PUMP-1"), "2026-03-01T23:00:00Z", "2026-03-02T01:00:00Z", planned=True)
    _stop(local, ("second", "10000123"), "2026-03-02T00:30:00Z", "2026-03-02T04:00:00Z", planned=True)
    _stop(local, ("plant", "PUMP-1"), "2026-03-02T03:00:00Z", "2026-03-02T06:00:00Z", "D-2")
    local.run("assets", "link", "PUMP-1@plant", "10000123@second", *WHY)

    days = [
        local.run("uptime", "PUMP-1", "--from", f"2026-03-0{day}", "--to", f"2026-03-0{day + 1}", "--json").row
        for day in (1, 2)
    ]

    assert [(day["downtime_s"] / 3600, day["failures_effective"]) for day in days] == [(1, 1), (6, 0)]


def test_links_are_listed_undone_and_audited(two: Plant) -> None:
    _stop(two, ("second", "third-name"), "13:00", "14:00", "D-3")
    two.run("assets", "link", "PUMP-1@plant", "10000123@second", *WHY)
    two.run("assets", "link", "third-name@second", "PUMP-1@plant", *WHY)
    assert _figures(two) == {("second", "third-name"): (5, 2)}
    listed = two.run("assets", "list-links", "--json").rows
    assert [(row["asset_key"], row["to_connection"], row["to_asset_key"]) for row in listed] == [
        ("PUMP-1", "second", "third-name"),
        ("10000123", "second", "third-name"),
    ]

    assert two.run("assets", "unlink", "third-name@second", *WHY).code == 0
    assert _figures(two) == {("plant", "PUMP-1"): (4, 1), ("second", "third-name"): (1, 1)}
    assert two.run("assets", "unlink", "10000123@second", *WHY).code == 0
    assert len(_figures(two)) == 3
    assert two.run("assets", "list-links").code == 4

    acts = [(act.who, act.act, act.reason, act.plan, act.outcome) for act in entries(two.database)]
    assert acts[0] == (
        "anna",
        "assets.link",
        "same pump",
        {"assets": ["PUMP-1@plant", "10000123@second"]},
        {"counted_as": "PUMP-1@plant"},
    )
    assert acts[2][1:] == (
        "assets.unlink",
        "same pump",
        {"asset": "third-name@second"},
        {"left": ["PUMP-1@plant", "10000123@second"]},
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("link", "PUMP-1@plant", "10000123@second"), 2, "say why"),
        (("link", "PUMP-1", "10000123@second", *WHY), 2, "KEY@CONNECTION"),
        (("link", "PUMP-1@plant", "PUMP-1@plant", *WHY), 2, "itself"),
        (("link", "PUMP-1@plant", "typo@second", *WHY), 1, "nothing is known of asset typo@second"),
        (("link", "PUMP-1@plant", "PUMP-1@trial", *WHY), 2, "never mixed"),
        (("unlink", "PUMP-1@plant", *WHY), 4, "linked to nothing"),
    ],
)
def test_what_cannot_be_linked_is_refused_and_leaves_no_trace(
    local: Plant, arguments: tuple[str, ...], code: int, said: str
) -> None:
    for connection, asset in (("plant", "PUMP-1"), ("second", "10000123"), ("trial", "PUMP-1")):
        local.send(event("asset.created", asset, "08:00", "a"), to=connection)

    done = local.run("assets", *arguments)

    assert (done.code, said in done.said) == (code, True)
    assert list(entries(local.database)) == []
    assert local.run("assets", "list-links").code == 4


def test_one_again_is_nothing_to_do(two: Plant) -> None:
    two.run("assets", "link", "PUMP-1@plant", "10000123@second", *WHY)

    assert two.run("assets", "link", "10000123@second", "PUMP-1@plant", *WHY).code == 4
    assert len(list(entries(two.database))) == 1


def _tree(plant: Plant, **more: Any) -> None:
    """A line of two pumps, one of which moves to another line at noon; it stands at 8 and at 14, each for an hour."""
    plant.send(
        event("asset.created", "LINE-1", "00:00", "l1"),
        event("asset.created", "LINE-2", "00:00", "l2"),
        event("asset.created", "PUMP-1", "00:00", "p1", parent_key="LINE-1"),
        event("asset.created", "PUMP-2", "00:00", "p2", parent_key="LINE-1"),
        event("asset.updated", "PUMP-2", "12:00", "p2 moves", parent_key="LINE-2"),
        event("downtime.started", "A", "08:00", "a1", asset_key="PUMP-2"),
        event("downtime.ended", "A", "09:00", "a2"),
        event("downtime.started", "B", "08:30", "b1", asset_key="PUMP-1"),
        event("downtime.ended", "B", "09:30", "b2"),
        event("downtime.started", "C", "11:30", "c1", asset_key="PUMP-2"),
        event("downtime.ended", "C", "12:30", "c2"),
        **more,
    )


def test_rolled_up_an_asset_is_down_while_anything_is_that_belonged_to_it_then(plant: Plant) -> None:
    _tree(plant)
    own = {
        ("plant", "LINE-1"): (0, 0),
        ("plant", "LINE-2"): (0, 0),
        ("plant", "PUMP-1"): (1, 1),
        ("plant", "PUMP-2"): (2, 2),
    }
    assert _figures(plant) == own

    assert _figures(plant, "--roll-up") == {**own, ("plant", "LINE-1"): (2, 2), ("plant", "LINE-2"): (0.5, 0)}
    assert plant.run("uptime", "LINE-1", "--roll-up", *DAY, "--json").row["roll_up"].startswith("series")
    assert "rolled up in series" in plant.run("uptime", "LINE-1", "--roll-up", *DAY).said


def test_what_is_linked_brings_what_is_below_it(local: Plant) -> None:
    _tree(local)
    local.send(
        event("asset.created", "SITE", "00:00", "s"),
        event("asset.created", "VALVE", "00:00", "v", parent_key="SITE"),
        event("downtime.started", "V", "20:00", "v1", asset_key="VALVE"),
        event("downtime.ended", "V", "21:00", "v2"),
        to="second",
    )
    local.run("assets", "link", "LINE-1@plant", "SITE@second", *WHY)

    assert _figures(local, "LINE-1", "--roll-up") == {("plant", "LINE-1"): (3, 3)}


def test_rolling_up_sites_is_refused(local: Plant) -> None:
    done = local.run("uptime", "--roll-up", "--by", "site", *DAY)

    assert (done.code, "twice" in done.said) == (2, True)
