"""A closed period is kept as it was published, and later facts about it show as a difference."""

from typing import Any

from tests.worker.cli.plant import Plant, event
from tests.worker.report.outline import Outline

HOUR = 3600
MARCH = ("--period", "2025-03")


def _stop(key: str, asset: str, start: str, end: str) -> list[dict[str, Any]]:
    return [event("downtime.started", key, start, asset_key=asset), event("downtime.ended", key, end)]


def _fill(plant: Plant) -> None:
    plant.send(
        event("asset.created", "P-1", "2025-01-01T00:00:00Z", site_key="NORTH", category="pump"),
        event("asset.created", "P-2", "2025-01-01T00:00:00Z", site_key="SOUTH"),
        *_stop("D-1", "P-1", "2025-03-02T00:00:00Z", "2025-03-02T06:00:00Z"),
    )


def _close(plant: Plant, *more: str) -> None:
    done = plant.run("report", "close", *MARCH, "--reason", "sent to acme", "--by", "ada", *more)
    assert done.code == 0, done.said


def test_a_late_fact_restates_what_was_published_and_nothing_else(plant: Plant) -> None:
    _fill(plant)
    _close(plant)
    stands = plant.run("report", *MARCH, "--by", "site", "--json").rows
    plant.send(*_stop("D-2", "P-1", "2025-03-05T00:00:00Z", "2025-03-05T02:00:00Z"))
    plant.send(*_stop("D-3", "P-2", "2025-04-05T00:00:00Z", "2025-04-05T02:00:00Z"))

    north, south = plant.run("report", *MARCH, "--by", "site", "--json").rows
    cause = plant.run("report", *MARCH, "--by", "cause", "--json").row

    assert [row["restated"] for row in stands] == [False, False]
    assert (north["restated"], south["restated"], south["published"]) == (True, False, {})
    assert north["closed_at"] == south["closed_at"] == stands[0]["closed_at"]
    assert (north["downtime_s"], north["published"]["downtime_s"]) == (8 * HOUR, 6 * HOUR)
    assert north["difference"]["downtime_s"] == 2 * HOUR
    assert (north["published"]["failures_effective"], north["difference"]["failures_effective"]) == (1, 1)
    assert "required_s" not in north["published"]
    assert (cause["restated"], cause["published"]["downtime_s"]) == (True, 6 * HOUR)


def test_the_page_and_the_table_say_what_was_restated(local: Plant) -> None:
    _fill(local)
    _close(local)
    local.send(*_stop("D-2", "P-1", "2025-03-05T00:00:00Z", "2025-03-05T02:00:00Z"))

    local.run("report", *MARCH, "--by", "site", "--html", str(local.home / "page.html"))
    printed = local.run("report", *MARCH, "--by", "site")
    comma = local.run("report", *MARCH, "--by", "site", "--csv").out.splitlines()

    page = Outline((local.home / "page.html").read_text())
    assert page.headings[:3] == ["Availability report 2025-03 by site", "All together", "Restated"]
    assert page.tables[0][0] == ["Site", "As published", "As known now", "Difference"]
    assert ["NORTH: Down", "6.00 h", "8.00 h", "+2.00 h"] in page.tables[0]
    assert ["all together: Failures", "1", "2", "+1"] in page.tables[0]
    assert "SOUTH" not in str(page.tables[0])
    assert "Down +2.00 h; " in printed.out.splitlines()[1]
    assert printed.out.splitlines()[2].endswith(" no")
    assert "by ada: sent to acme" in printed.said
    assert "Restated: 1 of 2 rows are not as published" in printed.said
    assert comma[0].split(",").count("downtime_s_published") == 1
    assert ",yes," in comma[1]


def test_a_stop_still_open_at_the_closing_restates_nothing_when_it_ends_later(local: Plant) -> None:
    local.send(event("downtime.started", "D-1", "2025-03-20T00:00:00Z", asset_key="P-1"))
    _close(local)
    local.send(event("downtime.ended", "D-1", "2025-05-01T00:00:00Z"))

    row = local.run("report", *MARCH, "--json").row

    assert (row["open_downtimes"], row["restated"]) == (0, False)


