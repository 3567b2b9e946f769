"""Which dead letters are meant: by the query of a list, or by the body of an act."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from handlers.store.dead_letters import OPEN, STATES
from handlers.store.read_letters import Wanted
from worker.console.api.common import CONNECTION, SINCE, UNTIL, choice
from worker.console.api.operations import Call, Param
from worker.console.refusals import malformed
from worker.moments import bounds
from worker.shapes import letters as shapes
from worker.shapes.scalars import word

ALL: Final = "all"
_LISTED: Final = (*STATES, ALL)
Named = Annotated[str, msgspec.Meta(min_length=1)]


class Filters(msgspec.Struct, forbid_unknown_fields=True):
    """Which letters; open ones unless a state or ids are given.

    Attributes:
        connection: of this connection.
        type: of events that say they are of this type.
        error: of this error's code.
        fingerprint: of this cause, or of those that begin so.
        since: buried from a date or a time on.
        until: buried before.
        ids: these letters, `DELIVERY/3`; a delivery's id stands for all of its letters.
        state: in this state, or `all`.
    """

    connection: Named | None = None
    type: Named | None = None
    error: Named | None = None
    fingerprint: Named | None = None
    since: Named | None = None
    until: Named | None = None
    ids: Annotated[list[Named], msgspec.Meta(min_length=1, max_length=10_000)] | None = None
    state: Annotated[str, word(*_LISTED)] | None = None

    def wanted(self) -> Wanted:
        """What the store is asked for.

        Raises:
            ConfigurationError: a time is none, or they are the wrong way round.
            RefusalError: the state is none.
        """
        if self.state is not None and self.state not in _LISTED:
            raise malformed(f"state: one of {', '.join(_LISTED)}")
        start, end = bounds(self.since, self.until, ("since", "until"))
        state = self.state if self.state is not None or self.ids is not None else OPEN
        return Wanted(
            connection=self.connection,
            type=self.type,
            code=self.error,
            fingerprint=self.fingerprint,
            since=start,
            until=end,
            keys=None if self.ids is None else tuple(map(shapes.key, self.ids)),
            state=None if state == ALL else state,
        )


def chosen(call: Call) -> Wanted:
    """The letters that a query asks for."""
    given = {name: call.text(name) for name in ("connection", "type", "error", "fingerprint", "state")}
    id_ = call.text("id")
    ids = None if id_ is None else [id_]
    return Filters(**given, since=call.text("since"), until=call.text("until"), ids=ids).wanted()


FILTERS: Final[Sequence[Param]] = (
    CONNECTION,
    Param("type", "Of events that say they are of this type."),
    Param("error", "Of this error, such as missing_field."),
    Param("fingerprint", "Of this cause, or of those that begin so."),
    SINCE,
    UNTIL,
    Param("id", "This letter, or all of a delivery."),
    choice("state", "In this state; open ones otherwise.", *_LISTED),
)
