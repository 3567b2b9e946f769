"""The receiver's process: builds everything, serves, drains."""

import asyncio
import gc
import signal
import socket
import sys
from dataclasses import dataclass

import structlog

from handlers.connections import Registry
from handlers.errors import ConfigurationError, MaintenworksError, ServiceUnreachableError, TransientError
from handlers.settings import PREFIX, load
from receiver.app import build_app
from receiver.health import Health
from receiver.ops import build_ops_app
from receiver.protocol import BoundedProtocol
from receiver.server import Server, listen, loop_factory
from receiver.settings import ReceiverSettings
from worker.queue import Producer, broker_url
from worker.telemetry import (
    configure_logging,
    cut_short,
    handed_socket,
    is_multiprocess,
    printable,
    report_ready,
    traced,
)

USAGE = 2
UNREACHABLE = 69
"""EX_UNAVAILABLE of sysexits.h."""

NOTICE_SECONDS = 0.5
"""How long `/readyz` says 503 before the port closes, for whoever asks often; slower ones are kept off by a hook
before the signal."""


@dataclass(frozen=True)
class Parts:
    """What a receiver is made of, before anything runs.

    Attributes:
        settings: as given.
        registry: read once already.
        listener: the public port.
        metrics_listener: None where nobody scrapes this process itself.
    """

    settings: ReceiverSettings
    registry: Registry
    listener: socket.socket
    metrics_listener: socket.socket | None = None


def main() -> int:
    """Runs a receiver until SIGTERM or SIGINT.

    Returns:
        The exit code: 0 after draining, 2 for a configuration that cannot work, 69 without a broker.
    """
    try:
        parts = prepare()
        with traced("receiver"), asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(run(parts))
    except ConfigurationError as error:
        return _refuse(error, USAGE)
    except ServiceUnreachableError as error:
        return _refuse(error, UNREACHABLE)
    return 0


def prepare() -> Parts:
    """Reads the configuration and takes the ports.

    Raises:
        ConfigurationError: with every problem.
    """
    settings = load(ReceiverSettings)
    configure_logging(settings.log_level, settings.log_format, role="receiver")
    registry = Registry(settings.connections_path, settings.home)
    listener = handed_socket() or listen(settings.public_host, settings.public_port, f"{PREFIX}PUBLIC_PORT")
    metrics_listener = None
    if settings.metrics_port is not None and not is_multiprocess():
        metrics_listener = listen(settings.public_host, settings.metrics_port, f"{PREFIX}METRICS_PORT")
    return Parts(settings, registry, listener, metrics_listener)


async def run(parts: Parts) -> None:
    """Connects to the broker and serves until a signal comes; a second one ends the process at once.

    Raises:
        ServiceUnreachableError: there is no broker.
    """
    stop = asyncio.Event()

    def told(number: int) -> None:
        if stop.is_set():
            cut_short(number)
        stop.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, told, each)
    producer = Producer(broker_url(parts.settings), backlog_limit_bytes=parts.settings.backlog_limit_bytes)
    await producer.open()
    try:
        await _reach(producer)
        await serve(parts, producer, stop)
    finally:
        await producer.close()


async def serve(
    parts: Parts,
    producer: Producer,
    stop: asyncio.Event,
    *,
    protocol: type[BoundedProtocol] = BoundedProtocol,
    notice_seconds: float = NOTICE_SECONDS,
) -> None:
    """Serves until told to stop, then says so, waits a moment, and answers what is under way.

    Args:
        parts: what to serve.
        producer: open.
        stop: ends it.
        protocol: with the limits of one request.
        notice_seconds: how long `/readyz` says 503 before the port closes.
    """
    log = structlog.get_logger()
    health = Health(producer.check)
    public = Server(
        build_app(parts.settings, parts.registry, producer, health=health), parts.listener, protocol=protocol
    )
    serving = asyncio.create_task(public.serve_until_told())
    ops = None
    if parts.metrics_listener is not None:
        token = parts.settings.metrics_token
        ops = Server(build_ops_app(health, token.get_secret_value() if token else None), parts.metrics_listener)
        ops_serving = asyncio.create_task(ops.serve_until_told())
        await ops.ready.wait()
    await public.ready.wait()
    gc.freeze()  # what start-up made stays: the collector need not walk it at every request that it is due
    log.info("receiver_ready", port=public.port, metrics_port=ops.port if ops else None)
    report_ready()
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    health.draining = True
    log.info("drain_started")
    await asyncio.sleep(notice_seconds)
    public.should_exit = True
    await serving
    if ops is not None:
        ops.should_exit = True
        await ops_serving
    log.info("drained")


async def _reach(producer: Producer) -> None:
    """Only at the start: later a broker that is away means 503 until it is back."""
    try:
        await producer.check()
    except TransientError as error:
        ways = f"mend {PREFIX}BROKER_URL, or start the embedded one with `maintenworks up` in the same {PREFIX}HOME"
        raise ServiceUnreachableError(f"no broker: {error}; {ways}") from None


def _refuse(error: MaintenworksError, code: int) -> int:
    for line in str(error).splitlines():
        sys.stderr.write(f"receiver: {printable(line)}\n")
    return code
