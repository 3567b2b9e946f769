"""Events: the archive by its newest, and the story of one delivery."""

from typing import Final

from starlette.responses import Response

from handlers.events import Outcome
from handlers.model.types import ACTIONS
from handlers.store.read_deliveries import stories
from handlers.store.read_events import KeptEvent, Wanted, arrived_at, listed_events
from handlers.store.read_letters import name_of
from handlers.store.reading import Part
from handlers.store.searching import Search
from worker import canary
from worker.console import acts, links, payloads
from worker.console.api import paging
from worker.console.ask import Ask, Page, see
from worker.console.beginning import is_new
from worker.console.look import page
from worker.console.pages._asked import ROWS, page_of
from worker.console.refusals import malformed, missing
from worker.console.views import payload, story
from worker.moments import bounds
from worker.queue import broker_url
from worker.queued import queued
from worker.redaction import MASK
from worker.shapes import events as shapes
from worker.tracing import ids_of

SHOWN: Final = "shown"
"""What `canaries` is asked by."""
MOST_TOUCHED: Final = 12
"""Records that are named beside a delivery; its events name the others."""
MOST_STORIES: Final = 20
"""Deliveries that brought one event: more than a few is a sender that numbers badly."""


def listing(ask: Ask) -> Response:
    """Events, those that came last first."""
    asked = ask.query
    if asked.get("outcome") not in {None, *Outcome}:
        raise malformed(f"outcome: one of {', '.join(Outcome)}")
    kind, key = shapes.subject(asked.get("subject"))
    since, until = bounds(asked.get("since"), asked.get("until"), ("since", "until"))
    named = (asked.get("connection"), asked.get("type"), asked.get("outcome"))
    wanted = Wanted(*named, kind, key, since, until, canaries=asked.get("canaries") == SHOWN)
    search = Search()
    part = Part(paging.decode(asked.get("cursor"), tuple[str, int]), ROWS + 1, search)
    found, following = page_of(listed_events(ask.house.database, wanted, part), _place, search=search)
    return page(
        ask,
        "events.html",
        events=found,
        next=following,
        search=search,
        back_to=None if search.stopped is None else arrived_at(ask.house.database, search.stopped),
        connections=sorted(ask.house.registry.all()),
        types=sorted(ACTIONS),
        outcomes=[each.value for each in Outcome],
        is_new=not found and is_new(ask.house),
        has_canary=canary.is_expected(ask.house.registry),
        canaries_are_out=wanted.leaves_canaries_out,
    )


def show(ask: Ask) -> Response:
    """What became of an event or a delivery."""
    return _told(ask, ask.query.get("id"), ask.query.get("connection"), revealed=None)


def reveal(ask: Ask) -> Response:
    """The same with the payload whole, which the audit log says first."""
    delivery_id = ask.form.get("delivery", "")
    body = payloads.of_delivery(ask.house, delivery_id)
    whole = payloads.reveal(ask.house, delivery_id, body, ask.operator())
    return _told(ask, ask.form.get("id"), ask.form.get("connection") or None, revealed=(delivery_id, whole))


def again(ask: Ask) -> Response:
    """Has an event, or all of a delivery, worked on once more."""
    id_, connection = ask.form.get("id", ""), ask.form.get("connection") or None
    acts.again(ask.house, id_, connection, ask.operator())
    return see(links.event(id_, connection))


def _told(ask: Ask, id_: str | None, connection: str | None, revealed: tuple[str, bytes] | None) -> Response:
    if not id_:
        raise malformed("id: of an event, or of a delivery")
    found = []
    for each, _ in zip(stories(ask.house.database, id_, connection), range(MOST_STORIES), strict=False):
        body = b"" if each.purged_at is not None else payloads.of_delivery(ask.house, each.delivery_id)
        masked = payloads.shown(ask.house, each.connection_id, body)
        is_revealed = revealed is not None and revealed[0] == each.delivery_id
        text = payload.readable(body) if is_revealed else masked
        paths = [row["path"] for row in each.dead_letters if row["path"]]
        lines = payload.lines(text, paths[0] if len(paths) == 1 else None)
        found.append(
            {
                "told": each,
                "steps": story.steps(each),
                "note": story.note(each),
                "trace": ids_of(each.delivery_id).trace_text,
                "lines": lines,
                "is_whole": is_revealed or MASK not in masked,
            }
        )
    waiting = [] if found else _waiting(ask, id_, connection)
    if not found and not waiting:
        raise missing(f"{id_}: it never came, or is no longer kept.")
    return page(
        ask,
        "event.html",
        id=id_,
        connection=connection,
        stories=found,
        waiting=waiting,
        name_of=name_of,
        most_touched=MOST_TOUCHED,
    )


def _waiting(ask: Ask, id_: str, connection: str | None) -> list[shapes.Waiting]:
    """What is still in the broker; where that does not answer, it says so.

    Raises:
        TransientError: it does not.
    """
    return [shapes.waiting(each) for each in queued(broker_url(ask.house.settings), id_, connection)]


def _place(event: KeptEvent) -> tuple[str, int]:
    return event.delivery_id, event.event_index


PAGES: Final = (
    Page("/events", listing),
    Page("/events/show", show),
    Page("/events/reveal", reveal, "POST"),
    Page("/events/again", again, "POST"),
)
