"""No statement of the hot path reads a whole table: a batch costs the same however much is archived."""

from datetime import timedelta

from handlers.events import Json
from handlers.store import dead_letters, deliveries, retries
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests import folding
from tests.plans import heard, plan, read_whole


def test_every_statement_of_a_batch_finds_its_rows_by_an_index(database: Database) -> None:
    """Asks the database itself for the plan of each statement that a batch of every kind of fact runs."""
    asset: Json = {"key": "PUMP-1", "label": None}
    late: Json = {"key": "PUMP-2", "label": None}
    batches = [
        [
            folding.event("work_order.created", "WO-1", {"asset_ref": asset, "asset_down": True}, at=5, id_="a"),
            folding.event("work_order.updated", "WO-1", {"status": {"value": "in_progress"}}, at=9, id_="b"),
            folding.event("downtime.started", "D-1", {"asset_ref": asset}, at=1, id_="c"),
            folding.event("asset.status_changed", "PUMP-1", {"status": "down"}, at=2, id_="d"),
            folding.event("purchase_order.created", "PO-1", {"lines": [{"asset_ref": asset}]}, id_="g", thin=True),
            folding.event("inventory_item.created", "I-1", {"asset_refs": [asset]}, id_="h"),
            folding.event("vendor.created", "V-1", id_="i"),
            folding.event("meter_reading.recorded", "R-1", {"meter_ref": asset, "value": "1"}, id_="j"),
            folding.event("meter.reset", "PUMP-1", id_="k"),
            folding.event("pm_plan.created", "P-1", id_="l"),
        ],
        [
            folding.event("work_order.updated", "WO-1", {"asset_ref": late}, at=6, id_="e"),
            folding.event("purchase_order.updated", "PO-1", at=6, id_="m", full_fields=("lines",)),
            folding.event("asset.status_changed", "PUMP-1", {"status": "operating"}, at=1, id_="f"),
        ],
    ]
    with heard(database) as statements:
        folding.apply(database, batches)
        with database.write() as connection:
            tx = Transaction(connection)
            dead_letters.supersede(tx, [("c", "0" * 64)])
            retries.take(tx, [("d", 0)])
            retries.finish(tx, [("d", 0)])
            retries.lease_due(tx, now=folding.NOON, lease=timedelta(minutes=1), limit=10)
            deliveries.archive(tx, [folding.delivery("d", b"{}")], folding.NOON)

    whole = {line for each in statements for line in plan(database, each) if read_whole(line) is not None}

    assert len(statements) > 30
    assert whole == set()
