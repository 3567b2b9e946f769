"""`report`: a period as rows, as CSV and as a page, in the zone of each site."""

import csv
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.worker.cli.plant import CONNECTIONS, Plant, event
from tests.worker.report.outline import Outline

HOUR = 3600
ZONED = CONNECTIONS.replace(
    'customer = "acme"', 'customer = "acme"\ntime_zone = "Europe/Berlin"\nsite_zones = { TOKYO = "Asia/Tokyo" }', 1
)
HOSTILE = "</text><script>alert(1)</script>\"'&{{7*7}}\u202egnp\x1b[31m"


@pytest.fixture
def zoned(tmp_path: Path) -> Any:
    """An installation whose sites are in two zones."""
    plant = Plant(tmp_path, f"sqlite:///{tmp_path / 'maintenworks.db'}", connections=ZONED)
    yield plant
    plant.database.close()


def _stop(key: str, asset: str, start: str, end: str, **data: Any) -> list[dict[str, Any]]:
    return [
        event("downtime.started", key, start, asset_key=asset, **data),
        event("downtime.ended", key, end),
    ]


def _page(plant: Plant, *arguments: str) -> str:
    done = plant.run("report", *arguments, "--html", str(plant.home / "report.html"))
    assert (done.code, done.out) == (0, ""), done.said
    return (plant.home / "report.html").read_text()


@pytest.mark.parametrize("words", [["--html"], ["--html", "-"]])
def test_a_page_of_no_path_is_printed_whatever_stands_behind_it(zoned: Plant, words: list[str]) -> None:
    zoned.send(event("asset.created", "B-1", "2026-01-01T00:00:00Z"))

    last = zoned.run("report", "--period", "2026-05", *words)
    first = zoned.run("report", *words, "--period", "2026-05", "--by", "site")

    assert (last.code, first.code) == (0, 0), last.said + first.said
    for done in (last, first):
        assert done.out.startswith("<!doctype html>")
        assert "2026-05" in done.out


def test_a_month_is_cut_where_the_site_is(zoned: Plant) -> None:
    """In October the clocks of Berlin go back: 745 hours; Tokyo's month is 744, and begins seven hours earlier."""
    zoned.send(
        event("asset.created", "B-1", "2026-01-01T00:00:00Z", site_key="BERLIN"),
        event("asset.created", "T-1", "2026-01-01T00:00:00Z", site_key="TOKYO"),
        *_stop("D-1", "B-1", "2026-05-31T21:00:00Z", "2026-05-31T23:00:00Z"),
        *_stop("D-2", "T-1", "2026-05-31T14:00:00Z", "2026-05-31T16:00:00Z"),
    )

    told = {row["site"]: row for row in zoned.run("report", "--period", "2026-05", "--by", "site", "--json").rows}
    october = zoned.run("report", "--period", "2025-10", "--json").rows
    everywhere = zoned.run("report", "--period", "2025-10", "--time-zone", "America/New_York", "--json").rows

    assert (told["BERLIN"]["from"], told["BERLIN"]["time_zone"]) == ("2026-04-30T22:00:00Z", "Europe/Berlin")
    assert (told["TOKYO"]["to"], told["TOKYO"]["time_zone"]) == ("2026-05-31T15:00:00Z", "Asia/Tokyo")
    assert (told["BERLIN"]["downtime_s"], told["BERLIN"]["failures_effective"]) == (1 * HOUR, 1)
    assert (told["TOKYO"]["downtime_s"], told["TOKYO"]["failures_effective"]) == (1 * HOUR, 1)
    assert {row["asset_key"]: row["required_s"] / HOUR for row in october} == {"B-1": 745, "T-1": 744}
    assert {row["from"] for row in everywhere} == {"2025-10-01T04:00:00Z"}


def test_months_add_up_to_the_year_across_changes_of_clocks(zoned: Plant) -> None:
    for month in range(1, 7):
        zoned.send(*_stop(f"D-{month}", "B-1", f"2026-{month:02d}-01T00:00:00Z", f"2026-{month:02d}-03T12:00:00Z"))

    names = ("downtime_s", "failures_effective", "required_s")
    # As of a time of which all is known, for the year is not over.
    cut = ("--as-of", "2026-06-20")
    year = zoned.run("report", "--period", "2026", *cut, "--json").row
    months = [zoned.run("report", "--period", f"2026-{each:02d}", *cut, "--json").row for each in range(1, 13)]

    assert {name: sum(row[name] for row in months) for name in names} == {name: year[name] for name in names}
    assert year["failures_effective"] == 6


