"""What is shipped for monitoring, as tests read it, and the programs that check it."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from tests.programs import program

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
RUNBOOK = DEPLOY / "runbook"
DASHBOARDS = DEPLOY / "grafana" / "dashboards"


class Alert(NamedTuple):
    """An alerting rule."""

    name: str
    severity: str
    expression: str
    annotations: dict[str, str]


def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a program; what it says is in `stdout`, errors too."""
    command = [program(name), *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def read_yaml(path: Path) -> Any:
    """What a YAML file holds."""
    return YAML(typ="safe").load(path.read_text())


def rules() -> Iterator[dict[str, Any]]:
    """Every rule."""
    for path in sorted((PROMETHEUS / "rules").glob("*.yml")):
        for group in read_yaml(path)["groups"]:
            yield from group["rules"]


def alerts() -> list[Alert]:
    """Every alerting rule."""
    return [
        Alert(rule["alert"], rule["labels"]["severity"], rule["expr"], rule["annotations"])
        for rule in rules()
        if "alert" in rule
    ]


def runbook_pages() -> dict[str, str]:
    """The runbook's pages by the name of their alert."""
    return {path.stem: path.read_text() for path in sorted(RUNBOOK.glob("*.md")) if path.stem != "README"}


def code_in(page: str) -> list[str]:
    """What stands between backticks, line breaks as blanks."""
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", page)]


def parsed(expressions: Sequence[str], folder: Path) -> str:
    """What promtool has to say of some PromQL; empty where it can be read.

    Args:
        expressions: as dashboards have them; Grafana's variables are filled in.
        folder: an empty one.
    """
    found = [{"record": f"n{number}", "expr": filled(each)} for number, each in enumerate(expressions)]
    path = folder / "expressions.yml"
    with path.open("w") as file:
        YAML(typ="safe").dump({"groups": [{"name": "all", "rules": found}]}, file)
    done = run("promtool", "check", "rules", path)
    return "" if done.returncode == 0 else done.stdout


def filled(expression: str) -> str:
    """An expression with values in the place of Grafana's variables, and of the runbook's examples."""
    for variable, value in (
        ("$__rate_interval", "5m"),
        ("$job", "maintenworks"),
        ("$connection", ".*"),
        ("$site", ".*"),
    ):
        expression = expression.replace(variable, value)
    return expression
