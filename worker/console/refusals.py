"""Why a question or an act is refused: what endpoints raise, and which status each error of ours is."""

from http import HTTPStatus

from handlers.errors import (
    ConfigurationError,
    MaintenworksError,
    PermanentError,
    ServiceUnreachableError,
    TransientError,
)
from handlers.store.letter_acts import NOT_OPEN
from handlers.store.purged import PURGED

RETRY_AFTER_SECONDS = 5
"""When a service that is away is worth asking again."""


class RefusalError(MaintenworksError):
    """An answer that is not 200, on purpose.

    Attributes:
        status: of the answer.
        headers: beside it.
    """

    def __init__(self, status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers


def missing(detail: str) -> RefusalError:
    """What was asked for is not there."""
    return RefusalError(HTTPStatus.NOT_FOUND, detail)


def malformed(detail: str) -> RefusalError:
    """What was asked cannot be meant."""
    return RefusalError(HTTPStatus.BAD_REQUEST, detail)


def conflict(detail: str) -> RefusalError:
    """It cannot be done as things stand."""
    return RefusalError(HTTPStatus.CONFLICT, detail)


def status_of(error: MaintenworksError) -> tuple[HTTPStatus, str, dict[str, str] | None]:
    """The status, what is said, and the headers of the answer to an error of ours."""
    if isinstance(error, RefusalError):
        return error.status, str(error), error.headers
    if isinstance(error, TransientError | ServiceUnreachableError):
        return HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"retry-after": str(RETRY_AFTER_SECONDS)}
    if isinstance(error, PermanentError) and error.code in {NOT_OPEN, PURGED}:
        return HTTPStatus.CONFLICT, str(error), None
    if isinstance(error, ConfigurationError):
        return HTTPStatus.BAD_REQUEST, "; ".join(error.problems).replace("--", ""), None
    return HTTPStatus.BAD_REQUEST, str(error), None
