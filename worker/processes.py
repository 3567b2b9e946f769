"""The roles of this package as processes: each is put together here and runs until SIGTERM or SIGINT."""

import contextlib
import gc
import os
import random
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import structlog

from handlers import sources
from handlers.connections import Registry
from handlers.connections.plan_file import NAME as PLAN_FILE
from handlers.connections.zones import zones_of
from handlers.settings import PREFIX, load
from handlers.store import leader, letter_acts
from handlers.store.clock import DatabaseClock
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from worker import actors
from worker.address import broker_url
from worker.broker import make_broker, run_worker
from worker.canary import Canary, sent_canary
from worker.checkpointing import Readers
from worker.console import questions
from worker.console.app import build_app
from worker.console.checks import Readiness
from worker.console.opening import opened
from worker.console.serve import listen, serve, serving
from worker.dispatch import Dispatcher
from worker.due import DueRows
from worker.notifications.findings import Failing
from worker.notifications.notifier import notifying
from worker.occurrences import Looks, PlanFile, kept_occurrences
from worker.purging import purged_archive
from worker.queue import ring_rows
from worker.resumed import resumed_rows
from worker.retention import expired_letters
from worker.scheduler import Scheduler, Tick, due_rows, waiting_letters
from worker.settings import WorkerSettings
from worker.signals import cut_short
from worker.site_gauges import SiteGauges, kept_site_gauges
from worker.tally import begin_counting
from worker.telemetry import (
    DATABASE_CONNECTIONS,
    DATABASE_CONNECTIONS_LIMIT,
    configure_logging,
    handed_socket,
    is_multiprocess,
    report_ready,
    traced,
)
from worker.telling import tell
from worker.units import Reader
from worker.upkeep import measuring, refreshing

NICENESS = 5
"""How far the worker steps back where it shares a machine with the receiver: a sender waits for an answer, within
seconds; what was accepted waits for nobody. Measured on 2 busy cores: a tenth more accepted, the same committed."""
CONSOLE_CONNECTIONS = 8
"""To the database: a slow page keeps one, and so does each replay that runs, between its steps none."""
STOPPING = frozenset({signal.SIGTERM, signal.SIGINT})

log = structlog.get_logger()


def worker() -> None:
    """Works on what was taken in.

    Raises:
        ServiceUnreachableError: broker or database do not answer, or the schema is not this version's.
    """
    # Before any thread: each inherits it, so that the signal waits for the main thread to ask for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    settings = _settings("worker")
    used = DATABASE_CONNECTIONS.track_inprogress
    database = Database(settings.database, pool_size=settings.worker_threads + 1, using=used)
    DATABASE_CONNECTIONS_LIMIT.set(database.pool_size)
    registry = Registry(settings.connections_path, settings.home)
    url = questions.require(settings, database)
    broker = make_broker(url)
    reader = Reader(registry, sources.load(), max_body_bytes=settings.max_body_bytes)
    clock = DatabaseClock(database)
    dice = random.Random()  # noqa: S311  # jitter
    actors.declare(broker, Dispatcher(database, reader, clock=clock, dice=dice, tell=tell))

    def count() -> None:
        begin_counting(registry.all())

    count()
    readiness = Readiness(questions.everything(settings, database, registry))
    with traced("worker"), measuring(clock), refreshing(registry, count), _own_port(settings, readiness):
        gc.freeze()  # what start-up made stays: the collector need not walk it at every batch
        os.nice(NICENESS)
        log.info("worker_ready", threads=settings.worker_threads)
        report_ready()
        run_worker(broker, threads=settings.worker_threads, on_stop=readiness.drain)
    database.close()


