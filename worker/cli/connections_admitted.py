"""The broker's side of `connections add`: what was revoked there must be admitted there again."""

from handlers.errors import ServiceUnreachableError, TransientError
from worker import queue
from worker.address import FOLDER
from worker.cli import output
from worker.settings import WorkerSettings


def need_broker(settings: WorkerSettings, connection_id: str) -> None:
    """Sees that the broker answers, before a revoked connection is taken in again.

    Raises:
        ServiceUnreachableError: it does not; the connection is still revoked.
    """
    try:
        queue.queue_state(queue.broker_url(settings))
    except (ServiceUnreachableError, TransientError) as error:
        raise ServiceUnreachableError(f"{connection_id} is still revoked: {error}") from error


def admitted(settings: WorkerSettings, connection_id: str) -> bool:
    """Takes back a revocation in the broker, if it can; one that never ran has none.

    Returns:
        Whether nothing stands in the connection's way; what does was said on standard error.
    """
    try:
        queue.admit(queue.broker_url(settings), connection_id)
    except (ServiceUnreachableError, TransientError) as error:
        if settings.broker_url is None and not (settings.home / FOLDER).exists():
            return True
        output.note(f"maintenworks: {error}")
        output.note(
            f"were {connection_id} ever revoked, the broker would refuse it still: revoke it, then add it again"
        )
        return False
    return True
