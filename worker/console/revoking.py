"""Revoking from the console: what `connections revoke` does, with its row in the audit log.

Taking what was sent out of the set (`--distrust-since`) is left to the command line: it computes the connection's state
anew, which takes minutes, and shows a plan before.
"""

from handlers.connections import edits
from handlers.errors import ConfigurationError
from handlers.events import Json
from handlers.store.audit import head
from worker import queue
from worker.acts import Operator
from worker.console import acts
from worker.console.house import House
from worker.console.refusals import conflict, malformed

ACT = "connections.revoke"


def revoke(house: House, name: str, again: str, operator: Operator) -> None:
    """Refuses everything that a connection or an endpoint is sent, from now on: the broker checks it at each enqueue.

    What was accepted before is still worked on. Only the command line takes it in again, with a new secret.

    Args:
        house: what the console works with.
        name: of the connection, or of the address that some share.
        again: the name once more, typed by whoever is sure.
        operator: who, and why.

    Raises:
        RefusalError: there is no such connection, or the names differ, and nothing was done. Or it is done, and the
            file does not say so, or the audit log.
        ServiceUnreachableError: there is no broker; nothing was done.
        TransientError: broker or database does not answer; nothing was done.
    """
    if house.registry.endpoint(name) is None:
        acts.connection(house, name)
    if again.strip() != name:
        raise malformed("again: write its name once more, to revoke it")
    head(house.database)
    queue.revoke(queue.broker_url(house.settings), name)
    outcome: dict[str, Json] = {"broker": "revoked", "file": "marked"}
    try:
        edits.revoke(house.settings.connections_path, name)
    except (ConfigurationError, OSError):
        outcome["file"] = "not marked"
    acts.written(house, name, operator, ACT, outcome)
    house.registry.refresh()
    if outcome["file"] != "marked":
        raise conflict(f"{name} is revoked in the broker, but not marked in the file, which cannot be edited: mend it.")
