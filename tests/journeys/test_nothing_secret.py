"""Every command, and requests of every kind, with marked secrets; then everything that was written is searched.

Secrets, signatures and other headers' values are to be nowhere but in the files made for them; bodies nowhere but in
the archive and in the broker. A command that is not run here is missing from `COMMANDS`, and that is a failure, too.
"""

import base64
import contextlib
import gzip
import hashlib
import hmac
import html
import json
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
import sqlalchemy as sa

from handlers.connections.generated import FOLDER as SECRETS_FOLDER
from handlers.store.schema import deliveries, metadata, notifications
from tests.journeys.commands import COMMANDS, SHOWS_BODIES
from tests.journeys.installation import Installation
from tests.journeys.roles import COMMAND, PATIENCE_SECONDS, Role, eventually
from tests.journeys.sender import Sender
from tests.worker.cli.plant import event
from worker.address import FOLDER as BROKER_FOLDER
from worker.tokens import OPERATOR_FILE

pytestmark = pytest.mark.long  # every command, each a process: a minute and more

BODY = "mark-only-in-a-body"
VALUE = "mark-only-in-a-header"
LINK = re.compile(r'href="(/[^"]*)"')
MOST_PAGES = 400
GIVEN = {
    "PLANT_SECRET": "mark-secret-in-the-environment-0001",
    "API_TOKEN": "mark-token-of-an-api-0002",
    "MAINTENWORKS_METRICS_TOKEN": "mark-token-of-scrapers-0003",
    "TOLD_SECRET": "bWFyay1zZWNyZXQtb2YtdGhvc2Utd2hvLWFyZS10b2xk",
}
PASSWORDS = ("mark-password-of-a-database-0004", "mark-password-of-a-broker-0005")


class _Said(NamedTuple):
    """What a command wrote: exit code, everything on standard output and standard error."""

    command: str
    code: int
    text: bytes


