"""Every operation of the API: who may, what it answers, and what it leaves in the audit log."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from handlers.store.read_candidates import candidates
from handlers.store.read_letters import Wanted
from tests.journeys.roles import PATIENCE_SECONDS
from tests.servers import BrokerServer
from tests.worker.console.house import MARKED, SHOWN_EDITED, Site, bearer, site
from worker import replay
from worker.acts import Operator
from worker.console.api.operations import Operation
from worker.console.api.table import OPERATIONS
from worker.console.house import utc_now
from worker.console.replaying import LEFT_LYING
from worker.replay_plan import plan
from worker.shapes.kinds import KINDS

WINDOW = {"from": "2026-03-01", "to": "2026-04-01", "as_of": "2026-05-01"}


@pytest.fixture
def acted(tmp_path: Path, valkey: BrokerServer) -> Iterator[Site]:
    """An installation of the test's own, for what changes it."""
    with site(tmp_path, f"sqlite:///{tmp_path / 'maintenworks.db'}", broker_url=valkey.url) as found:
        yield found


def _address(operation: Operation) -> str:
    return "/api/v1" + operation.path.format(connection="plant", key="WO-1", id="plant", delivery="d", place="0")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_nobody_may_anything_and_a_viewer_nothing_that_acts(served: Site, operation: Operation) -> None:
    before = served.acts()
    address = _address(operation)
    nobody = served.client.request(operation.method, address, json={"reason": "test"})
    assert (nobody.status_code, nobody.json()["type"]) == (401, "unauthorized")
    assert nobody.headers["www-authenticate"].startswith("Bearer")
    if operation.method == "POST":
        viewer = served.client.post(address, json={"reason": "test"}, headers=bearer(served.viewer))
        assert (viewer.status_code, viewer.json()["type"]) == (403, "forbidden")
    assert served.acts() == before


def test_every_kind_prints_as_the_command_prints_it(served: Site) -> None:
    for name in KINDS:
        printed = served.plant.run("get", name, "--json").rows
        told = served.items(f"/{name}", limit=2)
        assert [_settled(each) for each in told] == [_settled(each) for each in printed]
        one = served.get(f"/{name}/plant/{printed[0]['key'].replace('/', '%2F').replace('?', '%3F')}").json()
        assert _settled(one) == _settled(printed[0])


AT = ("--from", "2026-03-01", "--to", "2026-04-01", "--as-of", "2026-05-01")
OF_PUMP = ("--asset", "PUMP-1")
BUSY = ("--status", "in_progress")
HISTORY = ("history", "PUMP-1", "--connection", "plant")
LATER = "2026-03-01T08:01:00Z"


@pytest.mark.parametrize(
    ("path", "query", "command"),
    [
        ("/work-orders", {"status": "in_progress", "asset": "PUMP-1"}, ("get", "work-orders", *BUSY, *OF_PUMP)),
        ("/work-orders", {"due_before": "2026-03-02"}, ("get", "work-orders", "--due-before", "2026-03-02")),
        ("/meter-readings", {"meter": "M-1"}, ("get", "meter-readings", "--meter", "M-1")),
        ("/assets/plant/PUMP-1/downtime", {}, ("get", "downtime", *OF_PUMP, "--connection", "plant")),
        ("/assets/plant/PUMP-1/history", {}, HISTORY),
        ("/assets/plant/PUMP-1/history", {"from": LATER}, (*HISTORY, "--from", LATER)),
        ("/uptime", WINDOW, ("uptime", *AT)),
        ("/uptime", {**WINDOW, "by": "site"}, ("uptime", *AT, "--by", "site")),
        ("/uptime", {**WINDOW, "roll_up": "true"}, ("uptime", *AT, "--roll-up")),
        ("/uptime", {"period": "2026-03", "as_of": "2026-05-01"}, ("uptime", "--period", "2026-03", *AT[-2:])),
        ("/events", {}, ("events", "list")),
        ("/events", {"subject": "work_order/WO-1"}, ("events", "list", "--subject", "work_order/WO-1")),
        ("/work-orders/plant/WO-1/history", {}, ("events", "list", "--subject", "work_order/WO-1")),
        ("/events", {"outcome": "ignored"}, ("events", "list", "--outcome", "ignored")),
        ("/events/down", {}, ("events", "show", "down")),
        ("/dead-letters", {}, ("dead-letters", "list")),
        ("/dead-letters", {"error": "malformed_json"}, ("dead-letters", "list", "--error", "malformed_json")),
        ("/dead-letters/groups", {}, ("dead-letters", "list", "--by", "fingerprint")),
        ("/connections", {}, ("get", "connections")),
        ("/today", {"as_of": "2026-03-03"}, ("today", "--as-of", "2026-03-03")),
        ("/audit", {}, ("audit", "list")),
        ("/pm-occurrences", {}, ("pm", "due")),
    ],
)  # fmt: skip
def test_lists_are_those_of_the_commands(
    served: Site, path: str, query: dict[str, str], command: Sequence[str]
) -> None:
    told = served.items(path, **query)
    assert [_settled(each) for each in told] == [_settled(each) for each in served.plant.run(*command, "--json").rows]


