"""Replays: a plan, its start, how far it is, and its end; and all there were."""

import re
from typing import Final

from starlette.responses import Response

from handlers.store import replays
from handlers.store.rowset import Transaction
from worker.console import acts, links
from worker.console.api.replays import FASTEST
from worker.console.ask import Ask, Page, see
from worker.console.look import page
from worker.console.pages._asked import ROWS
from worker.console.pages._letters import given, wanted
from worker.console.refusals import malformed
from worker.replay import DEFAULT_RATE
from worker.tokens import OPERATOR

_RATE: Final = re.compile(r"[1-9][0-9]{0,5}")


def listing(ask: Ask) -> Response:
    """All there were, the newest first."""
    with ask.house.database.read() as connection:
        found = replays.listed(Transaction(connection))
    found.reverse()
    before = ask.query.get("cursor")
    rest = [each for each in found if before is None or each.replay_id < before]
    following = rest[ROWS - 1].replay_id if len(rest) > ROWS else None
    return page(ask, "replays.html", replays=rest[:ROWS], next=following)


def plan(ask: Ask) -> Response:
    """What a replay of all that match would come to; nothing is done."""
    return _plan(ask, given(ask.query))


def plan_of_ticked(ask: Ask) -> Response:
    """The same of letters that were ticked."""
    asked = given(ask.form)
    if "id" not in asked:
        raise malformed("Tick at least one letter.")
    return _plan(ask, {"id": asked["id"]})


def start(ask: Ask) -> Response:
    """Freezes the plan as it stands now, and runs it."""
    started = acts.start(ask.house, wanted(ask.form), ask.operator(), _rate(ask.form.get("rate", "")))
    return see(links.replay(started.replay_id))


def show(ask: Ask) -> Response:
    """How far one is, and what has become of what it sent."""
    found, standing = acts.standing(ask.house, ask.query.get("id", ""))
    return page(ask, "replay.html", replay=found, standing=standing)


def stop(ask: Ask) -> Response:
    """Stops it: what was sent stays sent."""
    return _turned(ask, running=False)


def resume(ask: Ask) -> Response:
    """Goes on with one that was stopped."""
    return _turned(ask, running=True)


def _plan(ask: Ask, asked: dict[str, str]) -> Response:
    found = acts.plan(ask.house, wanted(asked))
    return page(ask, "plan.html", plan=found, filters=asked, rate=DEFAULT_RATE, most_rate=FASTEST)


def _rate(text: str) -> int:
    if _RATE.fullmatch(text.strip()) is None:
        raise malformed(f"rate: letters a second, from 1 to {FASTEST:,}")
    return int(text)


def _turned(ask: Ask, *, running: bool) -> Response:
    turned = acts.turn(ask.house, ask.form.get("id", ""), ask.operator(), running=running)
    return see(links.replay(turned.replay_id))


PAGES: Final = (
    Page("/replays", listing),
    Page("/replays/show", show),
    Page("/replays/plan", plan, role=OPERATOR),
    Page("/replays/plan", plan_of_ticked, "POST"),
    Page("/replays/start", start, "POST"),
    Page("/replays/stop", stop, "POST"),
    Page("/replays/resume", resume, "POST"),
)
