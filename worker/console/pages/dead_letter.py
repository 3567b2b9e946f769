"""One dead letter: why it failed, each time, on what; and how it is mended."""

from typing import Final, NamedTuple

from starlette.responses import Response

from handlers.connections import Connection, Endpoint
from handlers.errors import MaintenworksError
from handlers.events import Delivery
from handlers.store import read_letters
from handlers.store.dead_letters import OPEN
from handlers.store.read_deliveries import delivery
from handlers.store.read_letters import KeptLetter, Wanted
from handlers.store.scratch import Scratch
from worker import trying
from worker.acts import body_is_part, diff
from worker.console import acts, links, payloads
from worker.console.ask import Ask, Page, see
from worker.console.look import page
from worker.console.pages._letters import one
from worker.console.refusals import conflict, malformed, missing
from worker.console.views import fields, payload
from worker.redaction import MASK
from worker.tokens import OPERATOR
from worker.trying import Tried


class Held(NamedTuple):
    """A letter with what it holds.

    Attributes:
        letter: itself.
        body: the bytes that could not be read; None where they are no longer kept.
        is_part: they are one element of their delivery's array.
    """

    letter: KeptLetter
    body: bytes | None
    is_part: bool


def show(ask: Ask) -> Response:
    """All that is known of it."""
    return _told(ask, _held(ask, ask.query.get("id")), is_whole=False)


def reveal(ask: Ask) -> Response:
    """The same with its payload whole, which the audit log says first."""
    held = _held(ask, ask.form.get("id"))
    payloads.reveal(ask.house, held.letter.name, payloads.of_letter(ask.house, held.letter), ask.operator())
    return _told(ask, held, is_whole=True)


def edit(ask: Ask) -> Response:
    """A form with what it holds; where something of that is masked, a reason is asked for first."""
    held = _held(ask, ask.query.get("id"))
    return _form(ask, held, is_shown=MASK not in _masked(ask, held))


def edit_whole(ask: Ask) -> Response:
    """The form, once the audit log says who looks at what is masked, and why."""
    held = _held(ask, ask.form.get("id"))
    payloads.reveal(ask.house, held.letter.name, payloads.of_letter(ask.house, held.letter), ask.operator())
    return _form(ask, held, is_shown=True)


def preview(ask: Ask) -> Response:
    """What an edit changes, and what the corrected payload would become."""
    held = _held(ask, ask.form.get("id"))
    before, after = _editable(held), payload.edited(ask.form.get("body", ""))
    if after.strip() == before.encode().strip():
        return _form(ask, held, is_shown=True, problem="Nothing was changed.")
    tried, problem = _tried(ask, held.letter, after)
    return page(
        ask,
        "letter_preview.html",
        letter=held.letter,
        body=after.decode(),
        diff=diff(before.encode(), after, (held.letter.name, "edited"))[2:],
        tried=tried,
        problem=problem,
    )


def put(ask: Ask) -> Response:
    """Puts the corrected copy in the letter's place, and sends it on its way."""
    letter, body = one(ask, ask.form.get("id")), payload.edited(ask.form.get("body", ""))
    if not body.strip():
        raise malformed("body: there is nothing in it; discard the letter instead")
    acts.edit(ask.house, letter, body, ask.operator())
    return see(links.letter(letter.name))


def send(ask: Ask) -> Response:
    """Sends it on its way again."""
    letter = one(ask, ask.form.get("id"))
    acts.start(ask.house, Wanted(keys=(letter.key,), state=None), ask.operator())
    return see(links.letter(letter.name))


def _held(ask: Ask, name: str | None) -> Held:
    letter = one(ask, name)
    brought = delivery(ask.house.database, letter.delivery_id)
    if brought is None:
        return Held(letter, None, is_part=False)
    body = read_letters.payload(ask.house.database, letter)
    return Held(letter, body, is_part=body_is_part(brought, letter) and body != brought.body)


def _masked(ask: Ask, held: Held) -> str:
    return "" if held.body is None else payloads.shown(ask.house, held.letter.connection_id, held.body)


def _told(ask: Ask, held: Held, *, is_whole: bool) -> Response:
    letter, body = held.letter, held.body
    text = _masked(ask, held)
    is_masked = MASK in text
    if is_whole and body is not None:
        text = payload.readable(body)
    return page(
        ask,
        "dead_letter.html",
        letter=letter,
        fate=read_letters.fate(ask.house.database, letter),
        name_of=read_letters.name_of,
        lines=None if body is None else payload.lines(text, payload.own_path(letter.path, is_part=held.is_part)),
        is_whole=is_whole or not is_masked,
        is_open=letter.state == OPEN,
        why_not=_why_not(ask, letter),
        schema=fields.of_type(letter.type),
    )


def _why_not(ask: Ask, letter: KeptLetter) -> str | None:
    lines = acts.plan(ask.house, Wanted(keys=(letter.key,), state=None)).lines
    return lines[0].why_not if lines else None


def _form(ask: Ask, held: Held, *, is_shown: bool, problem: str = "") -> Response:
    if held.letter.state != OPEN:
        raise conflict(f"{held.letter.name} is {held.letter.state}; only an open letter can be edited.")
    return page(
        ask,
        "letter_edit.html",
        letter=held.letter,
        body=_editable(held) if is_shown else None,
        path=payload.own_path(held.letter.path, is_part=held.is_part),
        problem=problem,
        schema=fields.of_type(held.letter.type),
    )


def _editable(held: Held) -> str:
    if held.body is None:
        raise missing(f"{held.letter.name}: its bytes are no longer kept.")
    text = payload.editable(held.body)
    if text is None:
        raise conflict(
            f"{held.letter.name}: a form would not hand these bytes back as they are; "
            f"edit them with `maintenworks dead-letters edit {held.letter.name}`."
        )
    return text


def _tried(ask: Ask, letter: KeptLetter, body: bytes) -> tuple[Tried | None, str | None]:
    """What a corrected payload would become, read and applied in a database that vanishes; or why that is not known."""
    registry, now = ask.house.registry, ask.house.now()
    of: Connection | Endpoint | None = registry.endpoint(letter.connection_id) or registry.get(letter.connection_id)
    if of is None:
        return None, "Its connection is not registered."
    try:
        with Scratch() as scratch:
            brought = Delivery(trying.NAME, of.id, now, body, {})
            return trying.try_out(
                scratch, registry, of, brought, max_body_bytes=ask.house.settings.max_body_bytes
            ), None
    except MaintenworksError as error:
        return None, str(error)


PAGES: Final = (
    Page("/dead-letters/show", show),
    Page("/dead-letters/reveal", reveal, "POST"),
    Page("/dead-letters/edit", edit, role=OPERATOR),
    Page("/dead-letters/edit-whole", edit_whole, "POST"),
    Page("/dead-letters/preview", preview, "POST"),
    Page("/dead-letters/edit", put, "POST"),
    Page("/dead-letters/replay", send, "POST"),
)
