"""Bars are as long as what they stand for, and shares are of the whole, drawn or not."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import UTC, datetime

from markupsafe import Markup

from handlers.rules.reporting import Row
from worker.report.bars import actors, pareto

HOUR = 3600.0


def row(name: str, values: Mapping[str, float]) -> Row:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    return Row(
        group=(None, name),
        label=None,
        connections=frozenset("c"),
        assets=1,
        zones=("UTC",),
        since=moment,
        until=moment,
        observed_from=None,
        data_as_of=None,
        values=values,
    )


def drawn(plot: Markup, name: str) -> list[ET.Element]:
    return list(ET.fromstring(plot).iter(name))


def test_of_many_causes_the_greatest_are_drawn_with_their_shares_of_all() -> None:
    hours = {"seal": 5, "motor": 3, "belt": 2}
    causes = [
        row(name, {"unplanned_downtime_s": taken * HOUR, "unplanned_downtime_share": taken / 10})
        for name, taken in hours.items()
    ]

    plot = pareto(causes, most=2)

    notes = [each.text for each in drawn(plot, "text") if each.get("class") == "number"]
    assert notes == ["5.00 h = 50.000 %; together 50.000 %", "3.00 h = 30.000 %; together 80.000 %"]
    widths = [float(each.attrib["width"]) for each in drawn(plot, "rect")]
    assert widths[1] / widths[0] == 3 / 5
    assert len(drawn(plot, "circle")) == 2


def test_an_asset_is_a_bar_of_its_unplanned_and_its_planned_hours() -> None:
    rows = [
        row(
            name,
            {
                "downtime_s": (unplanned + planned) * HOUR,
                "unplanned_downtime_s": unplanned * HOUR,
                "planned_downtime_s": planned * HOUR,
                "failures_effective": failures,
            },
        )
        for name, unplanned, planned, failures in (("P-1", 6, 2, 1), ("P-2", 4, 0, 3))
    ]

    plot = actors(rows, ["P-1 Pump", "P-2"])

    told = [(each.attrib["class"], float(each.attrib["width"])) for each in drawn(plot, "rect")]
    scale = told[0][1] / 6
    assert told == [("unplanned", 6 * scale), ("planned", 2 * scale), ("unplanned", 4 * scale)]
    notes = [each.text for each in drawn(plot, "text") if each.get("class") == "number"]
    assert notes == ["6.00 h, 1 failure", "4.00 h, 3 failures"]
