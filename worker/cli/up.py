"""`up`: everything on this machine, each role its own process, kept running."""

import contextlib
import fcntl
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import structlog
import typer

from handlers.errors import ConfigurationError, ServiceUnreachableError, TransientError
from handlers.settings import PREFIX, load
from handlers.store import migrate
from handlers.store.engine import Database
from worker import embedded, embedded_log
from worker.address import FOLDER, broker_url
from worker.ballast import Ballast
from worker.children import role
from worker.cli import output
from worker.console.serve import listen
from worker.metrics_folder import metrics_folder
from worker.parts import Launched, Part
from worker.settings import UpSettings
from worker.streams_ended import RUN, freed
from worker.supervisor import Supervisor
from worker.telemetry import MULTIPROCESS_DIR, configure_logging
from worker.tokens import OPERATOR_FILE, make_operator_token

WEBHOOK_BACKLOG = 2048
"""Requests that wait while the receiver is started again; the kernel cuts it to its own limit."""
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # to name them, not to listen on them

# Seconds from SIGTERM until a role is killed, each a little over what it gives itself. Killing loses nothing.
RECEIVER_GRACE, WORKER_GRACE, SCHEDULER_GRACE, CONSOLE_GRACE, BROKER_GRACE = 25.0, 30.0, 10.0, 10.0, 30.0

log = structlog.get_logger()


def up(
    *,
    home: Annotated[Path | None, typer.Option(help="Folder of everything embedded, made where missing.")] = None,
    public_host: Annotated[str | None, typer.Option(help="Address for webhooks.")] = None,
    public_port: Annotated[int | None, typer.Option(help="Port for webhooks; 0 picks a free one.")] = None,
    ops_host: Annotated[str | None, typer.Option(help="Address of the console.")] = None,
    ops_port: Annotated[int | None, typer.Option(help="Port of the console; 0 picks a free one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ready line as a JSON object.")] = False,
) -> None:
    """Run everything on this machine: broker, receiver, worker, scheduler, console.

    Prints one line once all of them are ready. What dies is started again. Ctrl-C or SIGTERM lets what is under way
    end, then everything else; a second one ends it at once.

    Example: `maintenworks up --home ./plant --public-port 8080`

    Example: `maintenworks up --public-port 0 --ops-port 0 --json` prints
    `{"receiver": "http://127.0.0.1:41233", "console": "http://127.0.0.1:41235", "home": "/srv/plant"}`
    """
    settings = load(
        UpSettings,
        home=home,
        public_host=public_host,
        public_port=public_port,
        ops_host=ops_host,
        ops_port=ops_port,
    )
    configure_logging(settings.log_level, settings.log_format, role="up")

    def tell(receiver: str, console: str) -> None:
        place = str(settings.home.absolute())
        if as_json:
            output.json_line({"receiver": receiver, "console": console, "home": place})
        else:
            port = f"console at {console} (its token is in {settings.home.absolute() / OPERATOR_FILE})"
            output.line(f"ready: webhooks at {receiver}/webhooks/CONNECTION, {port}, home {place}")
        sys.stdout.flush()  # whoever reads a pipe waits for this line

    raise typer.Exit(run(settings, tell))


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Running")(up)


def run(settings: UpSettings, tell: Callable[[str, str], None]) -> int:
    """Runs everything until a signal comes.

    Args:
        settings: of all the roles; their broker is embedded unless it names one.
        tell: called once with the URLs of receiver and console, when all are ready.

    Returns:
        The exit code, as `Supervisor.run` says.

    Raises:
        ConfigurationError: the home is in use, or a port is.
        ServiceUnreachableError: there is no program for the embedded broker.
        TransientError: the database is away.
    """
    os.umask(0o077)  # what is kept under the home is customers' data
    home = settings.home.absolute()
    _make(home)
    with _alone(home), contextlib.ExitStack() as kept:
        public = listen(settings.public_host, settings.public_port, f"{PREFIX}PUBLIC_PORT", WEBHOOK_BACKLOG)
        kept.enter_context(public)
        ops = kept.enter_context(listen(settings.ops_host, settings.ops_port, f"{PREFIX}OPS_PORT"))
        database = Database(settings.database)
        log.info("schema_ready", version=migrate.upgrade(database))
        database.close()
        make_operator_token(home)
        # Read now: a drained part's socket is closed.
        urls = _url(settings.public_host, public), _url(settings.ops_host, ops)
        environment = _environment(home, settings, kept.enter_context(metrics_folder(home)), urls[0])
        free = _freeing(settings, environment[RUN])
        parts = [
            role("console", ["worker", "console"], environment, grace=CONSOLE_GRACE, listener=ops),
            role("scheduler", ["worker", "scheduler"], environment, grace=SCHEDULER_GRACE),
            role("worker", ["worker", "worker"], environment, grace=WORKER_GRACE, left=free),
            role("receiver", ["receiver"], environment, grace=RECEIVER_GRACE, listener=public),
        ]
        ballast = Ballast(home / FOLDER, settings.min_free_bytes if settings.broker_url is None else 0)
        ballast.make()
        if settings.broker_url is None:
            parts.insert(0, Part("broker", lambda: _broker(home, ballast), BROKER_GRACE))

        def chore() -> None:
            ballast.make()
            if settings.broker_url is None:
                embedded_log.shorten(home, settings.min_free_bytes)

        return Supervisor(parts, lambda: tell(*urls), on_end=ballast.give_up, chore=chore).run()


def _broker(home: Path, ballast: Ballast) -> Launched:
    ballast.give_up()  # on a full disk it would end again at its first write
    return Launched(embedded.start(home))


def _freeing(settings: UpSettings, run_id: str) -> Callable[[int], None]:
    """What is done about a worker that has ended, whatever ended it: the next need not wait for its leases."""

    def left(pid: int) -> None:
        try:
            entries = freed(broker_url(settings), run_id, pid)
        except (ServiceUnreachableError, TransientError) as error:
            log.warning("work_not_freed", reason=str(error))
        else:
            if entries:
                log.info("work_freed", pid=pid, entries=entries)

    return left


def _make(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        problem = f"{PREFIX}HOME: {home}: {error.strerror}; name a folder that can be made"
        raise ConfigurationError([problem]) from error


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Bars a second `up` from the same home: it would wipe the first one's metrics before its broker stopped it."""
    with (home / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = f"{PREFIX}HOME: {home}: another `maintenworks up` runs there; stop it or name another folder"
            raise ConfigurationError([problem]) from None
        yield


def _environment(home: Path, settings: UpSettings, metrics: Path, receiver: str) -> Mapping[str, str]:
    """The children's environment: what was given to us, made definite, and where they keep their metrics."""
    return {
        **os.environ,
        f"{PREFIX}HOME": str(home),
        f"{PREFIX}OPS_HOST": settings.ops_host,
        f"{PREFIX}CANARY_URL": settings.canary_url or receiver,
        MULTIPROCESS_DIR: str(metrics),
        RUN: secrets.token_hex(4),
    }


def _url(host: str, listener: socket.socket) -> str:
    """Where this machine reaches a listener."""
    reached = WILDCARDS.get(host, host)
    port = listener.getsockname()[1]
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
