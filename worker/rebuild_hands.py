"""Several processes that read and fold for a rebuild; each ends when whoever started it does, however that ends."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from handlers import sources
from handlers.connections import Registry
from handlers.errors import MaintenworksError, TransientError
from handlers.store.engine import Database
from worker.rebuild_bulk import Alone, Group, Hands, Sorted, sort
from worker.rebuild_fold import Folded, fold, uncollected
from worker.rereading import Archive
from worker.units import Reader

MOST = 8
"""Processes at once: whoever puts what they fold into the database is one, and can serve no more."""
ENOUGH = 20_000
"""Deliveries for which it is worth starting processes, which takes a second."""

Came = TypeVar("Came")
Task = tuple[str, Any]


class Recipe(NamedTuple):
    """How another process reads the same archive.

    Attributes:
        database_url: where it is.
        connections: the file of connections.
        home: what paths in it are relative to.
        connection_id: whose archive.
        max_body_bytes: greatest size of a body once it is inflated.
        now: of the archive.
        fingerprint: of the map by which it must be read.
    """

    database_url: str
    connections: Path
    home: Path
    connection_id: str
    max_body_bytes: int
    now: datetime
    fingerprint: str


class Several:
    """Processes, each of which has one piece at a time.

    Args:
        pipes: to each of them.
    """

    def __init__(self, pipes: Sequence[Pipe]) -> None:
        self._pipes = pipes

    def sort(self, groups: Iterable[Group], shards: int) -> Iterator[tuple[int, Sorted]]:
        """Reads groups of deliveries and tells their events apart."""
        return self._each(("sort", (group, shards)) for group in groups)

    def fold(self, shards: Iterable[Sequence[bytes]], dialect: str) -> Iterator[tuple[int, Folded]]:
        """Folds shards, for a database of that dialect."""
        return self._each(("fold", (chunks, dialect)) for chunks in shards)

    def _each(self, tasks: Iterable[Task]) -> Iterator[tuple[int, Any]]:
        waiting = enumerate(tasks)
        under_way: dict[Pipe, int] = {}

        def give(pipe: Pipe) -> None:
            task = next(waiting, None)
            if task is not None:
                under_way[pipe] = task[0]
                pipe.send(task[1])

        for pipe in self._pipes:
            give(pipe)
        while under_way:
            for ready in wait(list(under_way)):
                pipe = next(each for each in under_way if each is ready)
                number = under_way.pop(pipe)
                came = _received(pipe)
                give(pipe)
                yield number, came


def hands(recipe: Recipe | None, total: int, alone: Alone) -> AbstractContextManager[Hands]:
    """Who reads and folds so many deliveries: other processes where there is a recipe, and it is worth it."""
    return several(recipe) if recipe is not None and total >= ENOUGH else nullcontext(alone)


@contextmanager
def several(recipe: Recipe, count: int | None = None) -> Iterator[Several]:
    """Starts processes, as many as there are cores unless told otherwise, and ends them."""
    start = multiprocessing.get_context("spawn")
    ours, processes = [], []
    try:
        for _ in range(count or min(MOST, os.cpu_count() or 1)):
            here, there = start.Pipe()
            process = start.Process(target=_serve, args=(there, recipe), daemon=True)
            process.start()
            there.close()
            ours.append(here)
            processes.append(process)
        yield Several(ours)
    finally:
        for pipe in ours:
            pipe.close()
        for process in processes:
            process.terminate()
            process.join()


def _received(pipe: Pipe) -> Any:
    try:
        problem, came = pipe.recv()
    except (EOFError, OSError) as error:
        raise TransientError("rebuild_process_ended", "a process that read for the rebuild has ended") from error
    if problem is not None:
        raise TransientError("rebuild_process_failed", problem)
    return came


def _serve(pipe: Pipe, recipe: Recipe) -> None:
    """Works until nobody is at the other end; an interrupt from the terminal is the other's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with uncollected():
        _work(pipe, recipe)


def _work(pipe: Pipe, recipe: Recipe) -> None:
    registry = Registry(recipe.connections, recipe.home)
    database = Database(recipe.database_url, pool_size=1)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        work: Callable[[Task], Any] | None = None
        while True:
            task = pipe.recv()
            came: tuple[str | None, Any]
            try:
                work = work or _worker(registry, database, recipe)
                came = (None, work(task))
            except MaintenworksError as error:
                came = (str(error), None)
            except Exception as error:  # noqa: BLE001  # whoever asked raises it; its text may quote a payload
                came = (type(error).__name__, None)
            pipe.send(came)


def _worker(registry: Registry, database: Database, recipe: Recipe) -> Callable[[Task], Any]:
    connection = registry.get(recipe.connection_id)
    reader = Reader(registry, sources.load(), max_body_bytes=recipe.max_body_bytes)
    if connection is None or reader.fingerprint(connection) != recipe.fingerprint:
        raise TransientError("connection_changed", f"{recipe.connection_id} has changed meanwhile; run it again")
    archive = Archive(connection, reader, recipe.now)

    def work(task: Task) -> Any:
        name, given = task
        if name == "sort":
            return sort(database, archive, *given)
        chunks, dialect = given
        return fold(chunks, archive.now, dialect)

    return work
