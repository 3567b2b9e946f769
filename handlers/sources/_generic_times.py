"""Times as a connection's map says that they are written."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from handlers.model.reading import found
from handlers.model.times import instant
from handlers.sources import _generic_targets as targets
from handlers.sources._converters import epoch_milliseconds, epoch_seconds, local_date, moment
from handlers.sources._generic_places import ABSENT, Place
from handlers.sources._mapping import Convert, Field
from handlers.sources._node import Node

ISO, EPOCH_SECONDS, EPOCH_MILLISECONDS = "iso", "epoch_seconds", "epoch_milliseconds"
EPOCHS: Final[Mapping[str, Convert]] = {EPOCH_SECONDS: epoch_seconds, EPOCH_MILLISECONDS: epoch_milliseconds}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def time_written(holds: str, how: str) -> Convert:
    """How a field is read whose time or date is written in a way of its own.

    Args:
        holds: what of a time the field holds, of `_generic_targets.TIMES`.
        how: `ISO`, one of `EPOCHS`, or a form as `strptime` takes it.
    """
    has_clock = how in EPOCHS or how == ISO or "%H" in how or "%I" in how

    def convert(value: Any, node: Node, field: Field) -> Any:
        written = _rewritten(value, how, node, field)
        is_day = isinstance(written, str) and _DATE.fullmatch(written) is not None
        if holds == targets.DATE or (holds == targets.MOMENT and (is_day or not has_clock)):
            return local_date(written, node, field)
        return moment(written, node, field)

    return convert


def _rewritten(value: Any, how: str, node: Node, field: Field) -> Any:
    """A time as RFC 3339 writes it, perhaps without an offset; RFC 3339's own is left as it is.

    Raises:
        PermanentError: it is not written that way.
    """
    if how == ISO:
        return value
    if how in EPOCHS:
        return EPOCHS[how](value, node, field)
    if not isinstance(value, str):
        raise node.error("wrong_type", field.name, found(value), f"a time written as {how}")
    try:
        return datetime.strptime(value, how).isoformat()  # noqa: DTZ007  # its zone is the connection's, added later
    except (ValueError, OverflowError):
        raise node.error("malformed_value", field.name, "string", f"a time written as {how}") from None


def happened(spot: Place, how: str, node: Node, nulls: frozenset[str]) -> datetime | None:
    """When something happened, for the order of facts; None where the payload does not say.

    Raises:
        PermanentError: as `handlers.model.times.instant` does; `missing_time_zone` where nobody set one.
    """
    value = spot.find(node)
    if value is ABSENT or value is None or (isinstance(value, str) and (not value or value in nulls)):
        return None
    owner = spot.owner(node, value)
    written = _rewritten(value, how, owner, Field("", name=spot.name))
    return instant(written, owner.within(spot.name), node.given.context)
