"""Opening the database."""

import threading
from pathlib import Path

import sqlalchemy as sa

from handlers.errors import MaintenworksError
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
