"""The two families of failure, and what each carries.

Expected ends are values (`handlers.events.Outcome`); only failures raise. A foreign exception is translated into
one of these where it enters, so that nothing above has to know which library it came from.
"""

from collections.abc import Sequence
from datetime import datetime


class MaintenworksError(Exception):
    """Whatever this project raises on purpose."""


class TransientError(MaintenworksError):
    """Something outside failed for now: the same work is tried again later.

    Attributes:
        code: a stable slug for metrics and logs, such as `database_unavailable`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class PermanentError(MaintenworksError):
    """Trying again cannot help: the event becomes a dead letter at once.

    Attributes:
        code: a stable slug: `malformed_json`, `missing_field`, `wrong_type`, `out_of_range`, `unknown_connection`,
            `clock_skew`, `too_many_events`, `reserved_key` and their like.
        path: JSON path of what was wrong inside the delivery's body, such as `$[3].data.key`; None for the whole.
        found: the type (never the value) of what stood there, such as `number`.
        expected: what should have stood there, in words.
        retry_at: when it will be right by itself; None where somebody has to do something.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        path: str | None = None,
        found: str | None = None,
        expected: str | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.path = path
        self.found = found
        self.expected = expected
        self.retry_at = retry_at


class ConfigurationError(MaintenworksError):
    """A configuration nobody can work with; reported whole, one line a problem, exit code 2.

    Attributes:
        problems: one line each, naming file, line or key, and the mend.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class ServiceUnreachableError(MaintenworksError):
    """A service that a command cannot do without does not answer; exit code 69."""
