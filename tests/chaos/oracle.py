"""What the events must come to, worked out naively and without any of our code: sort the facts, write them in a row.

It follows the contract (section 5) and the order of facts (design, section 3), and reads the events from their bytes.
Everything that it gives is plain: references as keys, statuses as words, times as datetimes.
"""

import hashlib
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.chaos.facts import Fact, Fields, Identity, Subject, read
from tests.chaos.stream import FIRST, LAST, Fate, Sent

WORKING = {"approved", "scheduled", "in_progress", "on_hold"}
OPEN = WORKING | {"requested"}
ON_PURPOSE = {"preventive", "inspection", "calibration"}


class Expected(NamedTuple):
    """What the tables must hold.

    Attributes:
        events: each that is to be recorded.
        buried: connection and digest of each that is to be a dead letter.
        records: by subject, every field that has a value; intervals as they count.
        spells: by connection and work order, those that it has: start, end, planned, failure, void.
        edges: connection, asset, start, end and planned of the down time that statuses tell.
        history: connection, asset and event of each line.
        down_seconds: by connection and asset, within the stream's time.
    """

    events: set[Identity]
    buried: set[tuple[str, str]]
    records: dict[Subject, Fields]
    spells: dict[tuple[str, str], list[tuple[Any, ...]]]
    edges: Counter[tuple[Any, ...]]
    history: set[tuple[str, str, Identity]]
    down_seconds: dict[tuple[str, str], float]


def expected(events: Iterable[Sent]) -> Expected:
    """Works it out."""
    found = Expected(set(), set(), {}, {}, Counter(), set(), {})
    told: dict[Subject, list[Fact]] = defaultdict(list)
    for each in events:
        digest = hashlib.sha256(each.raw).hexdigest()
        if each.fate is Fate.BURIED:
            found.buried.add((each.connection, digest))
            continue
        found.events.add(Identity(each.connection, json.loads(each.raw).get("id", digest), digest))
        if each.fate is Fate.FOLDED:
            fact = read(each, digest)
            told[fact.subject].append(fact)
    spans: dict[tuple[str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    for subject, facts in told.items():
        facts.sort()
        found.records[subject] = _fold(subject, facts)
        found.history.update(_history(facts))
    for connection, asset, _ in list(found.history):
        found.records.setdefault((connection, "asset", asset), {"is_deleted": False})
    for subject, facts in told.items():
        for asset, start, end in _down(found, subject, facts):
            spans[subject[0], asset].append((start, LAST if end is None else end))
    for connection, kind, key in found.records:
        if kind == "asset":
            found.down_seconds[connection, key] = _union(spans[connection, key])
    return found


def _fold(subject: Subject, facts: Sequence[Fact]) -> Fields:
    """Each fact writes over what the one before it wrote."""
    fields: Fields = {"is_deleted": False}
    custom: Fields = {}
    defaults: Fields = {}
    for fact in facts:
        fields.update(fact.states)
        custom.update(fact.custom)
        for name in fact.states:
            defaults.pop(name, None)
        if fact.verb in {"deleted", "voided"}:
            fields["is_deleted"] = True
        elif fact.verb in {"created", "restored"}:
            fields["is_deleted"] = False
        _imply(subject[1], fact, fields, defaults)
    for name, value in defaults.items():
        if fields.get(name) is None:
            fields[name] = value
    if subject[1] == "downtime":
        _decide(fields)
    shown = {name: value for name, value in fields.items() if value is not None}
    if kept := {name: value for name, value in custom.items() if value is not None}:
        shown["custom_fields"] = kept
    return shown


def _imply(kind: str, fact: Fact, fields: Fields, defaults: Fields) -> None:
    """Writes what a fact implies: times that default to its own, and that an open order is not completed."""
    status = fact.states.get("status")
    if kind == "work_order" and status in OPEN:
        fields["completed_at"] = None
        defaults.pop("completed_at", None)
    name = None
    if kind == "work_order" and status == "completed":
        name = "completed_at"
    elif kind == "downtime":
        name = {"started": "started_at", "ended": "ended_at"}.get(fact.verb)
    if name is not None and fact.states.get(name) is None:
        defaults[name] = fact.occurred_at


def _decide(fields: Fields) -> None:
    """Fills in what is read where an interval does not state it."""
    fields.setdefault("planned", False)
    if fields.get("failure") is None:
        fields["failure"] = fields["planned"] is not True and fields.get("cause") in {None, "equipment"}


def _history(facts: Sequence[Fact]) -> Iterator[tuple[str, str, Identity]]:
    """A fact stands with each asset that it names and with the one that its subject has just after it."""
    carried = None
    for fact in facts:
        connection, kind, key = fact.subject
        carried = fact.states.get("asset_ref", carried)
        assets = {key, fact.states.get("parent_ref")} if kind == "asset" else {carried}
        yield from ((connection, asset, fact.identity) for asset in assets if asset is not None)


def _down(found: Expected, subject: Subject, facts: Sequence[Fact]) -> Iterator[tuple[str, datetime, datetime | None]]:
    """The down time that a subject's facts tell, as asset, start and end; notes spells and edges on the way."""
    connection, kind, key = subject
    record = found.records[subject]
    asset = record.get("asset_ref")
    if kind == "asset":
        edges = [fact for fact in facts if fact.verb == "status_changed"]
        for edge, after in itertools.zip_longest(edges, edges[1:]):
            if edge.states["status"] in {"down", "maintenance"}:
                end = None if after is None else after.occurred_at
                found.edges[connection, key, edge.occurred_at, end, edge.states["status"] == "maintenance"] += 1
                yield key, edge.occurred_at, end
    elif kind == "work_order":
        found.spells[connection, key] = spells = _spells(facts, record)
        yield from ((asset, start, end) for start, end, *_, void in spells if asset and not void)
    elif asset is not None and record.get("started_at") and not record["is_deleted"]:
        yield asset, record["started_at"], record.get("ended_at")


def _spells(facts: Sequence[Fact], record: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """An order's spells of down time, void ones too."""
    planned = record.get("type") in ON_PURPOSE
    spells: list[tuple[Any, ...]] = []
    down, status, start, begun = False, None, None, False
    for fact in facts:
        down = fact.states.get("asset_down", down) is True
        status = fact.states.get("status", status)
        lasts = down and status in WORKING
        if start is None and lasts and (not planned or status == "in_progress"):
            start, begun = fact.occurred_at, False
        if start is not None and lasts:
            begun = begun or status == "in_progress"
        elif start is not None:
            void = record["is_deleted"] or (status == "cancelled" and not begun)
            spells.append((start, fact.states.get("completed_at") or fact.occurred_at, planned, void))
            start = None
    if start is not None:
        spells.append((start, None, planned, record["is_deleted"]))
    return [(start, end, planned, not planned and not void, void) for start, end, planned, void in spells]


def _union(spans: Sequence[tuple[datetime, datetime]]) -> float:
    """Seconds that any of the spans covers; one that ends before it starts is none."""
    total = timedelta()
    reached = FIRST
    for start, end in sorted(span for span in spans if span[0] <= span[1]):
        total += max(min(end, LAST) - max(start, reached), timedelta())
        reached = max(reached, end)
    return total.total_seconds()
