"""Records of every kind: lists with the filters of `get`, and one by its connection and key."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from handlers.connections.zones import zones_of
from handlers.events import Json
from handlers.model.downtime import ORDER_KEY_PREFIX
from handlers.rules.printing import STATUS_KEY_PREFIX
from handlers.rules.times import is_date, kept_instant, parse_instant
from handlers.store.downtime import INTERVAL, STATUS, WORK_ORDER
from handlers.store.read_records import DUE_BEFORE, FILTERS, FLAGS, Chosen
from handlers.store.reading import Part
from handlers.store.searching import Search
from worker.console.api import paging
from worker.console.api.common import BOOLEAN, CONNECTION, MOMENT, PAGE, limit
from worker.console.api.operations import Call, Operation, Param, RecordOf
from worker.console.house import House
from worker.console.refusals import missing
from worker.moments import moment
from worker.redaction import masked
from worker.shapes.kinds import KINDS
from worker.shapes.records import found_records

Record = Mapping[str, Json]
TITLES: Final = {name: name.replace("-", " ") for name in KINDS}
DELETED: Final = Param("deleted", "Deleted ones too.", BOOLEAN)
BY_METER: Final = "meter"
LAST: Final = "\U0010ffff"
"""Behind every part of an order's spells: they are one record."""


def records(house: House, kind: str, call: Call, search: Search | None = None) -> dict[str, Any]:
    """A page of records.

    Args:
        house: the console.
        kind: of which kind.
        call: what is asked.
        search: how they are found, for whoever wants to tell.
    """
    search = search or Search.of_records()
    filters = {name: text for name in FILTERS[kind] if (text := _filter(name, call)) is not None}
    size = limit(call)
    ordered_by_time = kind == "meter_reading" and BY_METER in filters
    chosen = Chosen(
        connection=call.text("connection"),
        key=call.text("key"),
        deleted=call.flag("deleted"),
        filters=filters,
        part=Part(_after(kind, call.text("cursor"), ordered_by_time=ordered_by_time), size + 1, search),
    )
    zones, now = zones_of(house.registry.all()), house.now()
    found = found_records(house.database, kind, chosen, zones, now, judged=True)
    place = _places(kind, ordered_by_time=ordered_by_time)
    return paging.paged(found, size, _shown, place, search)


def down_times(house: House, call: Call) -> dict[str, Any]:
    """A page of the down time of an asset."""
    of_asset = {"connection": call.path["connection"], "asset": call.path["key"]}
    return records(house, "downtime", Call(call.who, call.path, {**call.query, **of_asset}))


def record(house: House, kind: str, connection: str, key: str) -> dict[str, Json]:
    """One record.

    Raises:
        RefusalError: there is none.
    """
    zones, now = zones_of(house.registry.all()), house.now()
    chosen = Chosen(connection=connection, key=key, part=Part(size=1))
    found = next(found_records(house.database, kind, chosen, zones, now, judged=True), None)
    if found is None:
        raise missing(f"{connection} has no {kind.replace('_', ' ')} {key!r}.")
    return _shown(found)


def _shown(record: Record) -> dict[str, Json]:
    """A record without what its source may have put into fields of its own, such as a token."""
    custom = record.get("custom_fields")
    return {**record, "custom_fields": masked(custom)} if isinstance(custom, Mapping) else {**record}


def _list(name: str) -> Operation:
    kind = KINDS[name]
    own = tuple(_param(each) for each in FILTERS[kind])
    general = (
        CONNECTION,
        Param("key", "Of this key, deleted or not."),
        DELETED,
    )
    return Operation(
        path=f"/{name}",
        name=f"list_{kind}s",
        summary=f"The {TITLES[name]}, by connection and key.",
        does=lambda house, call: records(house, kind, call),
        params=(*general, *own, *PAGE),
        answer=RecordOf(kind),
        is_list=True,
        tag="records",
    )


def _one(name: str) -> Operation:
    kind = KINDS[name]
    return Operation(
        path=f"/{name}/{{connection}}/{{key}}",
        name=f"get_{kind}",
        summary=f"One of the {TITLES[name]}, deleted or not.",
        does=lambda house, call: record(house, kind, call.path["connection"], call.path["key"]),
        answer=RecordOf(kind),
        statuses=(404,),
        tag="records",
    )


def _param(name: str) -> Param:
    written = name.replace("-", "_")
    if name in FLAGS:
        return Param(written, f"Only those that are {name.replace('-', ' ')}.", BOOLEAN)
    if name == DUE_BEFORE:
        return Param(written, "Due before this date or time.", MOMENT)
    return Param(written, f"Of this {name}.")


def _filter(name: str, call: Call) -> str | None:
    """The value of a filter as the store takes it; None where it was not given."""
    value = call.query.get(name.replace("-", "_"))
    if name in FLAGS:
        return "yes" if value else None
    if value is None or name != DUE_BEFORE:
        return value
    found = moment(value, name.replace("-", "_"))
    return str(value) if is_date(value) else kept_instant(found)


def _after(kind: str, cursor: str | None, *, ordered_by_time: bool) -> tuple[Any, ...] | None:
    if kind == "downtime":
        return paging.decode(cursor, tuple[str, str, str, str])
    if not ordered_by_time:
        return paging.decode(cursor, tuple[str, str])
    place = paging.decode(cursor, tuple[str, str, str])
    if place is None:
        return None
    try:
        read_at = parse_instant(place[1])
    except ValueError:
        read_at = None
    return (place[0], read_at, place[2]) if read_at is not None else paging.decode("?", tuple[str])


def _places(kind: str, *, ordered_by_time: bool) -> Callable[[Record], tuple[Any, ...]]:
    if kind == "downtime":
        return _place_of_downtime
    if ordered_by_time:
        return lambda each: (each["connection"], each["read_at"], each["key"])
    return lambda each: (each["connection"], each["key"])


def _place_of_downtime(record: Record) -> tuple[Any, ...]:
    """Where a printed record stands among the rows of down time."""
    key = str(record["key"])
    if record["derived_from"] == "work_order":
        return record["connection"], WORK_ORDER, key.removeprefix(ORDER_KEY_PREFIX), LAST
    if record["derived_from"] == "status_edges":
        asset, _, stamp = key.removeprefix(STATUS_KEY_PREFIX).rpartition(":")
        return record["connection"], STATUS, asset, stamp
    return record["connection"], INTERVAL, key, ""


OPERATIONS: Final = (
    *(each for name in KINDS for each in (_list(name), _one(name))),
    Operation(
        path="/assets/{connection}/{key}/downtime",
        name="asset_downtime",
        summary="The down time of an asset.",
        does=down_times,
        answer=RecordOf("downtime"),
        is_list=True,
        params=(DELETED, *PAGE),
        tag="assets",
    ),
)
