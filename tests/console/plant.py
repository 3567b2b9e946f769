"""An installation with its `up`, filled by the road: signed webhooks of several systems, good ones and bad ones."""

import base64
import contextlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from handlers.store.schema import assets, dead_letters, pm_occurrences
from tests.console import facts
from tests.console.fleet import HOSTILE
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import eventually
from tests.journeys.sender import Sender

NORTH, SOUTH, LINE, TRIAL, BEAT = "north-cmms", "south-cmms", "line-4", "trial", "beat"
SENDING: Final = (NORTH, SOUTH, LINE, TRIAL)
LETTERS: Final = 650
"""Of one cause: the map of `line-4` reads times as its system wrote them before an update. So many that five hundred
are left when a slow replay is stopped."""
OLD_DATES: Final = 'dates = "%d.%m.%Y %H:%M"\n'
"""What is wrong with that map."""
TOKEN_IN_A_BODY: Final = "a-token-that-the-sender-left-there"
CONNECTIONS: Final = f"""
[connections.{NORTH}]
source = "unified"
customer = "acme"
time_zone = "Europe/Berlin"
secrets = [{{ ref = "file:secrets/{NORTH}" }}, {{ ref = "file:secrets/before", not_after = 2099-01-01T00:00:00Z }}]

[connections.{SOUTH}]
source = "unified"
customer = "globex"
secrets = [{{ ref = "file:secrets/{SOUTH}" }}]

[connections.{LINE}]
source = "generic"
customer = "acme"
secrets = [{{ ref = "file:secrets/{LINE}" }}]
[connections.{LINE}.map]
type = "work_order.updated"
key = "/nummer"
event_id = "/ereignis"
occurred_at = "/geaendert_am"
{OLD_DATES}[connections.{LINE}.map.fields.work_order]
title = "/titel"
asset_ref = "/maschine"

[connections.{TRIAL}]
source = "unified"
environment = "sandbox"
secrets = [{{ ref = "file:secrets/{TRIAL}" }}]

[connections.{BEAT}]
source = "canary"
secrets = [{{ ref = "file:secrets/{BEAT}" }}]

[connections.old-shop]
source = "maximo"
customer = "acme"
secrets = [{{ ref = "env:NOBODY_HAS_SET_THIS" }}]

[endpoints.hub]
source = "unified"
id = "/data/plant"
secrets = [{{ ref = "file:secrets/{TRIAL}" }}]
"""


