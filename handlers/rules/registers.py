"""A record as registers: each field keeps the value of the greatest stamp that ever wrote it.

Writing is commutative, associative and idempotent, so a record is the same whatever order its facts came in.
"""

import re
from collections.abc import Mapping

import msgspec

from handlers.events import Action, Event, Json
from handlers.rules import keyed
from handlers.rules.order import word

DEFAULT = "~"
"""Suffix of a default's register: `completed_at~` is read where `completed_at` is null."""
CUSTOM = "custom_fields."
"""Prefix of a custom field's register."""
WARNED = "warnings."
"""Prefix of the register of what was doubtful about a field: it stands as long as the value that it is about."""
DATA = "$.data."
"""How the path of a warning about a field begins."""
_ELEMENT = re.compile(r"\w+\[([0-9]+)\]")
OPEN_STATUSES = frozenset({"requested", "approved", "scheduled", "in_progress", "on_hold"})
"""A work order in one of these is not completed: stating one clears `completed_at`."""


class Record(msgspec.Struct):
    """The registers of one record.

    Attributes:
        fields: values by register name, nulls and defaults among them.
        custom_fields: unmapped source fields by name.
        stamps: by register name, who wrote it last.
        full_stamp: the greatest stamp of a full record; a custom field written before it is gone.
        last_stamp: the greatest stamp of any fact about the subject.
        trail: the facts that sequence rules need, oldest first (`handlers.rules.trail`).
    """

    fields: dict[str, Json] = msgspec.field(default_factory=dict)
    custom_fields: dict[str, Json] = msgspec.field(default_factory=dict)
    stamps: dict[str, str] = msgspec.field(default_factory=dict)
    full_stamp: str = ""
    last_stamp: str = ""
    trail: list[tuple[str, dict[str, Json]]] = msgspec.field(default_factory=list)

    def read(self, name: str) -> Json:
        """The value of a field: its own, else its default's; None where neither is."""
        value = self.fields.get(name)
        return self.fields.get(name + DEFAULT) if value is None else value

    def ref(self, name: str) -> str | None:
        """The key that a reference field points to."""
        return ref_key(self.fields.get(name))

    def items(self, name: str) -> list[dict[str, Json]]:
        """The elements of a list whose elements have keys, in the order of those."""
        return [value for _, value in keyed.elements(self.fields, name)]

    def visible(self) -> dict[str, Json]:
        """Every field that has a value, defaults read in, lists put together, custom fields under their name."""
        names = dict.fromkeys(
            name.removesuffix(DEFAULT)
            for name in self.fields
            if not name.startswith(WARNED) and not keyed.is_element(name)
        )
        values = {name: self.read(name) for name in names}
        for name in sorted({name.partition("[")[0] for name in self.fields if keyed.is_element(name)}):
            values[name] = list(self.items(name))
        custom: dict[str, Json] = {name: value for name, value in self.custom_fields.items() if value is not None}
        if custom:
            values["custom_fields"] = custom
        return {name: value for name, value in values.items() if value is not None}

    def warnings(self) -> list[Json]:
        """What was doubtful about values that still stand; a later write of the field takes its doubts with it."""
        shown: list[Json] = []
        for name in sorted(name for name in self.fields if name.startswith(WARNED)):
            field = name.removeprefix(WARNED)
            standing = self.stamps.get(field) or self.stamps.get(CUSTOM + field) or self.last_stamp
            told = self.fields[name]
            if self.stamps[name] == standing and isinstance(told, list):
                shown += told
        return shown


def ref_key(value: Json) -> str | None:
    """The key inside a kept reference, or None."""
    key = value.get("key") if isinstance(value, dict) else value
    return key if isinstance(key, str) else None