def test_rows_are_pooled_by_class_and_customer_and_cause(plant: Plant) -> None:
    plant.send(
        event("asset.created", "P-1", "2026-01-01T00:00:00Z", category="pump"),
        event("asset.created", "P-2", "2026-01-01T00:00:00Z", category="pump"),
        event("asset.created", "M-1", "2026-01-01T00:00:00Z"),
        event("work_order.created", "WO-1", "2026-03-01T00:00:00Z", failure={"cause": {"label": "Seal"}}),
        *_stop("D-1", "P-1", "2026-03-02T00:00:00Z", "2026-03-02T06:00:00Z", work_order_key="WO-1"),
        *_stop("D-2", "P-2", "2026-03-03T00:00:00Z", "2026-03-03T01:00:00Z", reason="Seal"),
        *_stop("D-3", "M-1", "2026-03-04T00:00:00Z", "2026-03-04T03:00:00Z", planned=True),
    )
    march = ("report", "--period", "2026-03", "--json", "--by")

    classes = {row["class"]: row for row in plant.run(*march, "class").rows}
    causes = {row["cause"]: row for row in plant.run(*march, "cause").rows}
    customer = plant.run(*march, "customer").row

    assert (classes["pump"]["assets"], classes["pump"]["downtime_s"]) == (2, 7 * HOUR)
    assert classes[None]["planned_downtime_s"] == 3 * HOUR
    assert (causes["Seal"]["assets"], causes["Seal"]["failures_effective"]) == (2, 2)
    assert causes["Seal"]["mtbf_s"] == (3 * 31 * 24 - 10) * HOUR / 2
    assert causes[None]["downtime_share"] == 3 / 10
    assert (customer["customer"], customer["availability"]) == ("acme", 1 - 10 / (3 * 31 * 24))


def test_the_page_is_one_file_of_named_parts(local: Plant) -> None:
    local.send(
        event("asset.created", "P-1", "2026-01-01T00:00:00Z", site_key="NORTH"),
        event("asset.created", "P-2", "2026-01-01T00:00:00Z"),
        *_stop("D-1", "P-1", "2026-03-02T00:00:00Z", "2026-03-02T06:00:00Z", cause="equipment"),
    )

    page = _page(local, "--period", "2026-03", "--by", "site")

    told = Outline(page)
    assert told.headings == [
        "Availability report 2026-03 by site",
        "All together",
        "By site",
        "Availability strips",
        "Causes of down time",
        "MTBF trend",
        "Bad actors",
        "What the figures mean",
    ]
    assert told.captions == [
        "2026-03 by site",
        "2026-03 by site: more figures",
        "2026-03 by site: more figures",
        "Causes of down time",
        "MTBF by part of the period",
        "Bad actors",
    ]
    assert told.unscoped == 0
    assert told.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert [value for _, name, value in told.attributes if name in {"src", "href"} and value[:1] != "#"] == []
    north, unsaid = told.tables[0][1:]
    assert (north[0], north[1], north[-1]) == ("NORTH", "99.194 %", "6.00 h")
    assert (unsaid[0], unsaid[-2:]) == ("no site stated", ["-|> 323.12 h, no failure", "-|no failure"])


def test_every_heading_of_a_column_leads_to_what_it_means(local: Plant) -> None:
    local.send(*_stop("D-1", "P-1", "2026-03-02T00:00:00Z", "2026-03-02T06:00:00Z"))

    told = Outline(_page(local, "--period", "2026-03"))

    ids = {value for _, name, value in told.attributes if name == "id"}
    links = {value[1:] for tag, name, value in told.attributes if (tag, name) == ("a", "href")}
    assert links
    assert links <= ids


