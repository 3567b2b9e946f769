"""Settings of the worker, the scheduler, the console and the commands; the receiver has its own and no database."""

import json
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from handlers.settings import DATABASE_SCHEMES, Settings
from worker.address import SQLITE_FILE
from worker.durations import read_duration

SHORTEST_RETENTION = timedelta(hours=1)
"""It is looked at once an hour; what is shorter was meant otherwise."""
LONGEST_RETENTION = timedelta(days=36_500)
"""A hundred years, which is for ever."""
MOST_CREW_HOURS = 168 * 10_000
"""A week of ten thousand people around the clock."""


class WorkerSettings(Settings):
    """What the roles of this package need to know.

    Attributes:
        database_url: None means a SQLite file under the home.
        ops_host: the console's address; loopback only unless said otherwise, for its pages carry customers' data.
        ops_port: the console's port; 0 picks a free one.
        worker_threads: batches that one worker process has under way at once. More do not help SQLite, which has one
            writer; against PostgreSQL a thread waits most of its time.
        dead_letter_retention: how long dead letters are kept once they are settled, such as `90d`; None means for ever.
            Open ones are kept for ever in any case.
        crew_hours: by key or name of a crew: hours of work that it has in a week (straight time and planned overtime,
            less what goes elsewhere), for the backlog in weeks; as a variable a JSON object.
    """

    database_url: SecretStr | None = None
    ops_host: str = Field(default="127.0.0.1", min_length=1)
    ops_port: int = Field(default=8081, ge=0, le=65535)
    worker_threads: int = Field(default=24, ge=1, le=64)
    dead_letter_retention: str | None = None
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

    @field_validator("dead_letter_retention")
    @classmethod
    def _lasting(cls, value: str | None) -> str | None:
        if value is not None and not SHORTEST_RETENTION <= read_duration(value) <= LONGEST_RETENTION:
            raise ValueError("keep them for an hour at least; leave it out to keep them for ever")
        return value

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