def test_an_asset_first_heard_of_later_and_one_that_moved_are_differences_too(local: Plant) -> None:
    _fill(local)
    _close(local)
    local.send(
        event("asset.updated", "P-2", "2025-05-01T00:00:00Z", site_key="WEST"),
        event("asset.created", "P-3", "2025-03-01T00:00:00Z", site_key="NORTH"),
    )

    sites = {row["site"]: row for row in local.run("report", *MARCH, "--by", "site", "--json").rows}
    local.run("report", *MARCH, "--by", "site", "--html", str(local.home / "page.html"))

    assert sites["NORTH"]["difference"]["required_s"] == 31 * 24 * HOUR
    assert (sites["WEST"]["restated"], sites["WEST"]["published"]["required_s"]) == (True, None)
    page = Outline((local.home / "page.html").read_text())
    assert ["SOUTH (no longer there): Required", "744.00 h", "-", "-"] in page.tables[0]


def test_a_period_is_closed_once_and_opened_again_with_a_reason_each(plant: Plant) -> None:
    _fill(plant)
    unsaid = plant.run("report", "close", *MARCH)
    _close(plant)

    again = plant.run("report", "close", *MARCH, "--reason", "again")
    opened = plant.run("report", "reopen", *MARCH, "--reason", "wrong pump", "--by", "bob")
    twice = plant.run("report", "reopen", *MARCH, "--reason", "wrong pump")
    free = plant.run("report", *MARCH, "--json").rows
    _close(plant)

    assert (unsaid.code, again.code, opened.code, twice.code) == (2, 1, 0, 4)
    assert "2025-03 is closed for plant" in again.said
    assert {row["restated"] for row in free} == {None}
    closings = plant.run("report", "closed", "--json").rows
    assert [(each["connection"], each["who"], each["reopened_at"] is None) for each in closings] == [
        ("plant", "ada", False),
        ("plant", "ada", True),
    ]
    log = plant.run("audit", "list", "--json").rows
    assert [(each["act"], each["who"]) for each in log] == [
        ("report.close", "ada"),
        ("report.reopen", "bob"),
        ("report.close", "ada"),
    ]
    assert log[0]["plan"] == {"period": "2025-03", "connections": ["plant"]}
    assert plant.run("audit", "verify").code == 0


def test_a_period_that_is_not_over_cannot_be_closed(local: Plant) -> None:
    _fill(local)

    done = local.run("report", "close", "--period", "9998", "--reason", "early")

    assert (done.code, "9998 is not over until 9999-01-01" in done.said) == (1, True)
    assert local.run("report", "closed").code == 4


def test_one_connection_may_be_closed_alone_and_what_mixes_it_with_others_is_not_compared(local: Plant) -> None:
    _fill(local)
    local.send(event("asset.created", "Q-1", "2025-01-01T00:00:00Z"), to="second")
    _close(local, "--connection", "plant")

    assets = local.run("report", *MARCH, "--json").rows
    customer = local.run("report", *MARCH, "--by", "customer", "--json").row
    second = local.run("report", "close", *MARCH, "--connection", "second", "--reason", "the rest")
    both = local.run("report", *MARCH, "--by", "customer", "--json").row

    assert {row["asset_key"]: row["restated"] for row in assets} == {"P-1": False, "P-2": False, "Q-1": None}
    assert (customer["restated"], second.code, both["restated"]) == (None, 0, False)


def test_other_zones_and_an_earlier_as_of_are_not_compared_and_say_so(local: Plant) -> None:
    _fill(local)
    _close(local)

    elsewhere = local.run("report", *MARCH, "--time-zone", "Asia/Tokyo")
    before = local.run("report", *MARCH, "--as-of", "2025-04-02")

    assert "and this report in Asia/Tokyo: not compared" in elsewhere.said
    assert "is later than the as-of time of this report: not compared" in before.said
    assert "restated" not in elsewhere.out + before.out


def test_a_rebuild_leaves_closed_periods_alone(local: Plant) -> None:
    _fill(local)
    _close(local)

    assert local.run("rebuild").code == 0

    assert {row["restated"] for row in local.run("report", *MARCH, "--json").rows} == {False}
