"""No page and no list of the API reads a table whole that grows with what is sent: each asks its indexes."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.databases import Lender
from tests.plans import heard, plan, read_whole
from tests.worker.console.house import Site, bearer, site
from worker.console import pages
from worker.console.api.table import OPERATIONS
from worker.shapes.kinds import KINDS

SMALL = frozenset({"asset_links", "gauges", "notices", "replays", "connection_health"})
"""Tables of what operators made, or with a row a connection."""
NOWHERE = "type=none.such"
ASKED = (
    "/today?crew=mechanics",
    *(f"/work-orders?{each}" for each in ("", "state=overdue", "site=NORTH", "crew=nobody", "state=all")),
    *(f"/work-orders?state=all&{each}" for each in ("type=inspection", "asset=PUMP-1", "site=NORTH&connection=plant")),
    *(f"/assets?{each}" for each in ("", "q=pump", "status=down", "site=NORTH&connection=plant")),
    "/assets/show?connection=plant&key=PUMP-1",
    "/assets/timeline?connection=plant&key=PUMP-1",
    "/work-orders/show?connection=plant&key=WO-1",
    "/pm",
    "/connections/show?id=plant",
    "/uptime?period=2026-03&by=asset",
    "/search?q=WO-1",
    *(f"/records?kind={each}" for each in KINDS),
    "/records?kind=purchase-orders&status=none",
    "/records?kind=purchase-orders&vendor=V-1",
    "/records?kind=meter-readings&asset=PUMP-1",
    *(f"/events?{each}" for each in ("", NOWHERE, "connection=plant", "subject=WO-1", "subject=work_order/WO-1")),
    *(f"/events?{each}" for each in (f"until=2027-01-01&{NOWHERE}", f"since=2026-01-01&{NOWHERE}")),
    "/events/show?id=wo-1",
    *(f"/dead-letters?{each}" for each in ("", "by=type", "by=error&connection=plant", "since=2026-01-01")),
    *(f"/dead-letters?by=none&{each}" for each in ("", "error=wrong_type", NOWHERE, "state=replayed")),
    "/dead-letters?fingerprint=0123456789abcdef",
    "/replays/plan",
    "/replays/plan?error=wrong_type",
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home: Path = tmp_path_factory.mktemp("plans")
    with ExitStack() as held:
        url = f"sqlite:///{home / 'maintenworks.db'}"
        if request.param == "postgresql":
            lender: Lender = request.getfixturevalue("postgres_lender")
            url = held.enter_context(lender.lent())
        yield held.enter_context(site(home, url))


def test_no_page_reads_a_table_whole(asked: Site) -> None:
    """But for dead letters that are closed in groups, which nobody looks at all day."""
    menu = (each.path for each in pages.load() if each.method == "GET" and not each.path.endswith("/show"))
    lists = (each.path for each in OPERATIONS if each.method == "GET" and each.is_list and "{" not in each.path)
    found = {
        (address, *each)
        for address in (*ASKED, *menu, *(f"/api/v1{each}" for each in lists))
        for each in _whole(asked, address)
    }
    assert found == set()
    assert {table for table, _ in _whole(asked, "/dead-letters?state=replayed")} == {"dead_letters"}


def _whole(asked: Site, address: str) -> set[tuple[str, str]]:
    """The tables that a page reads whole, and the statements."""
    with heard(asked.house.database) as statements:
        answer = asked.client.get(address, headers=bearer(asked.operator))
    assert answer.status_code < 500, address
    once = {each.statement: each for each in statements}.values()
    tables = ((read_whole(line), each.statement) for each in once for line in plan(asked.house.database, each))
    return {(table, statement) for table, statement in tables if table is not None and table not in SMALL}
