"""Connections and the addresses that some of them share, as `connections.toml` describes them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from handlers.events import MappingOptions
from handlers.rules.credits import credits_of
from handlers.signatures import Pointer, Scheme
from handlers.sources import Handshake

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
class Address:
    """Whatever a webhook may be posted to. No secret's value is in it.

    Attributes:
        id: its name, in `/webhooks/NAME`, in the metrics and in the count of what waits.
        scheme: how the webhooks are signed.
        secrets: in the file's order; position 0 is the newest after a rotation.
        revoked: verifies nothing; what was accepted before is still read.
        rate_limit: verified requests a second and receiver; None for no limit.
        handshakes: what its senders may ask before they send.
    """

    id: str
    scheme: Scheme
    secrets: tuple[SecretRef, ...]
    revoked: bool = False
    rate_limit: float | None = None
    handshakes: tuple[Handshake, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Endpoint(Address):
    """An address that several connections share: whose an event is, its payload says, and the worker reads there.

    Attributes:
        source: whose rules it follows where it has none of its own; None where it has.
        pointer: where a payload, or each event of one, has the id of its connection.
    """

    source: str | None
    pointer: Pointer


@dataclass(frozen=True, kw_only=True)
class Connection(Address):
    """One customer's link to one source; its id is part of the identity of every record.

    Attributes:
        source: the upstream system's kind, a name on the shelf of sources.
        customer: whose it is; the id where nobody said.
        environment: `production` or `sandbox`; figures never mix the two.
        options: what its source is told.
        paused: deliveries are verified and kept, and applied once it is resumed.
        deployment: `cloud` or `on_premises`, for the counting of credits.
        tier: of its system, of `handlers.rules.credits.TIERS`; None where nobody said.
        stated_credits: what it costs whatever its tier; None where that counts.
        api: None where nothing is fetched.
        expect_every: nothing for longer than that is silence; None where nobody says.
        endpoint: the shared address at which its events come in; None where it has only its own.
        external_id: the id by which payloads there name it.
    """

    source: str
    customer: str
    environment: Environment
    options: MappingOptions = field(default_factory=MappingOptions)
    paused: bool = False
    deployment: Deployment = "cloud"
    tier: int | None = None
    stated_credits: int | None = None
    api: Api | None = None
    expect_every: timedelta | None = None
    endpoint: str | None = None
    external_id: str | None = None

    @property
    def credits(self) -> int | None:
        """What it costs in Makini's credits: nothing once it is revoked; None where nobody said."""
        return 0 if self.revoked else credits_of(self.tier, self.deployment, self.stated_credits)

    @property
    def has_address(self) -> bool:
        """Whether webhooks can be posted under its own name."""
        return self.endpoint is None or bool(self.secrets)
