"""Revoking a connection from the console: what `connections revoke` does, with its row in the audit log."""

from handlers.connections import edits
from handlers.errors import ConfigurationError
from handlers.events import Json
from handlers.store.audit import append, head
from handlers.store.rowset import Transaction
from worker import queue
from worker.acts import Operator
from worker.console.acts import connection
from worker.console.house import House

ACT = "connections.revoke"


def revoke(house: House, name: str, operator: Operator) -> bool:
    """Refuses everything that a connection sends, from now on: the broker checks it at each enqueue.

    What was accepted before is still worked on. Only the command line takes it in again, with a new secret.

    Returns:
        Whether the file of connections says so too; where it does not, it is bad and has to be mended.

    Raises:
        RefusalError: there is no such connection.
        ServiceUnreachableError: there is no broker; nothing was done.
        TransientError: broker or database does not answer; nothing was done.
    """
    connection(house, name)
    head(house.database)
    queue.revoke(queue.broker_url(house.settings), name)
    outcome: dict[str, Json] = {"broker": "revoked", "file": "marked"}
    try:
        edits.revoke(house.settings.connections_path, name)
    except ConfigurationError:
        outcome["file"] = "not marked"
    with house.database.write() as session:
        append(Transaction(session), operator.did(ACT, {"connection": name}, outcome), house.now())
    house.registry.refresh()
    return outcome["file"] == "marked"
