"""Ways to tell people, as `notifications.toml` describes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from handlers.connections.connection import SecretRef
from handlers.rules.notices import KINDS, Kind, Policy

Tls: TypeAlias = Literal["starttls", "implicit", "none"]
PORTS: Final[Mapping[str, int]] = {"starttls": 587, "implicit": 465, "none": 25}
"""RFC 6409 (submission), RFC 8314, 3.3 (submissions), RFC 5321, 4.5.4.2."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A way to tell people. No secret's value is in it.

    Attributes:
        name: its table's name; no two channels share one.
        kinds: what is told there.
    """

    name: str
    kinds: tuple[Kind, ...] = KINDS


@dataclass(frozen=True, kw_only=True)
class Webhook(Channel):
    """By a POST, signed as Standard Webhooks.

    Attributes:
        url: the address, or where it is to be had.
        secret: what signs.
    """

    url: str | SecretRef
    secret: SecretRef


@dataclass(frozen=True, kw_only=True)
class Mail(Channel):
    """By mail.

    Attributes:
        host: of the server that takes it.
        port: there.
        tls: how the way there is kept private; with `starttls` nothing is said before it is.
        ca_file: who is believed besides the system's authorities; None for them alone.
        user: None for a server that asks for nobody.
        password: None likewise.
        sender: what stands in `From`.
        to: who gets it.
    """

    host: str
    port: int
    tls: Tls
    ca_file: str | None
    user: str | None
    password: SecretRef | None
    sender: str
    to: tuple[str, ...]


@dataclass(frozen=True)
class Notifications:
    """What the file says.

    Attributes:
        name: of this installation, in what people get; None for the machine's.
        console_url: where people find the console; None for no links.
        policy: when people are told.
        channels: by name.
    """

    name: str | None = None
    console_url: str | None = None
    policy: Policy = field(default_factory=Policy)
    channels: Mapping[str, Channel] = field(default_factory=dict)
