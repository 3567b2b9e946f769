"""Dead letters: what could not be applied, and what an operator does about it."""

from base64 import b64decode
from typing import Any, Final, TypedDict

import msgspec

from handlers.store import read_letters
from handlers.store.read_letter_groups import GROUPS
from handlers.store.read_letter_groups import groups as grouped
from handlers.store.reading import Part
from handlers.store.searching import Search
from worker.console import acts, payloads
from worker.console.api import paging
from worker.console.api.common import (
    PAGE,
    Because,
    Reason,
    all_of,
    choice,
    limit,
    operator,
)
from worker.console.api.letter_filters import FILTERS, Filters, chosen
from worker.console.api.operations import Call, Operation
from worker.console.api.revealed import Revealed, revealed
from worker.console.house import House
from worker.console.refusals import RefusalError, malformed
from worker.shapes import letters as shapes
from worker.shapes.scalars import Count, Instant, Members


class Discard(msgspec.Struct, forbid_unknown_fields=True):
    """Letters that are given up for good; one filter at least besides the state."""

    filters: Filters
    reason: Reason


class Edit(msgspec.Struct, forbid_unknown_fields=True):
    """Corrected bytes, as text or as base64."""

    reason: Reason
    body: str | None = None
    body_base64: str | None = None


class Shown(shapes.Letter):
    """A dead letter with all that is known of it; its payload redacted, null where it is no longer kept."""

    events: list[Members]
    due_at: Instant | None
    edited_from: str | None
    payload: str | None


class Group(TypedDict, total=False):
    """Letters that have something in common; what, is under the name that they are grouped by."""

    fingerprint: str | None
    error: str | None
    connection: str | None
    type: str | None
    letters: Count
    connections: Count
    message: str
    first_seen_at: Instant
    last_buried_at: Instant


class Discarded(TypedDict):
    """What was given up."""

    matched: Count
    discarded: Count


class Edited(TypedDict):
    """The delivery that stands in the letter's place."""

    letter: str
    edited_into: str


def letters(house: House, call: Call) -> dict[str, Any]:
    """A page of letters."""
    search = Search()
    part = Part(paging.decode(call.text("cursor"), tuple[str, int]), limit(call) + 1, search)
    found = read_letters.listed(house.database, chosen(call), part)
    return paging.paged(found, limit(call), shapes.described, lambda each: each.key, search)


def groups(house: House, call: Call) -> dict[str, Any]:
    """Letters in groups, the greatest first."""
    by = call.text("by") or "fingerprint"
    return all_of([shapes.group(each, by) for each in grouped(house.database, chosen(call), by)])


def letter(house: House, call: Call) -> Shown:
    """One of them."""
    one = _letter(house, call)
    told = shapes.whole(one, read_letters.fate(house.database, one), None)
    try:
        text = payloads.shown(house, one.connection_id, payloads.of_letter(house, one))
    except RefusalError:
        text = None
    due_at, came_to, source = told["due_at"], told["events"], told["edited_from"]
    return {**shapes.described(one), "events": came_to, "due_at": due_at, "edited_from": source, "payload": text}


def reveal(house: House, call: Call) -> Revealed:
    """The payload as it came."""
    one = _letter(house, call)
    return revealed(one.name, payloads.reveal(house, one.name, payloads.of_letter(house, one), operator(call)))


def edit(house: House, call: Call) -> Edited:
    """Puts corrected bytes in its place."""
    one = _letter(house, call)
    return {"letter": one.name, "edited_into": acts.edit(house, one, _bytes(call.body), operator(call))}


def discard(house: House, call: Call) -> Discarded:
    """Gives letters up for good."""
    gone, matched = acts.discard(house, call.body.filters.wanted(), operator(call))
    return {"matched": matched, "discarded": gone}


def _letter(house: House, call: Call) -> read_letters.KeptLetter:
    return acts.letter(house, call.path["delivery"], call.path["place"])


def _bytes(sent: Edit) -> bytes:
    if (sent.body is None) == (sent.body_base64 is None):
        raise malformed("body: give either body or body_base64")
    try:
        return b64decode(sent.body_base64, validate=True) if sent.body_base64 is not None else str(sent.body).encode()
    except ValueError:
        raise malformed("body_base64: it is no base64") from None


TAG: Final = "dead letters"
OPERATIONS: Final = (
    Operation(
        path="/dead-letters",
        name="list_dead_letters",
        summary="What could not be applied, in the order in which it came.",
        does=letters,
        answer=shapes.Letter,
        is_list=True,
        params=(*FILTERS, *PAGE),
        tag=TAG,
    ),
    Operation(
        path="/dead-letters/groups",
        name="group_dead_letters",
        summary="The same in groups, the greatest first; all of them.",
        does=groups,
        answer=Group,
        is_list=True,
        params=(*FILTERS, choice("by", "What they have in common; fingerprint otherwise.", *GROUPS)),
        tag=TAG,
    ),
    Operation(
        path="/dead-letters/{delivery}/{place}",
        name="get_dead_letter",
        summary="One of them, by its id DELIVERY/PLACE, with all that is known of it.",
        does=letter,
        answer=Shown,
        statuses=(404,),
        tag=TAG,
    ),
    Operation(
        path="/dead-letters/{delivery}/{place}/reveal",
        name="reveal_dead_letter_payload",
        summary="Its bytes exactly as they came.",
        does=reveal,
        answer=Revealed,
        body=Because,
        statuses=(404,),
        tag=TAG,
    ),
    Operation(
        path="/dead-letters/{delivery}/{place}/edit",
        name="edit_dead_letter",
        summary="Put a corrected copy in its place, and send that on its way.",
        does=edit,
        answer=Edited,
        body=Edit,
        statuses=(404, 409),
        tag=TAG,
    ),
    Operation(
        path="/dead-letters/discard",
        name="discard_dead_letters",
        summary="Give open ones up for good: they stay, with their bytes, and are never applied.",
        does=discard,
        answer=Discarded,
        body=Discard,
        tag=TAG,
    ),
)
