"""Column types that read the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import DateTime, Text, types
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect

from handlers.events import Json

_ENCODER = msgspec.json.Encoder()


class Instant(types.TypeDecorator[datetime]):
    """An aware UTC instant: `timestamptz` on PostgreSQL, a text of fixed width that sorts by time on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        """Text where the database has no instants."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        """Writes UTC."""
        return sortable(value) if value is not None and dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Reads UTC, by one call a value: figures of many assets read tens of thousands."""
        del dialect, coltype
        return _read


def _read(value: datetime | str | None) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def sortable(moment: datetime) -> str:
    """An instant as text of fixed width, so that texts sort as times do."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


class Document(types.TypeDecorator[Json]):
    """A JSON document: `jsonb` on PostgreSQL, text on SQLite; read as plain values, decimals being strings already."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        """`jsonb` where there is one; our own codec, so that no number ever passes through a float."""
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else Text())

    def bind_processor(self, dialect: Dialect) -> Any:
        """Writes JSON text, which both databases take."""
        del dialect
        return lambda value: None if value is None else encode(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Reads text; PostgreSQL's driver has decoded it already, with `decode` (see `handlers.store.engine`)."""
        del coltype
        if dialect.name == "postgresql":
            return None
        return lambda value: None if value is None else decode(value)


def encode(value: Any) -> str:
    """JSON text of a kept value."""
    return _ENCODER.encode(value).decode()


def decode(text: str | bytes) -> Any:
    """The kept value of a JSON text."""
    return msgspec.json.decode(text)
