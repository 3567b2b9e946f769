"""Lists a page at a time: whatever is written meanwhile, nothing comes twice and nothing is left out."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.store import searching
from tests.databases import Lender
from tests.worker.cli.plant import event
from tests.worker.console.house import Site, bearer, site
from worker.console.api import paging
from worker.console.api.common import CURSOR
from worker.console.api.table import OPERATIONS
from worker.console.refusals import RefusalError

PAGED = [each for each in OPERATIONS if CURSOR in each.params]
INSTANTS = ("08:00:00Z", "08:00:00.000001Z", "08:00:00.5Z", "08:00:01Z", "07:59:59.999999Z")
"""Texts of which a fraction sorts before none, though it is later."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An asset to which much happened at the same instants."""
    home: Path = tmp_path_factory.mktemp("crowded")
    with ExitStack() as held:
        url = f"sqlite:///{home / 'maintenworks.db'}"
        if request.param == "postgresql":
            lender: Lender = request.getfixturevalue("postgres_lender")
            url = held.enter_context(lender.lent())
        found = held.enter_context(site(home, url))
        for number in range(20):
            at = f"2026-03-01T{INSTANTS[number % len(INSTANTS)]}"
            order = event("work_order.created", f"C-{number}", at, asset_key="PUMP-2", title=str(number))
            found.plant.send(order, event("meter_reading.recorded", f"CR-{number}", at, meter_key="M-2", value=number))
        for number in range(9):
            found.post("/connections/plant/resume", reason=str(number)).raise_for_status()
        yield found


@pytest.mark.parametrize("operation", PAGED, ids=lambda each: each.name)
def test_pages_of_any_size_make_the_whole_list(crowded: Site, operation: Any) -> None:
    address = operation.path.format(connection="plant", key="PUMP-2" if operation.tag == "assets" else "WO-1")
    query = {"period": "2026-03"} if operation.name == "uptime" else {}
    whole = crowded.get(address, limit=1_000, **query).json()
    assert whole["next_cursor"] is None
    for size in (1, 2, 7, max(1, len(whole["items"]) - 1), max(1, len(whole["items"]))):
        found = crowded.items(address, limit=size, **query)
        assert [_name(each) for each in found] == [_name(each) for each in whole["items"]]


def test_readings_of_one_meter_come_by_time(crowded: Site) -> None:
    whole = crowded.get("/meter-readings", meter="M-2").json()["items"]
    assert len(whole) == 20
    assert crowded.items("/meter-readings", meter="M-2", limit=3) == whole


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/events", {"type": "asset.created"}),
        ("/work-orders", {"status": "none"}),
        ("/assets", {"site": "NORTH", "connection": "plant"}),
    ],
)
def test_a_search_that_stops_short_says_so_and_goes_on(
    crowded: Site, monkeypatch: pytest.MonkeyPatch, path: str, query: dict[str, str]
) -> None:
    """Given lists of which so few rows are looked at for a page that some pages have none of what is wanted."""
    whole = crowded.items(path, **query)
    for name in ("LOOKED_AT", "RECORDS_LOOKED_AT"):
        monkeypatch.setattr(searching, name, 2)
    first = crowded.get(path, **query, limit=1_000).json()
    assert len(first["items"]) <= 2
    assert first["next_cursor"] is not None
    assert crowded.items(path, **query) == whole
    page = crowded.client.get(path, params={"state": "all", **query}, headers=bearer(crowded.viewer)).text
    assert "2 were looked through" in page
    assert "Look further" in page


@pytest.mark.parametrize("path", ["/events", "/work-orders", "/assets/plant/PUMP-2/history"])
def test_what_is_written_between_pages_hides_and_repeats_nothing(crowded: Site, path: str) -> None:
    before = {_name(each) for each in crowded.items(path)}
    seen: list[str] = []
    cursor: str | None = None
    for number in range(1_000):
        page = crowded.get(path, limit=7, **({} if cursor is None else {"cursor": cursor})).json()
        seen += map(_name, page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            break
        key = f"{'A' if number % 2 else 'Z'}-{len(before)}-{number}"
        crowded.plant.send(event("work_order.created", key, "08:00", asset_key="PUMP-2"))
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


@given(st.tuples(st.text(), st.integers(-(2**63), 2**63 - 1), st.text()))
def test_a_cursor_comes_back_as_the_place_it_names(place: tuple[str, int, str]) -> None:
    assert paging.decode(paging.encode(place), tuple[str, int, str]) == place


@given(st.text())
def test_no_other_text_is_a_cursor_of_a_list(text: str) -> None:
    with pytest.raises(RefusalError):
        paging.decode(text, tuple[str, str, str, str])


def _name(item: dict[str, Any]) -> str:
    """What tells an item from the others, whatever of it counts up to now."""
    names = ("connection", "key", "asset_key", "id", "delivery_id", "event_index", "event_id", "occurred_at")
    return json.dumps([item.get(name) for name in (*names, "sequence", "replay")])