def scheduler() -> None:
    """Rings for what is due.

    Raises:
        ServiceUnreachableError: broker or database do not answer, or the schema is not this version's.
    """
    settings = _settings("scheduler")
    database = Database(settings.database, pool_size=3)
    registry = Registry(settings.connections_path, settings.home)
    broker = make_broker(questions.require(settings, database))
    clock = DatabaseClock(database)

    def hold(duty: str, owner: str, ttl: timedelta) -> bool:
        with database.write() as connection:
            return leader.hold(Transaction(connection), duty, owner, now=clock(), ttl=ttl)

    def release(duty: str, owner: str) -> None:
        with database.write() as connection:
            leader.release(Transaction(connection), duty, owner)

    def send(limit: int) -> int:
        there = [each for each in registry.all().values() if not (each.paused or each.revoked)]
        members = [(each.endpoint, each.external_id) for each in there if each.endpoint and each.external_id]
        return letter_acts.send_waiting(database, [each.id for each in there], clock(), limit, members)

    def paused() -> list[str]:
        return [each.id for each in registry.all().values() if each.paused]

    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    readiness = Readiness(questions.everything(settings, database, registry))
    stop = threading.Event()

    def told(number: int, _: object) -> None:
        if stop.is_set():
            cut_short(number)
        readiness.drain()
        stop.set()

    for each in STOPPING:
        signal.signal(each, told)
    due = DueRows(database, lambda ids: ring_rows(broker, ids), clock)
    ticks = [waiting_letters(send), resumed_rows(database, paused, clock), due_rows(due.lease, due.ring)]
    file = PlanFile(settings.home / PLAN_FILE)
    ticks.append(kept_occurrences(Looks(database, file.plans, lambda: zones_of(registry.all()), clock)))
    ticks.append(kept_site_gauges(SiteGauges(database, registry.all, clock)))
    if settings.canary_url is not None:
        ticks.append(sent_canary(Canary(database, registry, settings.canary_url, clock)))
    ticks += _retentions(settings, database, registry, clock)
    failing = Failing(clock)
    tick, sender = notifying(settings, database, registry, failing, clock)
    ticks.append(tick)
    with traced("scheduler"), measuring(clock), refreshing(registry), _own_port(settings, readiness), sender.running():
        log.info("scheduler_ready", owner=owner)
        report_ready()
        Scheduler(ticks, hold, release, owner, hear=failing.hear).run(stop)
    broker.close()
    database.close()


def console() -> None:
    """Serves the operators' port, whatever else is down: that is when it is looked at.

    Raises:
        ServiceUnreachableError: nobody has said where the broker is; one that is named may be away.
    """
    settings = _settings("console")
    broker_url(settings)
    database = Database(settings.database, pool_size=CONSOLE_CONNECTIONS)
    registry = Registry(settings.connections_path, settings.home)
    readiness = Readiness(questions.everything(settings, database, registry))
    collectors = questions.collectors(settings, database, registry)
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    listener = handed_socket() or listen(settings.ops_host, settings.ops_port, f"{PREFIX}OPS_PORT")

    def started() -> None:
        log.info("console_ready", port=listener.getsockname()[1])
        report_ready()

    with refreshing(registry), opened(settings, database, registry) as parts:
        app = build_app(
            readiness, collectors, ops_host=settings.ops_host, names=settings.ops_names, token=token, console=parts
        )
        gc.freeze()  # what start-up made stays: the collector need not walk it, some 80 ms, while somebody waits
        serve(app, listener, readiness, started)
    database.close()


def _retentions(
    settings: WorkerSettings, database: Database, registry: Registry, clock: DatabaseClock
) -> Iterator[Tick]:
    """The ticks that let go what is older than the settings keep it."""
    if settings.dead_letter_retention is not None:
        yield expired_letters(database, settings.dead_letter_retention, clock)
    if settings.archive_retention is not None:
        reader = Reader(registry, sources.load(), max_body_bytes=settings.max_body_bytes)
        yield purged_archive(Readers(database, registry, reader), settings.archive_retention, clock)


def _settings(role: str) -> WorkerSettings:
    settings = load(WorkerSettings)
    configure_logging(settings.log_level, settings.log_format, role=role)
    return settings


@contextlib.contextmanager
def _own_port(settings: WorkerSettings, readiness: Readiness) -> Iterator[None]:
    """The metrics port of a role that runs alone; with others, the console shows their sum."""
    if settings.metrics_port is None or is_multiprocess():
        yield
        return
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    app = build_app(readiness, [], ops_host=settings.ops_host, token=token)
    listener = listen(settings.ops_host, settings.metrics_port, f"{PREFIX}METRICS_PORT")
    with serving(app, listener):
        log.info("metrics_ready", port=listener.getsockname()[1])
        yield


ROLES: dict[str, Callable[[], None]] = {"worker": worker, "scheduler": scheduler, "console": console}
