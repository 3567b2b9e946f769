"""The report of a real fleet for a year, as a page: its numbers are those worked out elsewhere."""

import json
import math

import pytest

from tests.worker.cli.plant import SAMPLES, Plant
from tests.worker.report.outline import Outline

ORACLE = json.loads((SAMPLES / "oracles.json").read_text())["lanl_s20"]
HOUR = 3600.0


def test_the_report_of_a_fleet_for_2004_has_the_numbers_of_the_oracle(local: Plant) -> None:
    local.send_all((SAMPLES / "lanl_s20.jsonl").read_bytes().splitlines(), seed=4)

    rows = local.run("report", "--period", "2004", "--json").rows
    causes = local.run("report", "--period", "2004", "--by", "cause", "--json").rows
    local.run("report", "--period", "2004", "--html", str(local.home / "page.html"))

    fleet = ORACLE["fleet"]
    assert len(rows) == fleet["assets_with_any_record"] == 400
    for held in (rows, causes):
        assert sum(row["failures_effective"] for row in held) == fleet["effective"]
        assert math.fsum(row["downtime_s"] for row in held) / HOUR == pytest.approx(fleet["downtime_h"])
    page = Outline((local.home / "page.html").read_text())
    tables = {
        caption: {line[0]: dict(zip(table[0][1:], line[1:], strict=True)) for line in table[1:]}
        for caption, table in zip(page.captions, page.tables, strict=True)
    }
    of_assets, worst = tables["2004 by asset"], tables["Bad actors"]
    of_causes, of_parts = tables["Causes of down time"], tables["MTBF by part of the period"]
    assert len(of_assets) == 400
    for asset, oracle in ORACLE["per_asset"].items():
        told = of_assets[asset]
        assert told["Availability"] == f"{100 * oracle['availability']:.3f} %"
        assert told["Failures"] == str(oracle["effective"])
        for title, name in (("Down", "downtime_h"), ("MTBF", "mtbf_h"), ("MTTR", "mttr_h")):
            assert told[title] == f"{oracle[name]:,.2f} h"
        assert worst[asset]["Down, unplanned"] == f"{oracle['downtime_h']:,.2f} h"
    assert of_causes["Hardware"]["Failures"] == "207"
    assert list(of_parts) == [f"2004-{month:02d}" for month in range(1, 13)]
    assert sum(int(part["Failures"]) for part in of_parts.values()) == fleet["effective"]