class Plant(NamedTuple):
    """What is looked at.

    Attributes:
        up: the installation, running.
        senders: those that send, by connection.
        began: when it was filled.
    """

    up: Installation
    senders: dict[str, Sender]
    began: datetime

    @property
    def operator(self) -> str:
        """The token that `up` made."""
        return (self.up.home / "operator-token").read_text().strip()

    def send(self, connection: str, *bodies: bytes | Sequence[Any] | dict[str, Any]) -> list[str]:
        """Posts bodies as the system of a connection, and gives their deliveries' ids.

        In a thread of its own: where Playwright runs, no other loop may.
        """
        with ThreadPoolExecutor(1) as thread:
            raw = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in bodies]
            answers = thread.submit(self.senders[connection].post_at_once, raw).result()
        assert {each.status for each in answers} == {200}
        return [each.json["delivery_id"] for each in answers]

    def ask(self, query: sa.Select[*tuple[Any, ...]]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
        """What the tables say."""
        return self.up.ask(query)

    def letters(self, *where: sa.ColumnElement[bool]) -> list[str]:
        """Names of dead letters, newest last."""
        found = sa.select(dead_letters.c.delivery_id, dead_letters.c.event_index).where(*where)
        return [f"{row.delivery_id}/{row.event_index}" for row in self.ask(found.order_by(dead_letters.c.buried_at))]

    def mend_the_map(self) -> None:
        """Edits the file of connections, as its operator would: times are read as they are written now."""
        path = self.up.home / "connections.toml"
        path.write_text(path.read_text().replace(OLD_DATES, ""))


@contextlib.contextmanager
def filled() -> Iterator[Plant]:
    """A plant as it stands after a year: `up` runs, everything that was sent is worked on."""
    with installation() as fresh:
        secrets = _written(fresh.home)
        senders = {name: Sender(name, secrets[name]) for name in SENDING}
        fresh.senders += senders.values()
        now = datetime.now(UTC).replace(microsecond=0)
        with fresh.up():
            plant = Plant(fresh, senders, now)
            _fill(plant)
            yield plant


def _written(home: Path) -> dict[str, str]:
    folder = home / "secrets"
    folder.mkdir(mode=0o700)
    secrets = {name: f"{name}-secret-of-a-test" for name in (*SENDING, "before")}
    secrets[BEAT] = "whsec_" + base64.b64encode(b"a-secret-of-32-bytes-for-canary!").decode()
    for name, secret in secrets.items():
        path = folder / name
        path.write_text(secret)
        path.chmod(0o600)
    (home / "connections.toml").write_text(CONNECTIONS.replace("file:secrets", f"file:{folder}"))
    return secrets


def _fill(plant: Plant) -> None:
    now = plant.began
    plant.send(NORTH, *_cut(facts.of_site("NORTH", now)), *_unlikely(now))
    plant.send(SOUTH, *_cut(facts.of_site("SOUTH", now)), *_troubles(now))
    plant.send(LINE, *_cut([line(number, now) for number in range(LETTERS)]))
    plant.send(TRIAL, facts.fact("asset.created", "TOY-1", now, name="A trial"))
    before = Sender(NORTH, "before-secret-of-a-test")
    before.address = plant.senders[NORTH].address
    stranger = Sender("nobody-knows-this", "some-other-secret-of-a-test")
    stranger.address = before.address
    before.post(facts.fact("vendor.created", "V-9", now, name="Signed with the secret before"))
    assert [before.post(b"{}", each).status for each in ("0" * 64, "")] == [401, 401]
    assert stranger.post(b"{}").status == 401
    plant.up.settle(*plant.senders.values())
    open_letters = sa.select(sa.func.count()).where(dead_letters.c.connection_id == LINE)
    eventually(lambda: plant.ask(open_letters)[0][0] == LETTERS, every=0.2)
    eventually(lambda: bool(plant.ask(sa.select(assets.c.key).where(assets.c.connection_id == SOUTH))), every=0.2)


def await_calendar(plant: Plant) -> None:
    """Waits until the scheduler has looked at the maintenance plans."""
    eventually(lambda: bool(plant.ask(sa.select(pm_occurrences.c.plan_key).limit(1))), every=0.5)


def _cut(told: list[facts.Fact]) -> list[list[facts.Fact]]:
    return [told[start : start + 100] for start in range(0, len(told), 100)]


def line(number: int, now: datetime) -> dict[str, Any]:
    """As the generic system sends since its update: the time is no longer what the map reads."""
    return {
        "ereignis": f"e-{number}",
        "nummer": f"A-{number:04d}",
        "geaendert_am": (now - timedelta(minutes=number)).isoformat(),
        "titel": f"Riemen prüfen, Station {number % 12}",
        "maschine": f"L4-{number % 12}",
    }


def _unlikely(now: datetime) -> list[bytes]:
    """Dead letters of other causes, one of them with a secret in it, and what nobody handles."""
    broken = facts.fact("work_order.updated", "WO-NORTH-100", now, title="Change bearing", priority="high")
    without_time = {name: value for name, value in broken.items() if name != "occurred_at"}
    told = [
        without_time | {"id": "no-time", "data": {**broken["data"], "api_token": TOKEN_IN_A_BODY}},
        {**broken, "id": "no-version", "version": "x"},
        {**broken, "id": HOSTILE[:60], "occurred_at": HOSTILE},
        {**facts.fact("vendor.created", "V-3", now), "type": "weather.changed", "id": "ignored-1"},
        facts.fact("meter_reading.recorded", "R-bad", now, meter_key="M-PUMP-7", value="many", unit="h"),
    ]
    return [json.dumps(each).encode() for each in told] + [b'{"id": "cut-off", "type": "work_or', b"<html>502</html>"]


def _troubles(now: datetime) -> list[dict[str, Any]]:
    """What the second system says of itself."""
    hour = timedelta(hours=1)
    return [
        facts.fact("connection.online", SOUTH, now - 300 * hour),
        facts.fact("sync.completed", SOUTH, now - 5 * hour),
        facts.fact("sync.failed", SOUTH, now - 2 * hour, message="401 from the upstream's API"),
        facts.fact("connection.auth_required", SOUTH, now - 1 * hour, message="token expired"),
    ]
