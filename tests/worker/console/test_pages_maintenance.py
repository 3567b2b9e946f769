"""The pages about maintenance, asked over a small plant, some of whose words are hostile."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import NamedTuple

import httpx
import pytest

from tests.journeys.roles import PATIENCE_SECONDS
from tests.worker.console import plant
from worker.console.app import build_app
from worker.console.checks import Readiness
from worker.console.opening import door
from worker.console.pages import uptime
from worker.console.serve import listen, serving


class Site(NamedTuple):
    viewer: httpx.Client
    operator: httpx.Client


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The console, as a viewer and as an operator see it."""
    folder = tmp_path_factory.mktemp("plant")
    with ExitStack() as held:
        database = held.enter_context(closing(plant.told(folder)))
        house = plant.house(folder, database)
        app = build_app(Readiness([]), [], ops_host="127.0.0.1", token=None, console=(house, door(house.settings)))
        listener = listen("127.0.0.1", 0, "MAINTENWORKS_OPS_PORT")
        held.enter_context(serving(app, listener))
        clients: dict[str, httpx.Client] = {}
        for role in ("viewer", "operator"):
            client = held.enter_context(
                httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=PATIENCE_SECONDS)
            )
            token = (folder / role).read_text()
            assert client.post("/login", data={"token": token}).status_code == 303
            client.headers["accept"] = "text/html"
            clients[role] = client
        yield Site(clients["viewer"], clients["operator"])


PUMP = {"connection": "c", "key": "PUMP-7"}
FAN = {"connection": "c", "key": "FAN/2 ?&#"}
ORDER = {"connection": "c", "key": "WO-1"}
EVERY_PAGE = [
    ("/today", {}),
    ("/today", {"site": "NORTH", "crew": "MECH"}),
    ("/work-orders", {}),
    ("/work-orders", {"state": "overdue"}),
    ("/work-orders", {"state": "all", "type": "corrective"}),
    ("/work-orders/show", ORDER),
    ("/work-orders/show", {"connection": "c", "key": "PM-1"}),
    ("/assets", {}),
    ("/assets", {"q": "feed PUMP", "site": "NORTH"}),
    ("/assets/show", PUMP),
    ("/assets/show", {**PUMP, "days": "365"}),
    ("/assets/show", FAN),
    ("/assets/timeline", PUMP),
    ("/pm", {}),
    ("/pm", {"month": "2026-02", "site": "NORTH"}),
    ("/connections", {}),
    ("/connections/show", {"id": "c"}),
    ("/connections/show", {"id": "unknown"}),
    ("/audit", {}),
    ("/audit/verify", {}),
    ("/uptime", {}),
    ("/uptime", {"period": "2026-02", "by": "asset"}),
    ("/uptime", {"from": "2026-02-01", "to": "2026-03-01", "by": "site"}),
    *(("/records", {"kind": kind}) for kind in ("purchase-orders", "inventory-items", "vendors", "meters")),
    *(("/records", {"kind": kind}) for kind in ("meter-readings", "downtime", "pm-plans", "assets", "work-orders")),
    ("/records/show", {"kind": "purchase_order", "connection": "c", "key": "PO-1"}),
    ("/records/show", {"kind": "pm_plan", "connection": "c", "key": "GREASE"}),
    ("/records/show", {"kind": "downtime", "connection": "c", "key": "D-1"}),
    ("/records/show", {"kind": "meter", "connection": "c", "key": "M-1"}),
]


@pytest.mark.parametrize(("path", "query"), EVERY_PAGE)
def test_a_page_shows_outside_text_as_text_and_a_viewer_no_act(site: Site, path: str, query: dict[str, str]) -> None:
    answer = site.viewer.get(path, params=query)

    assert answer.status_code == 200, answer.text
    assert "<script>alert" not in answer.text
    assert plant.SECRET not in answer.text
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in answer.text
    assert not re.search(r"\sstyle=|<style|\son\w+=", re.sub(r'"[^"]*"', '""', answer.text))
    assert re.findall(r'action="([^"]*)" method="post"|method="post" action="([^"]*)"', answer.text) == [
        ("/logout", "")
    ]


