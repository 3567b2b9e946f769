"""Opening the database."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from handlers.errors import MaintenworksError, TransientError
from handlers.store.engine import Database

FILES = 60
"""Of so many, one was refused in every run before the mend."""


def test_a_new_sqlite_file_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    """Turning a file to write-ahead logging refuses the second one who tries, whatever its busy time-out."""
    refused: list[MaintenworksError] = []

    def use(url: str, start: threading.Barrier) -> None:
        database = Database(url)
        start.wait()
        try:
            with database.write() as connection:
                connection.execute(sa.text("CREATE TABLE IF NOT EXISTS t (c)"))
        except MaintenworksError as error:
            refused.append(error)
        database.close()

    for number in range(FILES):
        start = threading.Barrier(3)
        url = f"sqlite:///{tmp_path / str(number)}.db"
        threads = [threading.Thread(target=use, args=(url, start)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert refused == []


def test_a_connection_counts_while_it_is_in_use_and_a_database_that_is_away_leaves_no_count(tmp_path: Path) -> None:
    held: list[int] = []

    @contextlib.contextmanager
    def using() -> Iterator[None]:
        held.append(1)
        try:
            yield
        finally:
            held.pop()

    database = Database(f"sqlite:///{tmp_path / 'here.db'}", using=using)
    with database.write(), database.read():
        assert len(held) == 2
    assert held == []
    database.close()
    away = Database(f"sqlite:///{tmp_path / 'nowhere' / 'away.db'}", using=using)
    with pytest.raises(TransientError), away.read():
        pass
    assert held == []
