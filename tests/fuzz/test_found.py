"""What the fuzz found once, each as a test of its own."""

import io
import os
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import typer

from handlers.connections.parsing import parse
from handlers.errors import ConfigurationError, PermanentError
from handlers.events import Delivery
from handlers.settings import load as load_settings
from handlers.sources import load
from handlers.store import read_letters
from handlers.store.audit import Head
from handlers.store.read_letters import Wanted
from tests import folding
from tests.fuzz.parsers.files import chain
from tests.fuzz.parsers.sources import RECEIVED
from worker import audit
from worker.cli import connections, dead_letters_given, given
from worker.queue import Undecodable, decode, encode
from worker.settings import WorkerSettings

ENDLESS = "9" * 5_000
DEEP = "[" * 100_000
LONE = os.fsdecode(b"\xd0")
"""A byte that is no UTF-8, as Python reads it from a command line."""


def test_an_endless_number_in_the_registry_is_a_problem_of_it() -> None:
    with pytest.raises(ConfigurationError, match=r"c\.toml:1: has a number of thousands of digits"):
        parse(f"[connections.a]\nrate_limit = {ENDLESS}", "c.toml", load())


@pytest.mark.parametrize("value", [ENDLESS, DEEP])
def test_so_it_is_in_the_settings_and_so_is_endless_nesting(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "maintenworks.toml"
    file.write_text(f"log_level = {value}")
    monkeypatch.setenv("MAINTENWORKS_CONFIG", str(file))
    with pytest.raises(ConfigurationError, match=r"maintenworks\.toml"):
        load_settings(WorkerSettings, home=tmp_path)


@pytest.mark.parametrize("value", [ENDLESS, DEEP])
def test_so_it_is_in_a_scheme_on_the_command_line(value: str) -> None:
    with pytest.raises(typer.BadParameter):
        connections._scheme(f"{{ hmac = {value} }}")


def test_a_header_on_the_command_line_keeps_the_bytes_that_were_typed() -> None:
    assert given.headers([f"X-Signature: {LONE}é"]) == {"x-signature": "\xd0\xc3\xa9"}


def test_a_letter_whose_number_no_database_holds_is_none() -> None:
    assert dead_letters_given.key("d-1/999999999") == ("d-1", 999_999_999)
    name = f"d-1/{ENDLESS}"
    assert dead_letters_given.key(name) == (name, None)


def test_text_that_is_no_unicode_is_refused_by_the_database(tmp_path: Path) -> None:
    database = folding.sqlite(tmp_path)
    with pytest.raises(PermanentError, match="no Unicode"):
        list(read_letters.listed(database, Wanted(connection=LONE)))
    database.close()


@pytest.mark.parametrize(
    ("member", "value", "problem"),
    [
        ("plan", f'{{"a": {"[" * 3_000}{"]" * 3_000}}}', "cannot be read: RecursionError"),
        ("at", '"0001-01-01T00:00:00+23:59"', "cannot be read: OverflowError"),
        ("at", '"2026-03-02T00:00:00"', "cannot be read: ValidationError"),
    ],
)
def test_a_row_of_an_exported_log_that_cannot_be_judged_is_found(member: str, value: str, problem: str) -> None:
    """The last one says another instant than was written, and was of the same hash where the machine's zone is UTC."""
    lines = [msgspec.json.encode(row) for row in chain()]
    lines[1] = msgspec.json.encode(
        {**msgspec.json.decode(lines[1], type=dict[str, msgspec.Raw]), member: msgspec.Raw(value.encode())}
    )

    verdict = audit.verify(audit.exported(io.BytesIO(b"\n".join(lines))))

    assert [tuple(finding) for finding in verdict.findings] == [(2, problem)]


def test_an_endless_number_is_no_head() -> None:
    with pytest.raises(ConfigurationError):
        audit.read_head(f"{ENDLESS}:{'a' * 64}")
    assert audit.read_head(f"7:{'a' * 64}") == Head(7, "a" * 64)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"received_at": datetime(2026, 3, 1)}, "a time without a zone"),  # noqa: DTZ001  # the point of it
        ({"secret_position": 2**63}, "a position of no secret"),
        ({"secret_position": -1}, "a position of no secret"),
        ({"delivery_id": "d" * 513}, "an id of great length"),
        ({"connection_id": "c\0"}, "U+0000 in a text"),
        ({"headers": {"x": "\0"}}, "U+0000 in a text"),
        ({"headers": {"\0": "x"}}, "U+0000 in a text"),
        ({"verdict": "\0"}, "U+0000 in a text"),
    ],
)
def test_a_message_that_no_database_would_take_is_one_that_cannot_be_decoded(
    members: dict[str, object], reason: str
) -> None:
    """PostgreSQL would have refused its whole batch, and whatever its dead letter was to be, for ever."""
    sound = Delivery("d-1", "acme", RECEIVED + timedelta(0), b"{}")
    assert decode(encode(sound), "acme") == sound
    raw = encode(msgspec.structs.replace(sound, **members))

    assert decode(raw, "acme") == Undecodable("acme", raw, reason)