def text_of(answer: httpx.Response) -> str:
    """What somebody reads on it, in one line."""
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())


def test_the_board_has_what_stands_is_late_is_due_and_the_maintenance(site: Site) -> None:
    told = text_of(site.viewer.get("/today"))
    assert re.search(r"1 down 1 overdue 1 due today 0 in progress 1 maintenance due", told), told
    assert "overdue by 2 d 4 h, in progress for 3 d" in told
    assert "Mechanics" in told


def test_one_order_tells_its_life_and_which_event_set_what(site: Site) -> None:
    page = site.viewer.get("/work-orders/show", params=ORDER)
    told = text_of(page)
    assert re.search(r"Its life approved 1 d .* in progress 3 d so far", told), told
    assert "120.50 EUR" in told
    assert 'href="/events/show?id=made&amp;connection=c"' in page.text
    assert re.search(r"work_order\.status_changed applied Status begun", told), told


def test_open_orders_come_by_due_time_a_page_at_a_time_and_none_twice(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.console.pages.work_orders.ROWS", 1)
    found: list[str] = []
    query: dict[str, str] = {}
    while True:
        answer = site.viewer.get("/work-orders", params=query)
        found += re.findall(r'<th scope="row"><a class="nowrap" href="[^"]*key=([^"&]+)"', answer.text)
        following = re.search(r'rel="next" href="[^"]*cursor=([^"&]+)"', answer.text)
        if following is None:
            break
        query = {"cursor": following[1]}
    assert found == ["WO-1", "WO-3", "WO-2"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "overdue"}, ["WO-1"]),
        ({"site": "SOUTH"}, ["WO-3"]),
        ({"crew": "Mechanics"}, ["WO-1"]),
        ({"state": "all", "status": "completed"}, ["PM-1", "WO-4"]),
        ({"state": "all", "status": "requested"}, ["WO-2"]),
    ],
)
def test_orders_are_filtered(site: Site, query: dict[str, str], expected: list[str]) -> None:
    answer = site.viewer.get("/work-orders", params=query)
    assert expected == re.findall(r'<th scope="row"><a class="nowrap" href="[^"]*key=([^"&]+)"', answer.text)


def test_an_assets_strip_has_each_stop_with_its_link_and_its_row(site: Site) -> None:
    page = site.viewer.get("/assets/show", params=PUMP)
    strip = re.search(r'<svg[^>]*class="asset-strip".*?</svg>', page.text, re.DOTALL)
    assert strip is not None
    stops = re.findall(r'<a href="([^"]*)"[^>]*><title>([^<]*)</title>', strip[0])
    assert [title.partition(",")[0] for _, title in stops] == ["planned", "unplanned"]
    assert stops[1][0] == "/records/show?kind=downtime&amp;connection=c&amp;key=D-1"
    told = text_of(page)
    assert "planned 3 h 0 min" not in told
    assert re.search(r"2026-02-09 12:00:00 2026-02-10 12:00:00 1 d unplanned failure bearing down time D-1", told)
    assert re.search(r"Availability 98\.75\d %", told), told
    assert re.search(r"MTBF .*? confidence\)", told)


