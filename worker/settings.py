"""Settings of the worker, the scheduler, the console and the commands; the receiver has its own and no database."""

import json
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from handlers.connections.notification_file import NAME as NOTIFICATIONS_FILE
from handlers.rules.durations import read_duration
from handlers.settings import DATABASE_SCHEMES, Settings
from handlers.signatures import pointer_problem
from worker.address import SQLITE_FILE

SHORTEST_RETENTION = timedelta(hours=1)
"""It is looked at once an hour; what is shorter was meant otherwise."""
LONGEST_RETENTION = timedelta(days=36_500)
"""A hundred years, which is for ever."""
MOST_CREW_HOURS = 168 * 10_000
"""A week of ten thousand people around the clock."""


def split(value: object) -> object:
    """The words of a variable, between commas; a file has a list of its own."""
    return [word for each in value.split(",") if (word := each.strip())] if isinstance(value, str) else value


def _pointing(text: str) -> str:
    problem = pointer_problem(text)
    if problem is not None:
        raise ValueError(f"{text!r} {problem}")
    return text


def _network(text: str) -> str:
    ip_network(text)  # its own error says what is wrong
    return text


Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], NoDecode, BeforeValidator(split)]


class WorkerSettings(Settings):
    """What the roles of this package need to know.

    Attributes:
        database_url: None means a SQLite file under the home.
        ops_host: the console's address; loopback only unless said otherwise, for its pages carry customers' data.
        ops_port: the console's port; 0 picks a free one.
        ops_names: by which names else the console may be called, such as that of a reverse proxy.
        trusted_proxies: addresses or networks of reverse proxies that let people in and say who they are; none are
            believed unless named here.
        trusted_user_header: the header in which they say so; they must drop what a client sent under that name.
        trusted_operators: whom of those people the console lets act; the others may look.
        redact: JSON Pointers (RFC 6901, `*` for every element) to what the console masks in payloads, besides members
            whose names say that they are secrets; an operator may see it, which is audited.
        worker_threads: batches that one worker process has under way at once. More do not help SQLite, which has one
            writer; against PostgreSQL a thread waits most of its time.
        canary_url: address of the receiver, to which the scheduler sends a canary a minute for each connection of the
            source `canary`; None sends none. `up` fills in its own.
        notifications: who is told of what; None means `<home>/notifications.toml`, which need not exist.
        dead_letter_retention: how long dead letters are kept once they are settled, such as `90d`; None means for ever.
            Open ones are kept for ever in any case.
        archive_retention: how long the bytes of deliveries are kept once they are settled, such as `400d`; None means
            for ever. What older ones told is kept, as it was read when their bytes went.
        crew_hours: by key or name of a crew: hours of work that it has in a week (straight time and planned overtime,
            less what goes elsewhere), for the backlog in weeks; as a variable a JSON object.
    """

    database_url: SecretStr | None = None
    ops_host: str = Field(default="127.0.0.1", min_length=1)
    ops_port: int = Field(default=8081, ge=0, le=65535)
    ops_names: Names = ()
    trusted_proxies: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(split)
    ] = ()
    trusted_user_header: str = Field(default="x-forwarded-user", pattern=r"^[A-Za-z0-9-]+$")
    trusted_operators: Names = ()
    redact: Annotated[tuple[Annotated[str, AfterValidator(_pointing)], ...], NoDecode, BeforeValidator(split)] = ()
    worker_threads: int = Field(default=24, ge=1, le=64)
    canary_url: str | None = Field(default=None, pattern=r"^https?://[^/?#]+[^?#]*$")
    notifications: Path | None = None
    dead_letter_retention: str | None = None
    archive_retention: str | None = None
    crew_hours: Annotated[
        dict[str, Annotated[float, Field(gt=0, le=MOST_CREW_HOURS, allow_inf_nan=False)]], NoDecode
    ] = Field(default_factory=dict)

    @field_validator("crew_hours", mode="before")
    @classmethod
    def _object(cls, value: Any) -> Any:
        """A variable is text; pydantic's own reading of it would end with an error of another kind."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError('no JSON object; write {"MECHANICS": 160}') from None

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(DATABASE_SCHEMES):
            raise ValueError(f"starts with none of {', '.join(DATABASE_SCHEMES)}")
        return value

    @field_validator("dead_letter_retention", "archive_retention")
    @classmethod
    def _lasting(cls, value: str | None) -> str | None:
        if value is not None and not SHORTEST_RETENTION <= read_duration(value) <= LONGEST_RETENTION:
            raise ValueError("keep them for an hour at least; leave it out to keep them for ever")
        return value

    @property
    def notifications_path(self) -> Path:
        """Where it is read who is told of what."""
        return self.notifications or self.home / NOTIFICATIONS_FILE

    @property
    def database(self) -> str:
        """The database's URL, the default filled in; it may hold a password."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home.absolute() / SQLITE_FILE}"


class UpSettings(WorkerSettings):
    """What `up` needs besides: it opens the receiver's socket and keeps it while the receiver is started again.

    Attributes:
        public_host: the receiver's address.
        public_port: the receiver's port; 0 picks a free one.
    """

    public_host: str = Field(default="0.0.0.0", min_length=1)  # noqa: S104  # webhooks come from outside
    public_port: int = Field(default=8080, ge=0, le=65535)