def test_every_plot_is_well_formed_and_says_what_it_shows(local: Plant) -> None:
    local.send(*_stop("D-1", "P-1", "2026-03-02T00:00:00Z", "2026-03-02T06:00:00Z", reason=HOSTILE))

    plots = re.findall(r"<svg [^>]*role=\"img\".*?</svg>", _page(local, "--period", "2026-03"), re.DOTALL)

    roots = [ET.fromstring(plot) for plot in plots]
    assert [root[0].text for root in roots] == ["Availability strips", "Pareto of causes", "MTBF trend", "Bad actors"]
    for root in roots:
        named = root.attrib["aria-labelledby"].split()
        assert [root[0].attrib["id"], root[1].attrib["id"]] == named
        assert root[1].text


def test_a_page_of_a_period_without_stops_says_so(local: Plant) -> None:
    local.send(event("asset.created", "P-1", "2026-01-01T00:00:00Z"))

    page = _page(local, "--period", "2026-03", "--by", "cause")

    assert "No unplanned down time in the period." in page
    assert "No asset was down in the period." in page
    nothing = local.run("report", "--period", "2026-03", "--by", "cause", "--csv")
    assert (nothing.code, nothing.out) == (4, "")


def test_names_from_outside_are_text_on_every_surface(local: Plant) -> None:
    local.send(
        event("asset.created", f"K{HOSTILE}", "2026-01-01T00:00:00Z", name=HOSTILE, category=HOSTILE),
        event("asset.created", "P-2", "2026-01-01T00:00:00Z", site_ref={"key": HOSTILE, "label": HOSTILE}),
        *_stop("D-1", f"K{HOSTILE}", "2026-03-02T00:00:00Z", "2026-03-02T06:00:00Z", reason=HOSTILE),
    )

    for by in ("asset", "site", "class", "cause"):
        page = _page(local, "--period", "2026-03", "--by", by)
        assert "<script" not in page
        assert "{{7*7}}" in page
        assert "\u202e" not in page
        assert "\x1b" not in page
        printed = local.run("report", "--period", "2026-03", "--by", by).out
        assert "\x1b" not in printed


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1+2", "@SUM(1)", "\t=1", "'=1"])
def test_csv_has_no_formulas(local: Plant, name: str) -> None:
    local.send(event("asset.created", "P-1", "2026-01-01T00:00:00Z", name=name, category=name))

    assets = local.run("report", "--period", "2026-03", "--csv")
    classes = local.run("report", "--period", "2026-03", "--by", "class", "--csv")

    for done, column in ((assets, "label"), (classes, "class")):
        (row,) = csv.DictReader(io.StringIO(done.out))
        assert row[column] == f"'{name.strip()}"
        assert row["required_s"] == "2678400.0"
        assert row["mtbf_s"] == ""
        assert "mtbf_s: > 323.12 h, no failure" in row["notes"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "give either --period, or --from and --to"),
        (["--period", "2026-10", "--from", "2026-01-01"], "give either --period, or --from and --to"),
        (["--from", "2026-01-01"], "give either --period, or --from and --to"),
        (["--period", "2026-W54"], "--period: 2026 has no week 54"),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "--from and --to: the start must be before the end"),
        (["--from", "soon", "--to", "2026-01-01"], "--from: give a date"),
        (["--period", "2026", "--by", "colour"], "--by: one of asset, site, class, customer, cause; not 'colour'"),
        (["--period", "2026", "--csv", "--json"], "give one of --html, --csv and --json"),
        (["--period", "2026", "--time-zone", "Mars/Base"], '--time-zone: write one like "Europe/Berlin"'),
        (["--period", "2026", "--time-zone", "../etc"], '--time-zone: write one like "Europe/Berlin"'),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_exit_code_2(local: Plant, arguments: list[str], why: str) -> None:
    done = local.run("report", *arguments)

    assert (done.code, done.out) == (2, "")
    assert done.said.startswith(f"maintenworks: {why}")
    assert len(done.said.splitlines()) == 1


def test_a_sandbox_counts_only_when_it_is_named(local: Plant) -> None:
    local.send(event("asset.created", "P-1", "2026-01-01T00:00:00Z"), to="trial")

    unnamed = local.run("report", "--period", "2026-03", "--json")
    named = local.run("report", "--period", "2026-03", "--connection", "trial", "--json")

    assert (unnamed.code, "--connection trial" in unnamed.said) == (4, True)
    assert named.row["asset_key"] == "P-1"
