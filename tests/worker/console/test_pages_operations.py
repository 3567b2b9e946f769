"""The pages of operations, looked at and acted on by a browser without scripts."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from markupsafe import escape

from handlers.connections import Registry
from handlers.store import read_letters, retries
from handlers.store.engine import Database
from handlers.store.read_letters import KeptLetter, Wanted
from handlers.store.rowset import Transaction
from tests.servers import BrokerServer
from tests.worker.cli.plant import event
from tests.worker.console.browser import Browser, Page
from tests.worker.console.house import MARKED, Site, site
from worker.console import links
from worker.console.app import build_app
from worker.console.checks import Readiness
from worker.console.house import utc_now
from worker.console.serve import listen, serving

SCRIPT = "<script>alert(1)</script>"
OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
HOSTILE = f"\"'>{SCRIPT}{OVERRIDE}\a"
ODD = "e/../x y?&#"
"""An id that no path could carry."""


class Desk(NamedTuple):
    """Two people at the console of one installation."""

    site: Site
    viewer: Browser
    operator: Browser

    def work(self) -> None:
        """What scheduler and workers do with all that is due."""
        while True:
            with self.site.plant.database.write() as connection:
                ids = retries.lease_due(Transaction(connection), now=utc_now(), lease=timedelta(minutes=1), limit=500)
            if not ids:
                return
            self.site.plant._dispatcher.process_rows(ids)

    def letter(self, name: str) -> KeptLetter:
        """A dead letter as it stands."""
        delivery, _, place = name.rpartition("/")
        key = (delivery, -1 if place == "body" else int(place))
        (found,) = read_letters.listed(self.site.plant.database, Wanted(keys=(key,), state=None))
        return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, valkey_session: BrokerServer) -> Iterator[Desk]:
    home: Path = tmp_path_factory.mktemp("operations")
    with ExitStack() as held:
        filled = held.enter_context(site(home, f"sqlite:///{home / 'm.db'}", broker_url=valkey_session.url))
        order = event("work_order.created", "WO-H", "08:00", title=HOSTILE, asset_key="PUMP-1")
        filled.plant.send({"id": ODD, **order}, {"id": HOSTILE, **event("asset.updated", f"K{HOSTILE}", "09:00")})
        filled.plant.send({**event("work_order.created", f"WO-Z{HOSTILE}", "x"), "id": HOSTILE, "occurred_at": HOSTILE})
        base = str(filled.client.base_url)
        people = [held.enter_context(Browser(base, token)) for token in (filled.viewer, filled.operator)]
        yield Desk(filled, *people)


def zoneless(desk: Desk, count: int, prefix: str) -> list[str]:
    """Letters that can be read once their connection has a time zone."""
    bodies = [
        {**event("work_order.created", f"{prefix}-{n}", "08:00", f"{prefix}-{n}"), "occurred_at": "2026-03-01T08:00:00"}
        for n in range(count)
    ]
    return [f"{each}/0" for each in desk.site.plant.send(*bodies, to="second")]


def test_every_page_is_whole_strict_and_shows_nothing_secret_and_nothing_hostile(desk: Desk) -> None:
    hostile = desk.site.plant.send({**event("x.y", HOSTILE, "x"), "occurred_at": HOSTILE})[0]
    names = [*desk.site.letters, f"{hostile}/0"]
    pages = [
        "/",
        "/events",
        links.to("/events", subject=f"K{HOSTILE}", type="asset.updated", since="2026-03-01"),
        links.event(ODD, "plant"),
        links.event(HOSTILE),
        links.event(desk.site.event_delivery),
        *("/dead-letters" + query for query in ("", "?by=none", "?by=error", "?by=type", "?state=all&by=connection")),
        *map(links.letter, names),
        "/replays",
        links.to("/search", q=HOSTILE),
        links.to("/search", q="nothing has this"),
    ]
    of_operators = [*(links.to("/dead-letters/edit", id=each) for each in names), "/replays/plan?connection=plant"]
    for who, paths in ((desk.viewer, pages), (desk.operator, [*pages, *of_operators])):
        for path in paths:
            page = who.get(path)
            assert page.answer.status_code == 200, path
            policy = page.answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert page.inline == [], path
            assert SCRIPT not in page.answer.text, path
            assert MARKED not in page.answer.text, path
            shown = re.sub(' value="[^"]*"', "", page.answer.text)  # a field gives back what was typed into it
            assert not {OVERRIDE, "\a"} & set(shown), path
            assert "<main" in page.answer.text
            assert "</html>" in page.answer.text


def test_a_hostile_text_is_shown_as_what_it_is(desk: Desk) -> None:
    page = desk.viewer.get(links.event(HOSTILE))
    assert str(escape(f"\"'>{SCRIPT}\\u202e\\x07")) in page.answer.text


def test_links_to_ids_that_no_path_could_carry_lead_to_what_they_name(desk: Desk) -> None:
    listed = desk.viewer.get("/events", subject="work_order/WO-H")
    (found,) = {each for each in listed.links if each.startswith("/events/show")}
    page = desk.viewer.get(found)
    assert page.answer.status_code == 200
    assert f"event {ODD}" in page.text
    assert "applied" in page.text


def test_events_are_paged_by_cursor_each_once_and_filters_stay_in_the_address(desk: Desk) -> None:
    bodies = [event("vendor.updated", f"V-{n}", "08:00", f"paged-{n}") for n in range(120)]
    desk.site.plant.send(*bodies, to="second")
    page, seen = desk.viewer.get("/events", connection="second", type="vendor.updated"), []
    while True:
        seen += [each for each in page.links if each.startswith("/events/show")]
        following = [each for each in page.links if "cursor=" in each and each.startswith("/events?")]
        following = [each for each in following if "type=vendor.updated" in each and "connection=second" in each]
        if not following:
            break
        page = desk.viewer.get(following[-1])
        if len(seen) >= 120:
            break
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/events?outcome=no", "outcome"),
        ("/events?since=yesterday", "since"),
        ("/events?cursor=%21", "cursor"),
        ("/dead-letters?state=no", "state"),
        ("/dead-letters?by=no", "by"),
        ("/events/show", "id"),
        ("/dead-letters/show", "id"),
    ],
)
def test_what_cannot_be_meant_is_said_on_a_page(desk: Desk, path: str, said: str) -> None:
    page = desk.viewer.get(path)
    assert page.answer.status_code == 400
    assert said in page.text
    assert "app.css" in page.answer.text
    assert "Traceback" not in page.text


@pytest.mark.parametrize("path", ["/nothing", "/events/show?id=no", "/dead-letters/show?id=no/1", "/replays/show?id=n"])
def test_what_is_not_there_is_a_page_of_its_own(desk: Desk, path: str) -> None:
    page = desk.viewer.get(path)
    assert page.answer.status_code == 404
    assert "Overview" in page.text


def test_a_letter_is_edited_and_read_anew_by_forms_alone(desk: Desk) -> None:
    """Given a letter whose time is none; when it is corrected on its page; then its event is applied, once."""
    told = '"type": "work_order.created", "occurred_at": "soon",\r\n"data": {"key": "WO-M", "title": "x\u202ey"}'
    body = f'{{"id": "mend-1", {told}}}'
    name = f"{desk.site.plant.send(body)[0]}/0"
    operator = desk.operator
    page = operator.get(links.letter(name))
    assert '<mark class="at" id="at">  &#34;occurred_at&#34;: &#34;soon&#34;,</mark>' in page.answer.text
    form = operator.get(links.to("/dead-letters/edit", id=name))
    text = form.form("/dead-letters/preview").fields["body"][0]
    assert '"title": "x\\u202ey"' in text

    unchanged = operator.send(form, "/dead-letters/preview")
    assert (unchanged.answer.status_code, "Nothing was changed" in unchanged.text) == (400, True)
    still = operator.send(form, "/dead-letters/preview", body=text.replace("soon", "later"))
    assert "Still a dead letter" in still.text
    mended = operator.send(form, "/dead-letters/preview", body=text.replace("soon", "2026-03-01T08:00:00Z"))
    assert "<ins>+  &#34;occurred_at&#34;: &#34;2026-03-01T08:00:00Z&#34;,</ins>" in mended.answer.text
    assert "applied" in mended.text
    done = operator.send(mended, "/dead-letters/edit", reason="typing error")
    assert done.answer.url.path == "/dead-letters/show"
    desk.work()

    letter = desk.letter(name)
    assert letter.state == "superseded"
    story = operator.get(links.event("mend-1"))
    assert "edited by operator-anna" in story.text
    assert "work_order.created WO-M: applied" in story.text
    assert desk.site.acts()[0]["act"] == "dead_letters.edit"
    assert desk.site.acts()[0]["reason"] == "typing error"
    again = operator.send(mended, "/dead-letters/edit", reason="once more")
    assert again.answer.status_code == 409


def test_what_is_masked_is_shown_and_edited_only_for_a_reason(desk: Desk) -> None:
    name = desk.site.letters[0]
    page = desk.operator.get(links.letter(name))
    assert MARKED not in page.answer.text
    whole = desk.operator.send(page, "/dead-letters/reveal", reason="what did they send?")
    assert f"{MARKED}-letter" in whole.text
    assert desk.site.acts()[0]["act"] == "payloads.reveal"
    form = desk.operator.get(links.to("/dead-letters/edit", id=name))
    assert form.text.count("Something in this payload is masked") == 1
    opened = desk.operator.send(form, "/dead-letters/edit-whole", reason="mend it")
    assert f"{MARKED}-letter" in opened.form("/dead-letters/preview").fields["body"][0]
    without = desk.operator.send(page, "/dead-letters/reveal", reason=" ")
    assert (without.answer.status_code, "say why" in without.text) == (400, True)
    story = desk.operator.get(links.event(desk.site.event_delivery))
    shown = desk.operator.send(story, "/events/reveal", reason="look")
    assert f"{MARKED}-body" in shown.text


def test_one_letter_is_replayed_from_its_page(desk: Desk) -> None:
    (name,) = zoneless(desk, 1, "one")
    page = desk.operator.get(links.letter(name))
    desk.operator.send(page, "/dead-letters/replay", reason="perhaps now")
    await_state(desk, name, "replayed")
    desk.work()
    assert desk.letter(name).state == "open"
    assert len(desk.letter(name).attempts) == 2
    assert desk.operator.get(links.letter(name)).text.count("missing time zone: ") == 3


def test_a_replay_is_planned_started_followed_and_ends(desk: Desk) -> None:
    names = zoneless(desk, 30, "bulk")
    plan = desk.operator.get("/replays/plan", error="missing_time_zone", connection="second")
    assert "letters can be replayed" in plan.text
    page = desk.operator.send(plan, "/replays/start", reason="map mended", rate="100000")
    assert page.answer.url.path == "/replays/show"
    await_state(desk, names[-1], "replayed")
    following = await_text(desk, str(page.answer.url), "done")
    assert "map mended" in following.text
    assert [each.action for each in following.forms if each.action.startswith("/replays")] == []
    desk.work()
    ticked = desk.operator.get("/dead-letters", by="none", connection="second")
    two = desk.operator.send(ticked, "/replays/plan", id=f"{names[0]}\n{names[1]}")
    assert "2 of 2 letters can be replayed" in two.text
    bad = desk.operator.send(two, "/replays/start", reason="x", rate="0")
    assert (bad.answer.status_code, "rate" in bad.text) == (400, True)


def test_a_replay_is_stopped_and_gone_on_with(desk: Desk) -> None:
    zoneless(desk, 40, "slow")
    plan = desk.operator.get("/replays/plan", error="missing_time_zone", connection="second")
    page = desk.operator.send(plan, "/replays/start", reason="slowly", rate="1")
    stopped = desk.operator.send(page, "/replays/stop", reason="too many")
    assert "stopped" in stopped.text
    going = desk.operator.send(stopped, "/replays/resume", reason="go on")
    assert "running" in going.text
    desk.operator.send(going, "/replays/stop", reason="enough")
    assert [each["act"] for each in desk.site.acts()[:3]] == [
        "dead_letters.replay_stopped",
        "dead_letters.replay_resumed",
        "dead_letters.replay_stopped",
    ]
    listed = desk.viewer.get("/replays")
    assert "slowly" in listed.text


def test_letters_are_discarded_by_one_who_is_sure(desk: Desk) -> None:
    names = [f"{each}/0" for each in desk.site.plant.send(*({"type": "x", "n": n} for n in range(2)), to="hook")]
    page = desk.operator.get(links.letter(names[0]))
    unsure = desk.operator.send(page, "/dead-letters/discard", reason="test data")
    assert unsure.answer.status_code == 400
    gone = desk.operator.send(page, "/dead-letters/discard", reason="test data", sure="yes")
    assert gone.answer.url.path == "/dead-letters/show"
    assert desk.letter(names[0]).state == "discarded"
    group = desk.operator.get("/dead-letters", connection="hook", error=desk.letter(names[1]).code)
    desk.operator.send(group, "/dead-letters/discard", reason="test data", sure="yes")
    assert desk.letter(names[1]).state == "discarded"


def test_the_box_finds_whatever_has_the_id(desk: Desk) -> None:
    (name,) = desk.site.letters[1:2]
    for sought, path in (
        ("hook", "/connections/show"),
        ("wo-3", "/events/show"),
        (desk.site.event_delivery, "/events/show"),
        (name, "/dead-letters/show"),
        ("WO-3", "/work-orders/show"),
        ("PUMP-4", "/assets/show"),
        ("D/2", "/records/show"),
        ("R-3", "/records/show"),
    ):
        answer = desk.viewer.client.get("/search", params={"q": f" {sought} "})
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, path), sought
    assert "Nothing has this id" in desk.viewer.get("/search", q="no such thing").text
    desk.site.plant.send(event("asset.created", "V-1", "08:00"))
    several = desk.viewer.get("/search", q="V-1")
    assert {links.record(kind, "plant", "V-1") for kind in ("vendor", "asset")} <= set(several.links)


def test_a_viewer_is_offered_no_act_and_gets_none(desk: Desk) -> None:
    acts = [
        "/events/reveal",
        "/events/again",
        *(f"/dead-letters/{each}" for each in ("reveal", "edit-whole", "preview", "edit", "replay", "discard")),
        *(f"/replays/{each}" for each in ("plan", "start", "stop", "resume")),
    ]
    for path in ("/events/show?id=wo-3", links.letter(desk.site.letters[0]), "/dead-letters?by=none", "/replays"):
        page = desk.viewer.get(path)
        assert {each.action for each in page.forms} <= {
            "/search",
            "/logout",
            "/events",
            "/dead-letters",
            "/replays/plan",
            "",
        }
        assert not [each for each in page.forms if "reason" in each.fields], path
    own = desk.viewer.get("/").form("/logout").fields["csrf"][0]
    for path in acts:
        answer = desk.viewer.client.post(path, data={"csrf": own, "id": desk.site.letters[0], "reason": "x"})
        assert answer.status_code == 403, path
    for path in ("/dead-letters/edit?id=" + desk.site.letters[0], "/replays/plan"):
        assert desk.viewer.client.get(path).status_code == 403


def test_an_act_without_the_token_of_its_page_is_refused(desk: Desk) -> None:
    answer = desk.operator.client.post("/events/again", data={"id": "wo-3", "reason": "x", "csrf": "wrong"})
    assert answer.status_code == 403


def test_an_event_is_worked_on_again_from_its_page(desk: Desk) -> None:
    page = desk.operator.get(links.event("wo-3", "plant"))
    again = desk.operator.send(page, "/events/again", reason="to be sure")
    assert "Due again" in again.text
    desk.work()
    assert "Due again" not in desk.operator.get(links.event("wo-3", "plant")).text


def test_without_a_database_the_overview_says_so_and_others_are_unavailable(desk: Desk, tmp_path: Path) -> None:
    away = Database(f"sqlite:///{tmp_path / 'no' / 'such.db'}")
    house = desk.site.house._replace(database=away, registry=Registry(tmp_path / "none.toml", tmp_path))
    app = build_app(Readiness([]), [], ops_host="127.0.0.1", token=None, console=(house, desk.site.door))
    listener = listen("127.0.0.1", 0, "MAINTENWORKS_OPS_PORT")
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with serving(app, listener), Browser(base, desk.site.viewer) as viewer:
        front = viewer.get("/")
        assert (front.answer.status_code, "The database does not answer" in front.text) == (200, True)
        for path in ("/events", "/dead-letters", "/replays", "/search?q=x"):
            page = viewer.get(path)
            assert (page.answer.status_code, "Traceback" in page.text) == (503, False), path
            assert "app.css" in page.answer.text
    away.close()


def await_state(desk: Desk, name: str, state: str) -> None:
    """A replay runs in a thread of the console."""
    while desk.letter(name).state != state:
        time.sleep(0.01)


def await_text(desk: Desk, address: str, text: str) -> Page:
    while True:
        page = desk.operator.get(address)
        if text in page.text:
            return page
        time.sleep(0.01)
