"""Which metrics there are, with their labels, and which of them an expression of PromQL asks for."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric

from tests.deploy.shipped import rules
from worker import telemetry
from worker.broker_state import BrokerState
from worker.console import readings
from worker.console.collector import StateCollector

OF_TARGETS: Final = frozenset({"job", "instance"})
"""Labels that Prometheus puts on everything."""
OF_PROMETHEUS: Final = {
    "up": OF_TARGETS,
    "ALERTS": OF_TARGETS | {"alertname", "alertstate", "severity", "connection", "error", "queue", "schedule"},
}
_TOKEN: Final = re.compile(r'"(?:\\.|[^"\\])*"|[a-zA-Z_:][\w:]*|\d[\w.]*|[=!]~|!=|\S')
_GROUPING: Final = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS: Final = frozenset(
    {"and", "or", "unless", "bool", "offset", "sum", "max", "min", "avg", "count", "topk", "bottomk", "Inf", "NaN"}
)


class Asked(NamedTuple):
    """A metric that an expression asks for, and the labels by which it chooses."""

    name: str
    labels: frozenset[str]


def known() -> dict[str, frozenset[str]]:
    """Every series' name → its labels: what our processes count, what the console reads, what the rules record."""
    found = {name: labels | OF_TARGETS for name, labels in (*_counted(), *_read())}
    found |= {rule["record"]: OF_TARGETS for rule in rules() if "record" in rule}
    return found | OF_PROMETHEUS


def problems(expression: str, there_are: Mapping[str, frozenset[str]]) -> list[str]:
    """What an expression asks for that does not exist."""
    asked, grouping = read(expression)
    every = frozenset().union(*there_are.values())
    found = [f"no metric {each.name}" for each in asked if each.name not in there_are]
    found += [
        f"{each.name} has no label {label}"
        for each in asked
        for label in sorted(each.labels - there_are.get(each.name, each.labels))
    ]
    return found + [f"no metric has a label {label}" for label in sorted(grouping - every)]


def read(expression: str) -> tuple[list[Asked], frozenset[str]]:
    """The metrics that an expression asks for, and the labels that it groups by."""
    tokens = _TOKEN.findall(expression)
    asked: list[tuple[str, set[str]]] = []
    grouping: set[str] = set()
    closing = ""
    into: set[str] | None = None
    for number, token in enumerate(tokens):
        following = tokens[number + 1] if number + 1 < len(tokens) else ""
        if closing:
            if token == closing:
                closing = ""
            elif into is not None and token[0] != '"' and (token[0].isalpha() or token[0] == "_"):
                into.add(token)
        elif token == "{":
            closing, into = "}", asked[-1][1]
        elif token == "[":
            closing, into = "]", None
        elif token in _GROUPING and following == "(":
            closing, into = ")", grouping
        elif (token[0].isalpha() or token[0] in "_:") and token not in _WORDS and following != "(":
            asked.append((token, set()))
    return [Asked(name, frozenset(labels)) for name, labels in asked], frozenset(grouping)


def _counted() -> Iterator[tuple[str, frozenset[str]]]:
    for metric in vars(telemetry).values():
        if not isinstance(metric, Counter | Gauge | Histogram):
            continue
        name, labels = metric._name, frozenset(metric._labelnames)
        if isinstance(metric, Counter):
            yield f"{name}_total", labels
        elif isinstance(metric, Gauge):
            yield name, labels
        else:
            yield from ((f"{name}_sum", labels), (f"{name}_count", labels), (f"{name}_bucket", labels | {"le"}))


def _read() -> Iterator[tuple[str, frozenset[str]]]:
    """What is read when the page is asked for, from collectors that find nothing."""
    collectors = (
        telemetry.BUILD_INFO,
        StateCollector(list, lambda: 0, dict),
        readings.broker(lambda: BrokerState(0, 0, 0, 0, is_logging=True), lambda _: 0),
        readings.connections(list, dict),
        readings.kept(lambda: ({}, None)),
        readings.canary(lambda: None),
    )
    for collector in collectors:
        family: Metric
        for family in collector.collect():
            yield family.name, frozenset(getattr(family, "_labelnames", ()))
