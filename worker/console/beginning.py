"""Whether an installation has only begun: then its pages teach how the first event comes."""

from handlers.sources.canary import NAME
from handlers.store import standing
from worker.console.house import House


def is_new(house: House) -> bool:
    """Whether nothing has come in yet but canaries; what was buried or purged has come.

    Raises:
        TransientError: the database is away.
    """
    own = {each.id for each in house.registry.all().values() if each.source == NAME}
    return not standing.addresses(house.database) - own
