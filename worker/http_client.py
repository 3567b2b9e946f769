"""Outgoing HTTP, all of it: what is fetched, and what is sent in an upstream system's place.

No redirect is followed: a signed body or a token goes to the address that was configured, or nowhere. Trying again is
meant inside one attempt, short and only where asked; what takes longer is a row in the store.
"""

import email.utils
import functools
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import tenacity

from handlers.errors import TransientError
from worker.telemetry import version

TIME_OUT: Final = httpx.Timeout(connect=5.0, read=15.0, write=15.0, pool=30.0)
"""Seconds. Senders of webhooks give up after 15 to 30 (Standard Webhooks 1.0.0, "Sending webhooks"); the wait for a
connection of the pool is our own affair."""

RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that ask for another try (RFC 9110, 15.5.9 and 15.6; RFC 8470, 5.2; RFC 6585, 4)."""

_OWN_MACHINE: Final = ("all://localhost", "all://127.0.0.1", "all://[::1]")
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Patience:
    """How often one request is tried inside one attempt.

    Attributes:
        tries: at most, the first included.
        first_wait: the greatest wait before the second try, in seconds; doubled each time, full jitter.
        greatest_wait: seconds; a server that asks for more (`Retry-After`) is not asked again.
    """

    tries: int
    first_wait: float = 0.25
    greatest_wait: float = 5.0


ONCE: Final = Patience(tries=1)


def open_client() -> httpx.Client:
    """A client for any number of threads; close it."""
    return httpx.Client(
        timeout=TIME_OUT,
        headers={"user-agent": f"maintenworks/{version()}"},
        follow_redirects=False,
        verify=_authorities(),
        # A proxy of the environment leads to the world outside, not to this machine.
        mounts=dict.fromkeys(_OWN_MACHINE),
    )


def request(
    client: httpx.Client,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    patience: Patience = ONCE,
) -> httpx.Response:
    """Sends a request and reads the whole answer; whatever the last try was answered is returned.

    Raises:
        TransientError: of code `http_timeout` or `http_unreachable`: the last try had no answer.
    """
    try:
        return tenacity.Retrying(**_policy(patience))(client.request, method, url, headers=headers, content=content)
    except httpx.RequestError as error:
        raise _translated(error) from error


def status_of(
    client: httpx.Client,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    patience: Patience = ONCE,
) -> int:
    """Sends a request and returns the status that it was answered; nothing of the answer's body is read.

    Raises:
        TransientError: as `request`.
    """

    def once() -> httpx.Response:
        with client.stream(method, url, headers=headers, content=content) as answer:
            return answer

    try:
        answer: httpx.Response = tenacity.Retrying(**_policy(patience))(once)
    except httpx.RequestError as error:
        raise _translated(error) from error
    return answer.status_code


def retry_after(response: httpx.Response, now: datetime) -> float | None:
    """The seconds that an answer asks to wait (RFC 9110, 10.2.3); None where it asks for none that can be read."""
    text = response.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())


@functools.cache
def _authorities() -> ssl.SSLContext:
    """Whom we believe, read once: reading them takes longer than a request."""
    return httpx.create_ssl_context()


def _policy(patience: Patience) -> dict[str, Any]:
    jittered = tenacity.wait_random_exponential(multiplier=patience.first_wait, max=patience.greatest_wait)

    def wait(state: tenacity.RetryCallState) -> float:
        return max(jittered(state), _asked(state))

    def stop(state: tenacity.RetryCallState) -> bool:
        return state.attempt_number >= patience.tries or _asked(state) > patience.greatest_wait

    return {
        "stop": stop,
        "wait": wait,
        "retry": tenacity.retry_any(
            tenacity.retry_if_exception_type(httpx.TransportError),
            tenacity.retry_if_result(lambda response: response.status_code in RETRIED),
        ),
        "retry_error_callback": _last,
    }


def _asked(state: tenacity.RetryCallState) -> float:
    outcome = state.outcome
    if outcome is None or outcome.failed:
        return 0.0
    return retry_after(outcome.result(), datetime.now(UTC)) or 0.0


def _last(state: tenacity.RetryCallState) -> Any:
    assert state.outcome is not None, "called after a try only"
    return state.outcome.result()


def _translated(error: httpx.RequestError) -> TransientError:
    """Names the server, not the address: its query may be a token."""
    server = str(error.request.url.copy_with(raw_path=b"/", username=None, password=None, fragment=None))
    code = "http_timeout" if isinstance(error, httpx.TimeoutException) else "http_unreachable"
    return TransientError(code, f"{server}: {str(error) or type(error).__name__}")