def test_one_asset_has_the_figures_of_the_command(served: Site) -> None:
    command = "uptime PUMP-1 --connection plant --from 2026-03-01 --to 2026-04-01 --as-of 2026-05-01 --json"
    assert served.get("/assets/plant/PUMP-1/uptime", **WINDOW).json() == served.plant.run(*command.split()).row


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/work-orders/plant/NO", 404, "NO"),
        ("/work-orders/plant/%FF", 404, "page"),
        ("/work-orders/plant/a%00b", 404, "page"),
        ("/work-orders?limit=0", 400, "limit"),
        ("/work-orders?limit=1001", 400, "limit"),
        ("/work-orders?limit=x", 400, "limit"),
        ("/work-orders?limit=%D9%A1", 400, "limit"),
        ("/work-orders?status=a&status=b", 400, "twice"),
        ("/work-orders?site=", 400, "site"),
        ("/work-orders?sites=N", 400, "sites"),
        ("/work-orders?deleted=yes", 400, "deleted"),
        ("/work-orders?status=%FF", 400, "UTF-8"),
        ("/work-orders?status=%00", 400, "null"),
        ("/work-orders?cursor=x", 400, "next_cursor"),
        ("/work-orders?cursor=WyJhIl0", 400, "next_cursor"),
        ("/meter-readings?meter=M-1&cursor=WyJhIiwiYiIsImMiXQ", 400, "next_cursor"),
        ("/assets/plant/PUMP-1/history?cursor=W1siMjAyNi0wMy0wMSIsImEiLCJiIiwiYyIsImQiXSwwXQ", 400, "next_cursor"),
        ("/work-orders?due_before=soon", 400, "due_before"),
        ("/uptime", 400, "from"),
        ("/uptime?from=2026-03-02&to=2026-03-01", 400, "before"),
        ("/uptime?period=2026-03&by=site&roll_up=true", 400, "roll_up"),
        ("/uptime?period=2026-03&by=site&cursor=WyJhIl0", 400, "sites and customers are one page"),
        ("/events?outcome=lost", 400, "outcome"),
        ("/events/nothing", 404, "nothing"),
        ("/events?since=2026-13-01", 400, "since"),
        ("/dead-letters/d/0", 404, "d/0"),
        ("/dead-letters/d/x", 404, "d/x"),
        ("/replays/none", 404, "none"),
        ("/connections/none", 404, "none"),
        ("/connections/none/rejections", 404, "none"),
        ("/pm-occurrences?as_of=0001-01-01", 400, "as_of"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_says_why(served: Site, path: str, status: int, word: str) -> None:
    answer = served.get(path)
    assert (answer.status_code, answer.json()["status"]) == (status, status), answer.text
    assert word in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_methods_are_those_of_the_table(served: Site) -> None:
    wrong = served.client.delete("/api/v1/replays", headers=bearer(served.operator))
    assert (wrong.status_code, set(wrong.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "POST"})
    head = served.client.head("/api/v1/work-orders", headers=bearer(served.viewer))
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", "application/json")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"reason": " "}', "application/json", 400),
        (b'{"reason": ""}', "application/json", 400),
        (b'{"reason": "x", "more": 1}', "application/json", 400),
        (b'{"reason": "' + b"x" * (9 << 20) + b'"}', "application/json", 413),
    ],
)
def test_an_act_that_cannot_be_read_does_nothing(served: Site, content: bytes, kind: str, status: int) -> None:
    before = served.acts()
    headers = {**bearer(served.operator), "content-type": kind}
    answer = served.client.post("/api/v1/connections/plant/pause", content=content, headers=headers)
    assert (answer.status_code, served.acts()) == (status, before)
    assert not served.get("/connections/plant").json()["paused"]


