#!/usr/bin/env python3
"""Makes the dashboards: `python deploy/grafana/generate.py` turns the .toml files beside it into dashboards/*.json.

The .toml files are what is edited; what they may hold stands at `panel` and `dashboard`. Nothing but the standard
library is needed. The shape is Grafana's classic dashboard model, which later versions read as well
(grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model, read 2026-11-24).
"""

import argparse
import itertools
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RUNBOOK = "https://github.com/maintenworks/maintenworks/blob/main/deploy/runbook"
"""Where the links lead; `--runbook URL` where yours is kept elsewhere."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
"""Of the whole page, in Grafana's units."""
HEIGHTS = {"stat": 4, "timeseries": 8, "table": 8}
COLOURS = ("green", "orange", "red")
WITHOUT_TIME = {"id": "organize", "options": {"excludeByName": {"Time": True}}}
"""A table shows what is so now; the column would say nothing."""
VARIABLES = {
    "connection": 'label_values(maintenworks_webhooks_received_total{job="$job"}, connection)',
    "site": 'label_values(maintenworks_assets{job="$job"}, site)',
}
"""By name, what Grafana asks for their values; a panel that uses one filters by `=~"$name"`."""

Json = dict[str, Any]


def dashboard(given: Mapping[str, Any], runbook: str) -> Json:
    """A dashboard.

    Args:
        given: `title`, `uid`, `description`, `from` (how far it looks back), `variables` (some of `VARIABLES`), `rows`,
            each with a `title` and `panels`.
        runbook: where its pages are.
    """
    ids = itertools.count(1)
    panels: list[Json] = []
    top = 0
    for row in given["rows"]:
        place = {"x": 0, "y": top, "w": WIDTH, "h": 1}
        panels.append({"id": next(ids), "type": "row", "title": row["title"], "collapsed": False, "gridPos": place})
        top += 1
        for place, each in _placed(row["panels"], top):
            panels.append({"id": next(ids), **panel(each, runbook), "gridPos": place})
            top = max(top, place["y"])
        top += HEIGHTS[row["panels"][-1].get("kind", "timeseries")]
    return {
        "title": given["title"],
        "uid": given["uid"],
        "description": given["description"],
        "tags": ["maintenworks"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": given["from"], "to": "now"},
        "templating": {"list": [_datasource(), _job(), *map(_variable, given["variables"])]},
        "links": [
            {"title": "Runbook", "type": "link", "url": f"{runbook}/README.md", "icon": "doc", "targetBlank": True},
            {"title": "MaintenWorks", "type": "dashboards", "tags": ["maintenworks"], "keepTime": True},
        ],
        "annotations": {"list": [_alerts()]},
        "panels": panels,
    }


def panel(given: Mapping[str, Any], runbook: str) -> Json:
    """A panel, its place aside.

    Args:
        given: `title`, `description`, `unit` (Grafana's name of it), `targets` (pairs of PromQL and legend), and where
            they are not the usual: `kind` (`timeseries`), `width` (8), `limits` (two numbers from which it is orange
            and red; falling ones where less is worse), `stacked` (false), `max`, `runbook` (alerts that it explains).
        runbook: where their pages are.
    """
    kind = given.get("kind", "timeseries")
    limits = given.get("limits", [])
    defaults: Json = {"unit": given["unit"], "min": 0, "thresholds": _thresholds(limits)}
    defaults["color"] = {"mode": "thresholds" if kind == "stat" else "palette-classic"}
    if "max" in given:
        defaults["max"] = given["max"]
    if kind == "timeseries":
        defaults["custom"] = {
            "fillOpacity": 30 if given.get("stacked") else 5,
            "stacking": {"mode": "normal" if given.get("stacked") else "none"},
            "thresholdsStyle": {"mode": "line" if limits else "off"},
            "spanNulls": False,
        }
    if kind == "table":
        defaults["custom"] = {"cellOptions": {"type": "color-text" if limits else "auto"}}
        defaults["color"] = {"mode": "thresholds"}
    return {
        "type": kind,
        "title": given["title"],
        "description": given["description"],
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(kind),
        "transformations": [WITHOUT_TIME] if kind == "table" else [],
        "links": [
            {"title": name, "url": f"{runbook}/Maintenworks{name}.md", "targetBlank": True}
            for name in given.get("runbook", [])
        ],
        "targets": [
            _target(kind, reference, *each) for reference, each in zip("ABCDEFGH", given["targets"], strict=False)
        ],
    }


def _placed(panels: Sequence[Mapping[str, Any]], top: int) -> Iterator[tuple[dict[str, int], Mapping[str, Any]]]:
    """Each panel with its place: from left to right, in a new line where one does not fit."""
    left = 0
    for each in panels:
        width, height = each.get("width", 8), HEIGHTS[each.get("kind", "timeseries")]
        if left + width > WIDTH:
            left, top = 0, top + height
        yield {"x": left, "y": top, "w": width, "h": height}, each
        left += width


def _target(kind: str, reference: str, expression: str, legend: str) -> Json:
    once = kind != "timeseries"
    return {
        "refId": reference,
        "datasource": SOURCE,
        "expr": expression,
        "legendFormat": legend,
        "instant": once,
        "range": not once,
        "format": "table" if kind == "table" else "time_series",
    }


def _options(kind: str) -> Json:
    if kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "none", "textMode": "auto"}
    if kind == "table":
        return {"showHeader": True}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}


def _thresholds(limits: Sequence[float]) -> Json:
    if not limits:
        return {"mode": "absolute", "steps": [{"color": "green", "value": None}]}
    falling = limits[0] > limits[-1]
    colours = tuple(reversed(COLOURS)) if falling else COLOURS
    values = [None, *sorted(limits)]
    return {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in zip(colours, values, strict=True)]}


def _datasource() -> Json:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}


def _job() -> Json:
    query = 'label_values(up{job=~"maintenworks.*"}, job)'
    return {**_query("job", "Installation", query), "includeAll": False, "multi": False}


def _variable(name: str) -> Json:
    return {**_query(name, name.title(), VARIABLES[name]), "includeAll": True, "allValue": ".*", "multi": True}


def _query(name: str, label: str, query: str) -> Json:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "hide": 0,
    }


def _alerts() -> Json:
    """Marks on the time axis: what fired."""
    return {
        "name": "Alerts",
        "datasource": SOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": 'ALERTS{alertname=~"Maintenworks.+", alertstate="firing", severity="page", job="$job"}',
        "titleFormat": "{{alertname}}",
        "step": "60s",
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Make the dashboards.")
    parser.add_argument("--to", type=Path, default=HERE / "dashboards", help="folder (default: beside this file)")
    parser.add_argument("--runbook", default=RUNBOOK, help="where the links to the runbook lead")
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    for source in sorted(HERE.glob("*.toml")):
        made = dashboard(tomllib.loads(source.read_text()), given.runbook.rstrip("/"))
        (given.to / f"{source.stem}.json").write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
