"""The audit log, and who asks."""

from typing import Annotated, Any, Final, TypedDict

from handlers.store.audit import Wanted, entries
from handlers.store.reading import Part
from worker.console.api import paging
from worker.console.api.common import PAGE, SINCE, UNTIL, between, limit
from worker.console.api.operations import Call, Operation, Param
from worker.console.house import House
from worker.shapes import acts as shapes
from worker.shapes.scalars import word
from worker.tokens import ROLES


class Me(TypedDict):
    """Whoever asks."""

    name: str
    role: Annotated[str, word(*ROLES)]


def log(house: House, call: Call) -> dict[str, Any]:
    """A page of acts."""
    wanted = Wanted(call.text("who"), call.text("act"), *between(call))
    part = Part(paging.decode(call.text("cursor"), tuple[int]), limit(call) + 1)
    found = entries(house.database, wanted, newest_first=True, part=part)
    return paging.paged(found, limit(call), shapes.told, lambda each: (each.sequence,))


def me(_: House, call: Call) -> Me:
    """Who asks."""
    return {"name": call.who.name, "role": call.who.role}


OPERATIONS: Final = (
    Operation(
        path="/audit",
        name="list_acts",
        summary="What operators did, the newest first.",
        does=log,
        answer=shapes.Act,
        is_list=True,
        params=(Param("who", "By this operator."), Param("act", "Of this name."), SINCE, UNTIL, *PAGE),
        tag="audit",
    ),
    Operation(
        path="/me",
        name="who_am_i",
        summary="Whose token this is, and what it may.",
        does=me,
        answer=Me,
        tag="audit",
    ),
)
