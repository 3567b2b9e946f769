"""The dashboards that are checked in are those that are made, and every query in them asks for what exists."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.metrics import known, problems
from tests.deploy.shipped import DASHBOARDS, DEPLOY, filled, parsed, read_yaml, runbook_pages

NAMES = ("maintenance", "operations")
WHOLE_WIDTH = 24


def _read(name: str) -> Any:
    return json.loads((DASHBOARDS / f"{name}.json").read_text())


def _panels(name: str) -> list[Any]:
    return [panel for panel in _read(name)["panels"] if panel["type"] != "row"]


def _queries(name: str) -> list[str]:
    queries = [target["expr"] for panel in _panels(name) for target in panel["targets"]]
    return [*queries, *(each["expr"] for each in _read(name)["annotations"]["list"])]


def test_what_is_checked_in_is_what_is_made(tmp_path: Path) -> None:
    subprocess.run([sys.executable, DEPLOY / "grafana" / "generate.py", "--to", tmp_path], check=True)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_text() for path in DASHBOARDS.iterdir()}
    assert set(made) == {f"{name}.json" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_query_can_be_read_and_asks_for_what_exists(name: str, tmp_path: Path) -> None:
    there_are = known()
    assert parsed(_queries(name), tmp_path) == ""
    assert [said for query in _queries(name) for said in problems(filled(query), there_are)] == []


def test_a_query_that_cannot_be_read_would_be_found(tmp_path: Path) -> None:
    assert "parse error" in parsed(["sum(up", "up"], tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_says_what_it_shows_and_in_what_unit(name: str) -> None:
    ids = [panel["id"] for panel in _read(name)["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in _panels(name):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        for link in panel["links"]:
            assert link["url"].rpartition("/")[2].removesuffix(".md") in runbook_pages(), panel["title"]


@pytest.mark.parametrize("name", NAMES)
def test_no_panel_lies_upon_another(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in _read(name)["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= WHOLE_WIDTH, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize(("name", "variable"), [("operations", "connection"), ("maintenance", "site")])
def test_a_dashboard_can_be_narrowed_down(name: str, variable: str) -> None:
    variables = [each["name"] for each in _read(name)["templating"]["list"]]
    assert variables == ["datasource", "job", variable]
    queries = _queries(name)
    assert all('job="$job"' in query for query in queries)
    assert sum(f'{variable}=~"${variable}"' in query for query in queries) > 5


def test_grafana_is_told_where_its_dashboards_and_their_source_are() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    [source] = read_yaml(provisioning / "datasources" / "prometheus.yaml")["datasources"]
    [provider] = read_yaml(provisioning / "dashboards" / "maintenworks.yaml")["providers"]
    grafana = read_yaml(DEPLOY / "compose.monitoring.yaml")["services"]["grafana"]
    assert source["url"] == "http://prometheus:9090"
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    assert "./grafana/provisioning:/etc/grafana/provisioning:ro" in grafana["volumes"]