def test_the_timeline_goes_on_where_a_page_ended(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = re.findall(r"<time datetime=\"([^\"]+)\"", site.viewer.get("/assets/timeline", params=PUMP).text)
    monkeypatch.setattr("worker.console.pages.asset.LINES", 3)
    found, query = [], dict(PUMP)
    while True:
        answer = site.viewer.get("/assets/timeline", params=query)
        found += re.findall(r"<time datetime=\"([^\"]+)\"", answer.text)
        following = re.search(r'rel="next" href="[^"]*cursor=([^"&]+)"', answer.text)
        if following is None:
            break
        query["cursor"] = following[1]
    assert found == whole == sorted(whole, reverse=True)


def test_the_calendar_says_what_became_of_each_time(site: Site) -> None:
    february = text_of(site.viewer.get("/pm", params={"month": "2026-02"}))
    assert re.search(r"2026-02-14 done Grease", february), february
    assert re.search(r"2026-02-28 overdue Grease", february), february
    assert re.search(r"2026-03-14 forecast", text_of(site.viewer.get("/pm")))


def test_figures_by_asset_are_those_of_the_command(site: Site) -> None:
    told = text_of(site.viewer.get("/uptime", params={"period": "2026-02", "by": "asset"}))
    assert re.search(r"PUMP-7 c 95\.982 % 96\.429 % 672\.00 h 27\.00 h 3\.00 h 1 1 0 645\.00 h 24\.00 h", told), told


def test_figures_begin_with_the_lowest_of_all_and_go_on_where_a_page_ended(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keys(page: str) -> list[str]:
        return re.findall(r'<th scope="row"><a[^>]*>([^<]+)<', page)

    address = "/uptime?period=2026-02&by=asset"
    whole = site.viewer.get(address).text
    assert keys(whole)[0] == "PUMP-7"  # by key it is the last
    assert keys(whole) != sorted(keys(whole))
    monkeypatch.setattr(uptime, "AT_ONCE", 1)
    found: list[str] = []
    while True:
        page = site.viewer.get(address).text
        found += keys(page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if following is None:
            break
        assert f"of {len(keys(whole))}" in text_of(site.viewer.get(address))
        address = following[1].replace("&amp;", "&")
    assert found == keys(whole)


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/work-orders/show", {"connection": "c", "key": "?"}, 404),
        ("/assets/show", {"connection": "c", "key": "?"}, 404),
        ("/assets/show", {**PUMP, "days": "8"}, 400),
        ("/work-orders", {"state": "?"}, 400),
        ("/work-orders", {"cursor": "?"}, 400),
        ("/assets/timeline", {**PUMP, "cursor": "?"}, 400),
        ("/pm", {"month": "2026-13"}, 400),
        ("/pm", {"month": "0001-01"}, 400),
        ("/connections/show", {"id": "?"}, 404),
        ("/records", {"kind": "?"}, 400),
        ("/records/show", {"kind": "vendor", "connection": "c", "key": "?"}, 404),
        ("/uptime", {"by": "?"}, 400),
        ("/uptime", {"period": "?"}, 400),
        ("/audit", {"since": "?"}, 400),
        ("/audit", {"cursor": "?"}, 400),
    ],
)
def test_what_cannot_be_meant_or_is_not_there_is_said(
    site: Site, path: str, query: dict[str, str], status: int
) -> None:
    assert status == site.viewer.get(path, params=query).status_code


def test_a_connection_is_paused_and_resumed_with_a_reason_by_an_operator_alone(site: Site) -> None:
    page = site.operator.get("/connections/show", params={"id": "c"})
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token is not None
    fields = {"id": "c", "act": "pause", "reason": "moving house", "csrf": token[1]}

    assert site.viewer.post("/connections/show", data=fields).status_code == 403
    assert site.operator.post("/connections/show", data={**fields, "reason": " "}).status_code == 400
    assert "active" in text_of(site.viewer.get("/connections/show", params={"id": "c"}))

    assert site.operator.post("/connections/show", data=fields).headers["location"] == "/connections/show?id=c"
    assert "paused" in text_of(site.viewer.get("/connections/show", params={"id": "c"}))
    assert site.operator.post("/connections/show", data={**fields, "act": "resume"}).status_code == 303
    log = text_of(site.viewer.get("/audit"))
    assert re.search(r"a-operator connections resume moving house .* connections pause moving house", log), log
    assert "The chain is whole : 2 rows" in text_of(site.viewer.get("/audit/verify"))


def test_no_page_says_what_a_secret_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANT_SECRET", "a-secret-that-nobody-may-see")
    page = site.operator.get("/connections/show", params={"id": "c"})
    assert "env:PLANT_SECRET" in page.text
    assert "nobody-may-see" not in page.text
