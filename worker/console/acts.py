"""What operators do from the console, pages and API alike; each act has its row in the audit log."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

import structlog

from handlers.connections import Connection, edits
from handlers.errors import MaintenworksError
from handlers.events import Json
from handlers.store import audit, read_letters, replays
from handlers.store.dead_letters import OPEN
from handlers.store.read_candidates import candidates, counted
from handlers.store.read_deliveries import delivery, stories
from handlers.store.read_letters import KeptLetter, Wanted
from handlers.store.replays import Replay, Standing
from handlers.store.rowset import Transaction
from worker import acts, replay_plan
from worker import replay as replaying
from worker.acts import Operator
from worker.console.house import House
from worker.console.refusals import RefusalError, conflict, malformed, missing
from worker.replay_plan import Outlook
from worker.shapes import events as shapes
from worker.shapes.letters import filters
from worker.shapes.letters import key as letters_key

log = structlog.get_logger()


def connection(house: House, name: str) -> Connection:
    """A connection of the registry.

    Raises:
        RefusalError: nobody registered it.
    """
    found = house.registry.get(name)
    if found is None:
        raise missing(f"There is no connection {name!r}.")
    return found


def pause(house: House, name: str, operator: Operator) -> Connection:
    """Has what a connection sends kept, and none of it applied until it is resumed.

    Raises:
        RefusalError: there is no such connection.
        TransientError: the audit log is away; nothing was done.
    """
    return _edit(house, name, operator, "connections.pause", edits.pause)


def resume(house: House, name: str, operator: Operator) -> Connection:
    """Has what a paused connection sends applied again, and what it sent meanwhile.

    Raises:
        RefusalError: there is no such connection.
        TransientError: the audit log is away; nothing was done.
    """
    return _edit(house, name, operator, "connections.resume", edits.resume)


def plan(house: House, wanted: Wanted) -> Outlook:
    """What a replay of some letters would come to."""
    letters = counted(house.database, wanted)
    return replay_plan.outlook(letters, house.registry.all(), house.now(), house.registry.endpoints())


def start(house: House, wanted: Wanted, operator: Operator, rate: int = replaying.DEFAULT_RATE) -> Replay:
    """Plans a replay and has it run here.

    Raises:
        RefusalError: none of the letters can be replayed.
    """
    letters = candidates(house.database, wanted)
    planned = replay_plan.plan(letters, house.registry.all(), house.now(), house.registry.endpoints())
    if not planned.keys:
        raise conflict("None of these letters can be replayed; the plan says why.")
    begun = replaying.start(house.database, planned, filters(wanted), operator, rate=rate, now=house.now())
    house.runner.run(begun)
    return begun


def turn(house: House, replay_id: str, operator: Operator, *, running: bool) -> Replay:
    """Stops a replay, or goes on with it here.

    Raises:
        RefusalError: there is none of that id.
    """
    act = replaying.resume if running else replaying.stop
    try:
        turned = act(house.database, replay_id, operator, house.now())
    except LookupError:
        raise missing(f"There is no replay {replay_id!r}.") from None
    if turned.state == replays.RUNNING:
        house.runner.run(turned)
    return turned


def standing(house: House, replay_id: str) -> tuple[Replay, Standing]:
    """How far a replay is, and what has become of what it sent.

    Raises:
        RefusalError: there is none of that id.
    """
    with house.database.read() as session:
        tx = Transaction(session)
        found = replays.find(tx, replay_id)
        if found is None:
            raise missing(f"There is no replay {replay_id!r}.")
        return found, replays.standing(tx, replay_id)


def letter(house: House, delivery_id: str, place: str) -> KeptLetter:
    """A dead letter, by the two parts of its name.

    Raises:
        RefusalError: there is none.
    """
    name = f"{delivery_id}/{place}"
    key = letters_key(name)
    found = next(iter(read_letters.listed(house.database, Wanted(keys=(key,), state=None))), None)
    if key[1] is None or found is None:
        raise missing(f"There is no dead letter {name!r}.")
    return found


def edit(house: House, one: KeptLetter, body: bytes, operator: Operator) -> str:
    """Puts corrected bytes in an open letter's place; returns the id of the delivery that they became.

    Raises:
        RefusalError: it is not open, or nothing was changed.
    """
    original, before = delivery(house.database, one.delivery_id), read_letters.payload(house.database, one)
    if original is None or before is None:
        raise missing(f"{one.name}: its bytes are no longer kept.")
    if one.state != OPEN:
        raise conflict(f"{one.name} is {one.state}; only an open letter can be edited.")
    if body.strip() == before.strip():
        raise conflict(f"{one.name}: nothing was changed.")
    return acts.edit(house.database, one, original, body, operator=operator, now=house.now()).delivery_id


def discard(house: House, wanted: Wanted, operator: Operator) -> tuple[int, int]:
    """Gives open letters up for good; returns how many, and how many were matched.

    Raises:
        RefusalError: nothing was named but a state: nothing brings a discarded letter back.
    """
    told = filters(wanted)
    if told.keys() <= {"state"}:
        raise malformed("filters: name one at least; nothing brings a discarded letter back")
    letters = list(candidates(house.database, wanted))
    open_ones = [each.key for each in letters if each.state == OPEN and each.key is not None]
    gone = acts.discard(house.database, open_ones, told, operator, house.now()) if open_ones else []
    return len(gone), len(letters)


def again(house: House, name: str, connection_id: str | None, operator: Operator) -> tuple[int, int]:
    """Has an event, or all of a delivery, worked on once more; returns how many are sent, and how many were matched.

    Raises:
        RefusalError: it is not kept.
    """
    rows = [row for story in stories(house.database, name, connection_id) for row in shapes.again(story, name)]
    if not rows:
        raise missing(f"{name}: it has not been processed yet, or never came.")
    return acts.again(house.database, rows, name, operator, house.now()), len(rows)


def _edit(house: House, name: str, operator: Operator, act: str, change: Callable[[Path, str], object]) -> Connection:
    """An edit of the connections' file: not begun without the audit log, whose row is written right after it."""
    connection(house, name)
    audit.head(house.database)
    try:
        change(house.settings.connections_path, name)
    except OSError as error:
        raise conflict(
            f"{house.settings.connections_path}: {error.strerror}; it has to be edited where it is."
        ) from error
    written(house, name, operator, act, {})
    house.registry.refresh()
    return connection(house, name)


def written(house: House, name: str, operator: Operator, act: str, outcome: Mapping[str, Json]) -> None:
    """Puts what was done to a connection in the audit log.

    Raises:
        RefusalError: it is done, and its row could not be written.
    """
    try:
        with house.database.write() as session:
            audit.append(Transaction(session), operator.did(act, {"connection": name}, dict(outcome)), house.now())
    except MaintenworksError as error:
        log.error("act_not_logged", act=act, connection=name, who=operator.who, reason=str(error))  # noqa: TRY400
        detail = "It is done, but its row in the audit log could not be written; note it elsewhere."
        raise RefusalError(HTTPStatus.INTERNAL_SERVER_ERROR, detail) from error
