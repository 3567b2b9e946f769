"""The pages of operations, looked at by a browser without scripts."""

import asyncio
import re
from pathlib import Path

import pytest
from markupsafe import escape

from handlers.connections import Registry
from handlers.events import Delivery
from handlers.store.engine import Database
from tests.worker.cli.plant import event
from tests.worker.console.browser import Browser
from tests.worker.console.desk import HOSTILE, ODD, OVERRIDE, SCRIPT, Desk
from tests.worker.console.house import MARKED
from worker.console import links
from worker.console.app import build_app
from worker.console.checks import Readiness
from worker.console.house import utc_now
from worker.console.serve import listen, serving
from worker.queue import Producer, encode


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
    assert ODD in page.text
    assert "Applied" in page.text


def test_what_is_still_in_a_queue_is_found_and_shown_as_waiting(desk: Desk) -> None:
    url = desk.site.house.settings.broker_url
    assert url is not None
    waits = Delivery("waits-1", "plant", utc_now(), b'{"id": "queued-1", "type": "x"}')

    async def enqueue() -> None:
        producer = Producer(url.get_secret_value(), backlog_limit_bytes=1_000_000)
        await producer.open()
        assert await producer.enqueue([("plant", encode(waits))]) == [None]
        await producer.close()

    asyncio.run(enqueue())
    page = desk.viewer.get(links.event("queued-1"))
    assert page.answer.status_code == 200
    assert "Not worked on yet" in page.text
    assert links.event("waits-1") in page.links


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
    assert "Seals &amp; Co" in several.answer.text


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