class _Searched:
    """An installation with marks in all that is secret, after it has been through everything.

    Attributes:
        here: the installation; everything has ended.
        said: by every command.
        log: of `up` and its roles, which say all they can.
        command_lines: of every process.
        answers: to every request, whole.
        pages: that the operator sees, and answers of the API.
        token: the operator's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.here = Installation(folder, MAINTENWORKS_LOG_LEVEL="debug", **GIVEN)
        self.said: list[_Said] = []
        self.answers = b""
        self.pages = b""
        self.token = ""
        self.command_lines = ""
        options = ("--secret", "env:PLANT_SECRET", "--scheme", '{ hmac = { header = "X-Plant", encoding = "base64" } }')
        self._run("connections add", "signed", "--source", "unified", *options)
        self.plant = self.here.connect("plant")
        gone = self.here.connect("gone")
        with (self.here.home / "connections.toml").open("a") as file:
            api = 'api = { base_url = "http://127.0.0.1:1", token = "env:API_TOKEN" }'
            file.write(
                f'\n[connections.asked]\nsource = "unified"\nsecrets = [{{ ref = "env:PLANT_SECRET" }}]\n{api}\n'
            )
            told = 'scheme = "standard-webhooks"\nsecrets = [{ ref = "env:TOLD_SECRET" }]'
            file.write(f'\n[connections.told]\nsource = "unified"\n{told}\n')
        with self.here.up() as role:
            address = f"{self.plant.address}/webhooks/told?token={VALUE}"
            (self.here.home / SECRETS_FOLDER / "hook").write_text(address)
            hook = f'url = "file:{SECRETS_FOLDER}/hook"\nsecret = "env:TOLD_SECRET"'
            (self.here.home / "notifications.toml").write_text(f'group_for = "0s"\n[webhooks.hook]\n{hook}\n')
            self._run("connections revoke", "gone")
            self._requests(gone)
            self._crash(role)
            self._operators()
            self._pages()
            self._commands()
            self.here.settle(self.plant)
            self.command_lines = "\n".join(" ".join(each.cmdline()) for each in _family(role))
        self._roles_alone()
        self.log = b"".join(log.read_bytes() for log in self.here.logs)

    @property
    def hidden(self) -> list[str]:
        """Whatever must be nowhere: secrets, tokens, passwords, signatures, values of headers; in each usual form."""
        secrets = [*GIVEN.values(), *PASSWORDS, VALUE, self.token, *(sender.secret for sender in self.here.senders)]
        encoded = [base64.b64encode(each.encode()).decode().rstrip("=") for each in secrets]
        signatures = [each for sender in self.here.senders for each in sender.signatures]
        return [*secrets, *encoded, *(each.encode().hex() for each in secrets), *signatures, self._signed(_mapped())]

    def _requests(self, gone: Sender) -> None:
        """Whatever a sender, or a stranger, may post."""
        plant = self.plant
        good = event("work_order.created", "WO-1", "08:00", "good-1", asset_key="PUMP-1", status="in_progress")
        also = event("asset.created", "PUMP-2", "08:00", "good-2")
        every_month = {"status": "active", "cycles": [{"interval": 1, "unit": "month"}], "start_date": "2026-01-15"}
        plan = event("pm_plan.created", "PLAN-1", "08:00", "good-3", asset_keys=["PUMP-1"], **every_month)
        wrong = [_mapped(), b'{"note": "%s' % BODY.encode(), b'["%s"]' % BODY.encode(), BODY.encode()]
        wrong += [gzip.compress(_mapped()), b"[" * 5000 + BODY.encode(), b'{"id": 1e1000000, "%s": 1}' % BODY.encode()]
        ignored = json.dumps({**event("weather.changed", "SKY", "08:00", "sky-1"), "data": {"key": "S", "note": BODY}})
        bodies: list[bytes] = [*(json.dumps(each).encode() for each in (good, also, plan)), ignored.encode(), *wrong]
        for body in bodies:
            plant.deliver([body])
            for signature in ("", f"sha256={VALUE}", "0" * 64, plant.sign(b"other" + body)):
                plant.post(body, signature)
            gone.post(body)
        headers = {
            "Authorization": f"Bearer {VALUE}",
            "Cookie": f"session={VALUE}",
            "X-Api-Key": VALUE,
            "X-Plant": VALUE,
        }
        with httpx.Client(base_url=plant.address, timeout=30, headers=headers) as client:
            for name in ("plant", "signed", "asked", "nobody", VALUE, f"plant/{VALUE}"):
                for method in ("POST", "GET", "OPTIONS"):
                    self._answered(client.request(method, f"/webhooks/{name}?token={VALUE}", content=_mapped()))
            signed = self._signed(_mapped())
            self._answered(client.post("/webhooks/signed", content=_mapped(), headers={"X-Plant": signed}))
            self._answered(client.post("/webhooks/plant", content=BODY.encode() * 100_000))
            self._answered(client.post("/webhooks/plant", content=_mapped(), headers={"X-Long": VALUE * 5000}))
        for raw in (
            f"{VALUE}\r\n\r\n",
            f"POST /webhooks/plant HTTP/1.1\r\nX: {VALUE}\r\nContent-Length: x\r\n\r\n{BODY}",
        ):
            self.answers += _raw(plant.address, raw.encode())
        self.here.settle(plant)

    def _crash(self, role: Role) -> None:
        """What is under way when processes die ends in their logs."""
        parts = role.parts()
        for name in ("broker", "worker", "receiver"):
            parts[name].kill()
        self.plant.deliver([_mapped(number) for number in range(50)])
        self.here.settle(self.plant)

    def _operators(self) -> None:
        tokens = ("", f"Bearer {VALUE}", f"Bearer {GIVEN['MAINTENWORKS_METRICS_TOKEN']}")
        for token in tokens:
            for path in ("/metrics", "/readyz", "/livez", "/", "/events", f"/{VALUE}", "/api/v1/openapi.json"):
                url = f"{self.here.console}{path}"
                self._answered(httpx.get(url, timeout=30, headers={"Authorization": token, "Cookie": VALUE}))

    def _pages(self) -> None:
        """Every page that a link leads to, and every list of the API."""
        self.token = (self.here.home / OPERATOR_FILE).read_text().strip()
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "text/html, application/json"}
        with httpx.Client(base_url=self.here.console, timeout=30, headers=headers) as client:
            told = client.get("/api/v1/openapi.json").json()["paths"]
            ahead = ["/", *(path for path, does in told.items() if "get" in does and "{" not in path)]
            seen = set(ahead)
            while ahead and len(seen) < MOST_PAGES:
                page = client.get(ahead.pop())
                self.pages += repr(page.headers).encode() + page.content
                found = {html.unescape(each) for each in LINK.findall(page.text)} - seen
                ahead += sorted(found)
                seen |= found

    def _answered(self, response: httpx.Response) -> None:
        self.answers += repr(response.headers).encode() + response.content

    def _commands(self) -> None:
        eventually(lambda: bool(self.here.ask(sa.select(notifications.c.message_id))), every=0.2)
        body, mended = self.folder / "body.json", self.folder / "mended.json"
        body.write_bytes(_mapped())
        mended.write_text(json.dumps(event("asset.updated", "PUMP-9", "08:00", "mended-1")))
        letter = next(id_ for id_, body in self.plant.accepted.items() if body == _mapped())
        words = {
            "BODY": str(body),
            "MENDED": str(mended),
            "DELIVERY": letter,
            "RECEIVER": self.plant.address,
        }
        signature = self.plant.sign(_mapped())
        for command, arguments in COMMANDS.items():
            filled = [words.get(each, each).replace("SIGNATURE", signature) for each in arguments]
            self._run(command, *(each.replace("DELIVERY", letter) for each in filled))
        self._run("connections verify", "plant", str(body), "--header", f"X-Webhook-Signature: {VALUE}")
        self._run("send", "plant", str(body), "--url", "http://127.0.0.1:1")
        self._run("connections nonsense", VALUE)

    def _roles_alone(self) -> None:
        away = {
            "MAINTENWORKS_DATABASE_URL": f"postgresql://user:{PASSWORDS[0]}@127.0.0.1:1/database",
            "MAINTENWORKS_BROKER_URL": f"redis://:{PASSWORDS[1]}@127.0.0.1:1/0",
        }
        for command in (
            "receiver",
            "worker",
            "scheduler",
            "doctor",
            "config show",
            "connections rejections",
        ):
            arguments = ("plant",) if command.endswith("rejections") else ()
            self._run(command, *arguments, **away)
        self._run("worker", MAINTENWORKS_DATABASE_URL=f"oracle://user:{PASSWORDS[0]}@db/x")
        self._run("receiver", MAINTENWORKS_BROKER_URL=f"kafka://:{PASSWORDS[1]}@broker")
        self._run("doctor", MAINTENWORKS_DATABASE_URL=f"postgresql://user:{PASSWORDS[0]}@[bad/x")

    def _run(self, command: str, *arguments: str, **settings: str) -> None:
        done = subprocess.run(
            [COMMAND, *command.split(), *arguments],
            cwd=self.folder,
            env={**self.here.environment, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        self.said.append(_Said(command, done.returncode, done.stdout))

    @staticmethod
    def _signed(body: bytes) -> str:
        digest = hmac.new(GIVEN["PLANT_SECRET"].encode(), body, hashlib.sha256).digest()
        return base64.b64encode(digest).decode()


@pytest.fixture(scope="module")
def searched() -> Iterator[_Searched]:
    with tempfile.TemporaryDirectory(prefix="mw-") as folder:
        found = _Searched(Path(folder))
        yield found
        found.here.close()


def test_each_command_ended_as_commands_do(searched: _Searched) -> None:
    """Without it the search could find nothing because nothing was run."""
    assert [(each.command, each.code) for each in searched.said if each.code not in {0, 1, 2, 3, 4, 69}] == []
    assert [each.command for each in searched.said if b"Traceback (most recent call last):\n" in each.text] == []
    needed = {
        command for command in COMMANDS if not command.startswith(("doctor", "connections verify", "connections try"))
    }
    assert needed - {each.command for each in searched.said if each.code == 0} == set()


def test_the_log_tells_of_all_that_happened_and_of_nothing_that_is_secret(searched: _Searched) -> None:
    for event_ in (b"deliveries_accepted", b"delivery_refused", b"role_ended"):
        assert event_ in searched.log
    assert _found([*searched.hidden, BODY], searched.log) == []


def test_no_command_prints_a_secret_and_only_those_meant_to_print_a_body(searched: _Searched) -> None:
    wrong = {
        each.command: found
        for each in searched.said
        if (found := _found(searched.hidden if each.command in SHOWS_BODIES else [*searched.hidden, BODY], each.text))
    }
    assert wrong == {}
    assert any(BODY.encode() in each.text for each in searched.said if each.command == "events raw")


def test_no_answer_gives_back_what_was_sent_or_what_is_secret(searched: _Searched) -> None:
    assert b"unauthorized" in searched.answers
    assert _found([*searched.hidden, BODY], searched.answers) == []


def test_no_page_and_no_answer_of_the_api_has_a_secret(searched: _Searched) -> None:
    for seen in (b"<h1", b'"delivery_id"', b"PUMP-1"):
        assert seen in searched.pages
    assert _found(searched.hidden, searched.pages) == []


def test_no_command_line_has_a_secret(searched: _Searched) -> None:
    assert "-m receiver" in searched.command_lines
    assert _found(searched.hidden, searched.command_lines.encode()) == []


def test_no_file_of_the_home_has_a_secret_or_a_body_but_those_made_for_it(searched: _Searched) -> None:
    home = searched.here.home
    private = {home / OPERATOR_FILE}
    files = [path for path in home.rglob("*") if path.is_file() and path.parent.name != SECRETS_FOLDER]
    files = [path for path in files if path not in private]
    assert {"connections.toml", "maintenworks.db", "server.log"} <= {path.name for path in files}
    for path in files:
        keeps_bodies = path.name.startswith("maintenworks.db") or path.is_relative_to(home / BROKER_FOLDER)
        words = searched.hidden if keeps_bodies else [*searched.hidden, BODY]
        assert _found(words, path.read_bytes()) == [], path


def test_of_the_tables_the_archive_alone_has_bodies(searched: _Searched) -> None:
    for table in metadata.sorted_tables:
        rows = repr(searched.here.ask(sa.select(table))).encode()
        assert _found(searched.hidden, rows) == [], table.name
        assert _found([BODY], rows) == ([BODY] if table is deliveries else []), table.name


def _mapped(number: int = 0) -> bytes:
    """JSON that cannot be mapped, for a value that no message may quote."""
    told = event("work_order.created", f"WO-{number}", f"2026-03-01T{BODY}", f"bad-{number}", title=BODY, status=BODY)
    return json.dumps(told).encode()


def _found(words: Iterable[str], text: bytes) -> list[str]:
    return [word for word in words if word.encode() in text]


def _family(role: Role) -> list[psutil.Process]:
    process = psutil.Process(role.process.pid)
    return [process, *process.children(recursive=True)]


def _raw(address: str, data: bytes) -> bytes:
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as client:
        client.sendall(data)
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(65536):
                found += part
    return found
