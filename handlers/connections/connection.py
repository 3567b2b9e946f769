"""A connection: one customer's link to one source, as `connections.toml` describes it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias

from handlers.events import MappingOptions
from handlers.signatures import Scheme

Environment: TypeAlias = Literal["production", "sandbox"]
Deployment: TypeAlias = Literal["cloud", "on_premises"]

MIN_SECRET_BYTES: Final = 16
"""A secret's text is at least this long: 128 bits at best, which nobody guesses."""


@dataclass(frozen=True, kw_only=True)
class SecretRef:
    """Where a secret is, never what it is.

    Attributes:
        text: `env:NAME` or `file:PATH`.
        not_before: used from then on (UTC); None for always.
        not_after: used until then, that moment included (UTC); None for ever.
    """

    text: str
    not_before: datetime | None = None
    not_after: datetime | None = None

    def valid_at(self, moment: datetime) -> bool:
        """Whether it is used at an aware moment."""
        if self.not_before is not None and moment < self.not_before:
            return False
        return self.not_after is None or moment <= self.not_after


@dataclass(frozen=True, kw_only=True)
class Api:
    """The connection's API, for what its webhooks leave out.

    Attributes:
        base_url: with scheme and path, without a slash at its end.
        token: where the bearer token is; None where it needs none.
    """

    base_url: str
    token: SecretRef | None = None


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One entry of the registry. No secret's value is in it.

    Attributes:
        id: its name, in the webhook's address and in every record's identity.
        source: the upstream system's kind, a name on the shelf of sources.
        customer: whose it is; the id where nobody said.
        environment: `production` or `sandbox`; figures never mix the two.
        scheme: how its webhooks are signed.
        secrets: in the file's order; position 0 is the newest after a rotation.
        options: what its source is told.
        paused: deliveries are verified and kept, and applied once it is resumed.
        revoked: verifies nothing; what was accepted before is still read by its options.
        rate_limit: verified requests a second and receiver; None for no limit.
        deployment: `cloud` or `on_premises`, for the counting of credits.
        api: None where nothing is fetched.
    """

    id: str
    source: str
    customer: str
    environment: Environment
    scheme: Scheme
    secrets: tuple[SecretRef, ...]
    options: MappingOptions = field(default_factory=MappingOptions)
    paused: bool = False
    revoked: bool = False
    rate_limit: float | None = None
    deployment: Deployment = "cloud"
    api: Api | None = None