def test_every_act_is_done_and_stands_in_the_log_with_who_and_why(acted: Site) -> None:
    assert acted.post("/connections/plant/pause", reason=" why ").json()["paused"]
    assert acted.get("/connections/plant").json()["paused"]
    plan = acted.get("/replays/plan").json()
    assert {line["why_not"] for line in plan["by"]} == {None, "connection_paused"}
    assert not acted.post("/connections/plant/resume", reason="why").json()["paused"]
    first, second, third, fourth, *_ = acted.letters
    edited = acted.post(f"/dead-letters/{first}/edit", reason="why", body=SHOWN_EDITED.decode())
    assert edited.json()["letter"] == first
    again = acted.post(f"/dead-letters/{first}/edit", reason="why", body="x")
    assert (again.status_code, "superseded" in again.text) == (409, True)
    same = acted.plant.run("dead-letters", "show", second, "--json").row["body_base64"]
    assert acted.post(f"/dead-letters/{second}/edit", reason="why", body_base64=same).status_code == 409
    assert acted.post(f"/dead-letters/{second}/edit", reason="why", body_base64="?").status_code == 400
    assert acted.post(f"/dead-letters/{second}/edit", reason="why").status_code == 400
    revealed = acted.post(f"/dead-letters/{second}/reveal", reason="why").json()
    assert (revealed["body_base64"], MARKED in revealed["payload"]) == (same, True)
    gone = acted.post("/dead-letters/discard", reason="why", filters={"ids": [third]}).json()
    assert gone == {"matched": 1, "discarded": 1}
    assert acted.post("/dead-letters/discard", reason="why", filters={"state": "open"}).status_code == 400
    assert acted.post("/events/wo-1/replay", reason="why").json() == {"id": "wo-1", "matched": 1, "sent": 1}
    shown = acted.post(f"/events/{acted.event_delivery}/reveal", reason="why").json()
    assert MARKED.encode() in base64.b64decode(shown["body_base64"])
    begun = acted.post("/replays", reason="why", filters={"ids": [second, fourth]}, rate_per_s=1).json()
    assert (begun["total"], begun["state"]) == (2, "running")
    stopped = acted.post(f"/replays/{begun['replay']}/stop", reason="why").json()
    assert stopped["state"] in {"stopped", "done"}
    acted.post(f"/replays/{begun['replay']}/resume", reason="why").raise_for_status()
    assert acted.post("/replays", reason="why", filters={"error": "none"}).status_code == 409
    acted.house.runner.close(PATIENCE_SECONDS)
    assert [each["replay"] for each in acted.items("/replays")] == [begun["replay"]]
    log = acted.acts()
    assert {(each["who"], each["reason"]) for each in log} == {("operator-anna", "why")}
    steered = {"dead_letters.replay_stopped", "dead_letters.replay_resumed", "dead_letters.replay_done"}
    assert {each["act"] for each in log} - steered == {
        "connections.pause",
        "connections.resume",
        "dead_letters.edit",
        "dead_letters.discard",
        "dead_letters.replay",
        "events.replay",
        "payloads.reveal",
    }
    assert acted.plant.run("audit", "verify").code == 0
    assert MARKED not in json.dumps(log)


def test_a_replay_that_lies_idle_is_gone_on_with(acted: Site) -> None:
    known = acted.house.registry
    planned = plan(candidates(acted.house.database, Wanted()), known.all(), utc_now(), known.endpoints())
    idle, fresh = (
        replay.start(acted.house.database, planned, {}, Operator("ben", "why"), rate=100, now=began)
        for began in (utc_now() - 2 * LEFT_LYING, utc_now())
    )
    acted.house.runner.adopt()
    acted.house.runner.close(PATIENCE_SECONDS)
    states = {each["replay"]: each["state"] for each in acted.items("/replays")}
    assert states == {idle.replay_id: "done", fresh.replay_id: "running"}


def _settled(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what its source put in fields of its own, which the API masks, and what counts up to now."""
    moving = ("custom_fields", "overdue_by", "time_in_progress", "duration", "usage")
    return {name: value for name, value in record.items() if name not in moving}
