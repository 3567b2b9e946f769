"""One leader at a time, and the next as soon as it is gone."""

from datetime import timedelta

from handlers.store import leader
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests.folding import NOON

TTL = timedelta(seconds=10)


def holds(database: Database, owner: str, seconds: int) -> bool:
    with database.write() as connection:
        return leader.hold(Transaction(connection), "schedule", owner, now=NOON + timedelta(seconds=seconds), ttl=TTL)


def test_a_duty_is_held_by_one_until_it_expires(database: Database) -> None:
    assert holds(database, "a", 0)
    assert not holds(database, "b", 5)
    assert holds(database, "a", 8)
    assert not holds(database, "b", 17)
    assert holds(database, "b", 18)
    assert not holds(database, "a", 19)


def test_a_duty_given_up_is_free_at_once(database: Database) -> None:
    assert holds(database, "a", 0)
    with database.write() as connection:
        leader.release(Transaction(connection), "schedule", "b")
    assert not holds(database, "b", 1)
    with database.write() as connection:
        leader.release(Transaction(connection), "schedule", "a")
    assert holds(database, "b", 1)
