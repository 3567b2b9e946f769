"""What is to be fetched, by the whole road: webhooks without id and time, and the records fetched then."""

from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from handlers.events import Delivery
from handlers.store import schema
from handlers.store.engine import Database
from tests.worker.letters import Yard
from tests.worker.rebuilding import check, rebuilt

SAMPLES = Path(__file__).parents[1] / "samples" / "sources" / "makini"


class Makini(Yard):
    """An installation whose connection is of a source that may post neither an id nor a time."""

    def _write(self, name: str, *options: str) -> None:
        super()._write(name, *options)
        self._path.write_text(self._path.read_text().replace('"unified"', '"makini"'))

    def came(self, body: object) -> list[str]:
        """The keys of what is to be fetched after a delivery that comes a month later."""
        self.now += timedelta(days=30)
        self.process(Delivery(f"d-{self.now}", "plant", self.now, orjson.dumps(body)))
        return [row["key"] for row in self.rows(schema.fetches) if row["is_due"]]


@pytest.fixture
def yard(database: Database, tmp_path: Path) -> Makini:
    return Makini(database, tmp_path)


def test_the_same_bytes_again_ask_again_and_a_record_fetched_since_grants_it(yard: Makini) -> None:
    """Given a thin webhook, twice, and its record, long past and unchanged; then each of them counts."""
    record = orjson.loads((SAMPLES / "05_purchase_order_answer.json").read_bytes())
    key = record["data"]["key"]
    thin = {"event": "purchase-orders.updated", "body": [key]}

    assert yard.came(thin) == [key]
    assert yard.came(record) == []
    assert yard.came(thin) == [key]
    assert yard.came(record) == []
    assert len(yard.rows(schema.events)) == 2

    yard.came(thin)
    before = yard.rows(schema.fetches)
    assert check(yard).findings == []
    rebuilt(yard)
    assert yard.rows(schema.fetches) == before