def writes(event: Event, kept_time: str) -> dict[str, Json]:
    """Everything one event writes, by register name: what it states, what it implies, what it clears.

    Args:
        event: the fact.
        kept_time: its `occurred_at` in kept form.
    """
    written = dict(event.fields)
    if event.full:
        written.update(dict.fromkeys((name for name in event.full_fields if name not in written), None))
    if event.warnings:
        written.update(_doubts(event))
    if event.kind in keyed.KINDS:
        keyed.spread(event.kind, written, event.full_fields if event.full else ())
    if event.action is Action.DELETED:
        written["is_deleted"] = True
    elif event.full or event.action in {Action.CREATED, Action.RESTORED}:
        written["is_deleted"] = False
    if event.kind == "work_order":
        status = word(written.get("status"))
        if status in OPEN_STATUSES:
            written["completed_at"] = None
            written["completed_at" + DEFAULT] = None
        else:
            _default(written, "completed_at", kept_time if status == "completed" else None)
    elif event.kind == "downtime":
        _default(written, "started_at", kept_time if event.action is Action.STARTED else None)
        _default(written, "ended_at", kept_time if event.action is Action.ENDED else None)
    elif event.kind in {"meter", "meter_reading"}:
        _default(written, "read_at", kept_time if event.action is Action.RECORDED else None)
    return written


def _doubts(event: Event) -> dict[str, Json]:
    """The registers of an event's warnings, by the field that each is about; those about no field go together."""
    doubts: dict[str, list[Json]] = {}
    for warning in event.warnings:
        path = warning["path"]
        field = _field(event, path.removeprefix(DATA)) if path.startswith(DATA) else ""
        doubts.setdefault(WARNED + field, []).append(dict(warning))
    return dict(doubts)


def _field(event: Event, path: str) -> str:
    """The register that the value at a path within `data` goes into."""
    field = re.sub(r"_key(s?)$", r"_ref\1", re.split(r"[.\[]", path, maxsplit=1)[0])
    element = _ELEMENT.match(path)
    listed = event.fields.get(field)
    if element is not None and isinstance(listed, list):
        registers = keyed.names(event.kind, field, listed) or []
        index = int(element[1])
        return registers[index] if index < len(registers) else field
    return field


def _default(written: dict[str, Json], name: str, value: str | None) -> None:
    """Writes the default's register: with the default where the event gives one, cleared where it writes the field."""
    if value is not None and written.get(name) is None:
        written[name + DEFAULT] = value
    elif name in written:
        written[name + DEFAULT] = None


def fold(record: Record, event: Event, stamp: str, written: Mapping[str, Json]) -> bool:
    """Merges one fact into a record.

    Returns:
        Whether any register took it, or it is the first fact about its subject; False means that all it states is
        known newer already.
    """
    changed = take(record, stamp, written) or not record.last_stamp
    stamps = record.stamps
    if event.full and stamp > record.full_stamp:
        record.full_stamp = stamp
        changed = True
        for name in [name for name in record.custom_fields if stamps[CUSTOM + name] < stamp]:
            del record.custom_fields[name], stamps[CUSTOM + name]
    for name, value in event.custom_fields.items():
        register = CUSTOM + name
        if stamp > stamps.get(register, "") and stamp >= record.full_stamp:
            stamps[register] = stamp
            record.custom_fields[name] = value
            changed = True
    record.last_stamp = max(record.last_stamp, stamp)
    return changed


def take(record: Record, stamp: str, written: Mapping[str, Json]) -> bool:
    """Writes the registers that hold nothing newer; returns whether any took what was written.

    An element of a list that was given up since is not taken, and one that stands is gone with its list.
    """
    changed = False
    stamps = record.stamps
    for name, value in written.items():
        if stamp <= stamps.get(name, ""):
            continue
        if name[-1:] == "]" and stamp < stamps.get(keyed.list_of(name) or "", ""):
            continue
        stamps[name] = stamp
        record.fields[name] = value
        changed = True
        if name in keyed.NAMES:
            gone = [each for each in record.fields if keyed.list_of(each) == name and stamps[each] < stamp]
            for each in gone:
                del record.fields[each], stamps[each]
    return changed


def join(record: Record, other: Record) -> None:
    """Takes over what another record of the same subject holds: as if all facts of both had been folded into one.

    Only for records of which one at most was told of by facts about itself; the other's custom fields and trail are
    taken as they are.
    """
    for name, value in other.fields.items():
        take(record, other.stamps[name], {name: value})
    if other.last_stamp:
        for name, value in other.custom_fields.items():
            record.custom_fields[name] = value
            record.stamps[CUSTOM + name] = other.stamps[CUSTOM + name]
        record.full_stamp, record.trail = other.full_stamp, other.trail
    record.last_stamp = max(record.last_stamp, other.last_stamp)
