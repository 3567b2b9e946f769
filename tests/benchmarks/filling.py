"""A database filled by SQL with what some number of events would come to, for benchmarks of those who read it."""

import itertools
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from handlers.rules.order import EPOCH, MICROSECOND, TIME_OFFSET, VERSION_OFFSET
from handlers.rules.times import kept_instant
from handlers.store import schema
from handlers.store.audit import Act, append
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from worker.acts import new_id

CONNECTION: Final = "bench"
QUIET: Final = "quiet"
"""A connection that has sent a few events among all the others."""
RARE_TYPE: Final = "vendor.updated"
RARE_EVERY: Final = 40_000
"""Events of which one is of the quiet connection, one of a rare type and one that was stale."""
LETTER_CODES: Final = ("missing_field", "wrong_type", "unknown_status", "not_json", "unknown_connection")
CAUSES: Final = 40
AT_ONCE: Final = 5_000
"""Rows in one statement."""
STATUSES: Final = ("approved", "scheduled", "in_progress", "on_hold")
FINISHED: Final = ("completed", "closed", "cancelled")
YEAR: Final = timedelta(days=365)
ACTS: Final = 500

Row = dict[str, Any]


class Sizes(NamedTuple):
    """How much of everything there is."""

    events: int
    orders: int
    open_orders: int
    assets: int
    stops: int
    plans: int
    letters: int

    @classmethod
    def of(cls, events: int) -> "Sizes":
        """What so many events come to: five an order, one order in thirty open, some stops an asset, a fifth buried."""
        orders = max(events // 5, 10)
        return cls(
            events=events,
            orders=orders,
            open_orders=max(orders // 30, 5),
            assets=max(events // 200, 10),
            stops=max(events // 10, 10),
            plans=events // 2_000,
            letters=events // 5,
        )


def fill(database: Database, sizes: Sizes) -> None:
    """Writes it all, as of now, and brings the statistics up to date."""
    now = datetime.now(UTC)
    for table, rows in (
        (schema.assets, _assets(sizes)),
        (schema.work_orders, _orders(sizes, now)),
        (schema.downtime, _stops(sizes, now)),
        (schema.events, _events(sizes, now)),
        (schema.asset_history, _histories(sizes, now)),
        (schema.pm_plans, _plans(sizes)),
        (schema.pm_occurrences, _occurrences(sizes, now)),
        (schema.purchase_orders, _purchases(sizes)),
        (schema.dead_letters, _letters(sizes, now)),
    ):
        _insert(database, table, rows)
    with database.write() as plain:
        for number in range(ACTS):
            append(Transaction(plain), Act(who="anna", act="a.b", reason="r", plan={"n": number}, outcome={}), now)
    with database.write() as plain:
        plain.exec_driver_sql("ANALYZE")


def _insert(database: Database, table: sa.Table, rows: Iterable[Row]) -> None:
    held = iter(rows)
    while page := list(itertools.islice(held, AT_ONCE)):
        with database.write() as plain:
            Transaction(plain).insert(table, page)


def _stamp(number: int, at: datetime) -> str:
    micros = (at - EPOCH) // MICROSECOND
    event_id = f"e-{number}".encode().hex()
    return f"{VERSION_OFFSET - 1:016x}{micros + TIME_OFFSET:016x}01.{event_id}.{number:064x}"


def _registers(stamp: str, fields: Row, trail: Row | None = None) -> str:
    steps = [] if trail is None else [[0, trail]]
    return msgspec.json.encode([[stamp], dict.fromkeys(fields, 0), {}, "", stamp, steps]).decode()


def _ref(key: str) -> Row:
    return {"key": key, "label": None}


def _word(value: str) -> Row:
    return {"value": value, "source_code": None, "source_label": None}


def _asset(number: int) -> str:
    return f"A-{number:06d}"


def _moment(number: int, sizes: Sizes, now: datetime) -> datetime:
    """When the event of that number happened: all of them are spread over a year."""
    return now - YEAR * (1 - number / sizes.events)


def _assets(sizes: Sizes) -> Iterator[Row]:
    for number in range(sizes.assets):
        fields = {"name": f"Pump {number}", "site_ref": _ref(f"S-{number % 20}"), "status": _word("operating")}
        yield {
            "connection_id": CONNECTION,
            "key": _asset(number),
            "name": fields["name"],
            "status": "operating",
            "site_key": f"S-{number % 20}",
            "fields": fields,
            "registers": _registers(_stamp(number, EPOCH), fields),
        }


def _orders(sizes: Sizes, now: datetime) -> Iterator[Row]:
    dice = random.Random(1)
    for number in range(sizes.orders):
        is_open = number % (sizes.orders // sizes.open_orders) == 0
        status = dice.choice(STATUSES if is_open else FINISHED)
        at = _moment(number * 5, sizes, now)
        due = (now if is_open else at) + timedelta(days=dice.uniform(-10, 60))
        fields = {
            "title": "Replace bearing on conveyor drive motor",
            "description": "Vibration above limit on the drive end; check alignment and grease. " * 4,
            "status": _word(status),
            "type": dice.choice(["corrective", "preventive"]),
            "priority": dice.choice(["low", "medium", "high"]),
            "asset_ref": _ref(_asset(number % sizes.assets)),
            "team_ref": _ref(f"T-{dice.randrange(30)}"),
            "due_at": kept_instant(due.replace(microsecond=0)),
        }
        yield {
            "connection_id": CONNECTION,
            "key": f"W-{number:07d}",
            "status": status,
            "type": fields["type"],
            "priority": fields["priority"],
            "title": fields["title"],
            "asset_key": _asset(number % sizes.assets),
            "due_at": fields["due_at"],
            "completed_at": None if is_open else at,
            "fields": fields,
            "registers": _registers(_stamp(number, at), fields, {"status": _word(status)}),
        }


def _stops(sizes: Sizes, now: datetime) -> Iterator[Row]:
    dice = random.Random(2)
    for number in range(sizes.stops):
        started = now - YEAR * dice.random()
        lasts = number % 5_000 == 0
        planned = dice.random() < 1 / 3
        yield {
            "connection_id": CONNECTION,
            "origin": "interval",
            "key": f"D-{number}",
            "part": "",
            "asset_key": _asset(number % sizes.assets),
            "started_at": started,
            "ended_at": None if lasts else started + timedelta(hours=dice.expovariate(1 / 4)),
            "planned": planned,
            "failure": not planned,
        }


def _events(sizes: Sizes, now: datetime) -> Iterator[Row]:
    for number in range(sizes.events):
        at = _moment(number, sizes, now)
        place = number % RARE_EVERY  # of which only three are anything special
        yield {
            "connection_id": QUIET if place == 1 else CONNECTION,
            "event_id": f"e-{number}",
            "digest": f"{number:064x}",
            "delivery_id": new_id(at),
            "event_index": 0,
            "type": RARE_TYPE if place == 2 else "work_order.updated",
            "subject_kind": "work_order",
            "subject_key": f"W-{number // 5:07d}",
            "occurred_at": at,
            "received_at": at,
            "processed_at": at,
            "outcome": "stale" if place == 3 else "applied",
            "event_id_reused": False,
            "map": "m",
        }


def _histories(sizes: Sizes, now: datetime) -> Iterator[Row]:
    for number in range(sizes.events):
        at = _moment(number, sizes, now)
        yield {
            "connection_id": CONNECTION,
            "subject_kind": "work_order",
            "subject_key": f"W-{number // 5:07d}",
            "stamp": _stamp(number, at),
            "slot": "",
            "asset_key": _asset(number // 5 % sizes.assets),
            "occurred_at": at,
            "type": "work_order.updated",
            "event_id": f"e-{number}",
            "digest": f"{number:064x}",
            "detail": {"status": "approved", "title": "Replace bearing"},
        }


def _plans(sizes: Sizes) -> Iterator[Row]:
    for number in range(sizes.plans):
        fields = {"name": f"Grease {number}"}
        yield {
            "connection_id": CONNECTION,
            "key": f"P-{number:05d}",
            "name": fields["name"],
            "fields": fields,
            "registers": _registers(_stamp(number, EPOCH), fields),
        }


def _occurrences(sizes: Sizes, now: datetime) -> Iterator[Row]:
    for number, week in itertools.product(range(sizes.plans), range(-52, 13)):
        day = (now + timedelta(weeks=week, days=number % 7)).date()
        due_at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        yield {
            "connection_id": CONNECTION,
            "plan_key": f"P-{number:05d}",
            "due_key": day.isoformat(),
            "asset_key": _asset(number % sizes.assets),
            "site_key": f"S-{number % 20}",
            "due_date": day.isoformat(),
            "due_at": due_at,
            "due_until": due_at + timedelta(days=2),
            "is_estimated": False,
            "state": "planned" if week > 0 else "overdue" if week == 0 else "completed",
            "completed_at": due_at if week < 0 else None,
            "on_time": True if week < 0 else None,
        }


def _purchases(sizes: Sizes) -> Iterator[Row]:
    for number in range(sizes.events // 100):
        fields = {"number": str(number), "vendor_ref": _ref("V-1")}
        yield {
            "connection_id": CONNECTION,
            "key": f"PO-{number}",
            "number": str(number),
            "vendor_key": "V-1",
            "fields": fields,
            "registers": _registers(_stamp(number, EPOCH), fields),
        }


def _letters(sizes: Sizes, now: datetime) -> Iterator[Row]:
    dice = random.Random(3)
    for number in range(sizes.letters):
        at = now - YEAR * (1 - number / sizes.letters)
        cause = min(int(dice.expovariate(1 / 6)), CAUSES - 1)
        code = LETTER_CODES[cause % len(LETTER_CODES)]
        message = f"lines/{cause}: an event of that kind states one, and this one has none of its own"
        attempt = {"at": at.isoformat(), "code": code, "message": message, "delivery": "d", "index": 0}
        yield {
            "delivery_id": new_id(at),
            "event_index": 0,
            "connection_id": CONNECTION,
            "digest": f"{number:064x}",
            "code": code,
            "class": "MappingError",
            "message": message,
            "path": f"/lines/{cause}",
            "found": "null",
            "expected": "text",
            "fingerprint": f"{cause:016x}",
            "attempts": [attempt] * 2,
            "state": "open",
            "first_seen_at": at,
            "buried_at": at,
            "type": "work_order.updated",
        }
