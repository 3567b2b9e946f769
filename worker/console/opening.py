"""The console's parts, put together."""

from collections.abc import Iterator
from contextlib import contextmanager

from handlers.connections import Registry
from handlers.store.engine import Database
from worker.console.access.door import Door
from worker.console.access.failures import Failures
from worker.console.access.proxies import Proxies
from worker.console.access.sessions import Sessions, session_key
from worker.console.house import House, utc_now
from worker.console.pulse import Pulse, sources
from worker.console.replaying import LOOK_SECONDS, Runner
from worker.console.serve import DRAIN_SECONDS
from worker.settings import WorkerSettings
from worker.tokens import Tokens
from worker.upkeep import repeating


def door(settings: WorkerSettings) -> Door:
    """Who is let in, by the tokens of the home and the proxies of the settings."""
    tokens = Tokens(settings.home)
    proxies = Proxies.of(settings.trusted_proxies, settings.trusted_user_header, settings.trusted_operators)
    return Door(tokens, Sessions(session_key(settings.home), tokens, utc_now), Failures(), proxies)


@contextmanager
def opened(settings: WorkerSettings, database: Database, registry: Registry) -> Iterator[tuple[House, Door]]:
    """What pages and the API work with, while the block runs; replays that lie idle are gone on with meanwhile."""
    runner = Runner(database, utc_now)
    pulse = Pulse(sources(settings, database), utc_now)
    try:
        with repeating("replays", LOOK_SECONDS, runner.adopt), pulse.beating():
            yield House(database, registry, settings, runner, pulse=pulse), door(settings)
    finally:
        runner.close(DRAIN_SECONDS)
