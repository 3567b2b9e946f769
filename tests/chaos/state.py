"""What an installation prints of its state, against what the oracle says."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from handlers.rules.work_times import WorkTimes
from handlers.store.schema import asset_history
from tests.chaos.facts import Fields, Identity
from tests.chaos.oracle import Expected
from tests.chaos.stream import FIRST, LAST
from tests.worker.cli.plant import Done

KINDS = {"work-orders": "work_order", "assets": "asset", "downtime": "downtime"}
AROUND = {"kind", "connection", "key", "anomalies", "warnings"}
LATENESS = {"overdue", "overdue_by"}
DERIVED = {"duration", "derived_from", "spells"} | WorkTimes().row().keys() | LATENESS
"""Members of a printed record that are not compared as fields: they follow from others, or from the clock."""
SHOWN = 5
"""Differences of one sort that are told; the others are only counted."""


class Looking(Protocol):
    """What can be asked."""

    def run(self, *arguments: str) -> Done:
        """Runs a command."""

    def ask(self, query: sa.Select[*tuple[Any, ...]]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
        """What the tables say."""


def told(name: str, things: Iterable[Any]) -> list[str]:
    """The first few of a sort, and how many more there are."""
    every = list(things)
    more = [f"{name}: {len(every) - SHOWN} more"] if len(every) > SHOWN else []
    return [f"{name}: {each}" for each in every[:SHOWN]] + more


def state_differences(running: Looking, wanted: Expected) -> list[str]:
    """What of all that is a function of the facts is not as it must be, in words."""
    printed = {kind: running.run("get", name, "--deleted", "--json").rows for name, kind in KINDS.items()}
    spans = printed["downtime"]
    printed["downtime"] = [row for row in spans if row["derived_from"] == "interval"]
    records = {(row["connection"], kind, row["key"]): _plain(row) for kind, rows in printed.items() for row in rows}
    columns = ("connection_id", "asset_key", "event_id", "digest")
    lines = running.ask(sa.select(*(asset_history.c[name] for name in columns)).where(asset_history.c.asset_key != ""))
    history = Counter((row[0], row[1], Identity(row[0], row[2], row[3])) for row in lines)
    window = ("--from", FIRST.isoformat(), "--to", LAST.isoformat())
    figures = {
        (row["connection"], row["asset_key"]): float(row["downtime_s"])
        for row in running.run("uptime", *window, "--json").rows
    }
    spells = {key: told for key, told in wanted.spells.items() if told}
    return [
        *_compared("record", records, wanted.records),
        *_compared("spells", dict(_spells(spans)), spells),
        *_compared("down time by status", Counter(_edges(spans)), wanted.edges),
        *_compared("line of history", history, Counter(wanted.history)),
        *_compared("seconds of down time", figures, wanted.down_seconds),
    ]


def _plain(row: Mapping[str, Any]) -> Fields:
    """A printed record as the oracle tells it: references as keys, statuses as words, times as datetimes."""
    fields = {
        name: _value(name, value)
        for name, value in row.items()
        if name not in AROUND | DERIVED and value is not None and value != {}
    }
    return {name: value for name, value in fields.items() if value is not None}


def _value(name: str, value: Any) -> Any:
    if name.endswith("_ref"):
        return value["key"]
    if name in {"status", "priority"}:
        return value["value"]
    return datetime.fromisoformat(value) if name.endswith("_at") else value


def _spells(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[tuple[str, str], list[tuple[Any, ...]]]]:
    for row in rows:
        if row["derived_from"] == "work_order":
            spells = [(*_times(spell), spell["planned"], spell["failure"], spell["is_void"]) for spell in row["spells"]]
            yield (row["connection"], row["key"].removeprefix("work_order:")), spells


def _edges(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[Any, ...]]:
    for row in rows:
        if row["derived_from"] == "status_edges":
            yield (row["connection"], row["asset_ref"]["key"], *_times(row), row["planned"])


def _times(row: Mapping[str, Any]) -> tuple[Any, Any]:
    """Start and end."""
    start, end = (row[name] and datetime.fromisoformat(row[name]) for name in ("started_at", "ended_at"))
    return start, end


def _compared(name: str, found: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> list[str]:
    """What differs, by key."""
    wrong = [key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)]
    return told(name, (f"{key}: is {found.get(key)}, must be {wanted.get(key)}" for key in sorted(wrong, key=str)))
