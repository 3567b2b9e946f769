"""The trend breaks where there is no MTBF, and shows what is known there instead."""

import xml.etree.ElementTree as ET
from datetime import timedelta

from handlers.rules.figures import Figures
from worker.report.trend import trend

DAY = timedelta(days=1)


def test_a_part_without_failures_is_an_open_triangle_and_breaks_the_line() -> None:
    parts = [
        (f"2026-0{number}", Figures(required=30 * DAY, failures_effective=failures))
        for number, failures in enumerate((2, 3, 0, 1, 4), start=1)
    ]

    root = ET.fromstring(trend([*parts, ("2026-06", Figures())]))

    lines = [each.attrib["points"].count(",") for each in root.iter("polyline")]
    assert lines == [2, 2]
    first = next(root.iter("circle"))[0].text
    assert first == "2026-01: MTBF 360.00 h, between 114.36 and 2,026.11 h"  # 1440 / chi-square 0.710723, 4 degrees
    assert [each[0].text for each in root.iter("path")] == ["2026-03: no failure, MTBF above 312.69 h"]
    words = [each.text for each in root.iter("text")]
    assert "n = 3" in words
    assert "800 h" in words or "1,000 h" in words


def test_a_period_of_which_nothing_is_required_yet_is_drawn_empty() -> None:
    root = ET.fromstring(trend([("2026-01", Figures())]))

    assert list(root.iter("circle")) == list(root.iter("path")) == []
