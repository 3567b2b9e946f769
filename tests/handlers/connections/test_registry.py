"""The registry follows its file, keeps the last good one, and gives secrets to nobody but who asks for them."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handlers.connections import Connection, Registry
from handlers.errors import ConfigurationError, TransientError

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SECRET = "sixteen bytes at least"
GOOD = '[connections.acme]\nsource = "unified"\nsecrets = [{ ref = "file:acme" }]\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "acme").write_text(SECRET)
    return tmp_path / "connections.toml"


@pytest.fixture
def registry(path: Path) -> Registry:
    path.write_text(GOOD)
    return Registry(path, path.parent)


@pytest.fixture
def opened(path: Path) -> Callable[..., tuple[Registry, Connection]]:
    def build(secrets: str, fields: str = "") -> tuple[Registry, Connection]:
        path.write_text(f'[connections.acme]\nsource = "unified"\nsecrets = {secrets}\n{fields}')
        registry = Registry(path, path.parent)
        return registry, registry.all()["acme"]

    return build


def unresolved(registry: Registry, connection: Connection) -> str:
    with pytest.raises(TransientError) as caught:
        registry.secrets(connection, NOW)
    assert caught.value.code == "secret_unresolved"
    return str(caught.value)


def test_a_file_that_is_not_there_is_an_empty_registry(path: Path) -> None:
    registry = Registry(path, path.parent)

    assert registry.all() == {}
    assert registry.get("acme") is None
    assert registry.problems == ()
    assert not registry.refresh()


def test_a_file_that_comes_later_is_read(path: Path) -> None:
    registry = Registry(path, path.parent)
    path.write_text(GOOD)

    assert registry.refresh()
    assert registry.get("acme") == registry.all()["acme"]


def test_a_bad_file_at_the_start_is_refused_with_every_problem(path: Path) -> None:
    path.write_text("[connections.acme]\n")

    with pytest.raises(ConfigurationError) as caught:
        Registry(path, path.parent)

    assert [line.split(": ")[0] for line in caught.value.problems] == [f"{path}:1"] * 2


def test_a_change_of_the_file_is_seen_and_nothing_else_is_one(registry: Registry, path: Path) -> None:
    before = registry.all()

    assert not registry.refresh()
    path.write_text(f"{GOOD}# a comment\n")
    assert not registry.refresh()
    assert registry.all() is before
    path.write_text(f'{GOOD}customer = "other"\n')
    assert registry.refresh()
    assert registry.all()["acme"].customer == "other"
    assert registry.all() is not before


def test_a_change_of_the_same_size_within_the_same_moment_is_seen(registry: Registry, path: Path) -> None:
    path.write_text(f'{GOOD}customer = "a"\n')
    registry.refresh()
    before = path.stat()
    path.write_text(f'{GOOD}customer = "b"\n')
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert registry.refresh()
    assert registry.all()["acme"].customer == "b"


def test_a_bad_edit_keeps_the_last_good_one_and_is_counted_once(registry: Registry, path: Path) -> None:
    before = registry.all()
    path.write_text(f"{GOOD}currency = 7\n")

    assert [registry.refresh(), registry.refresh()] == [False, False]
    path.write_text(f"{GOOD}currency = 8\n")
    assert not registry.refresh()

    assert registry.all() is before
    assert registry.problems == (f"{path}:4: connections.acme.currency: is a number; write a string",)
    assert registry.bad_edits == 1


def test_a_mended_edit_takes_the_problems_away(registry: Registry, path: Path) -> None:
    path.write_text("nonsense")
    registry.refresh()
    path.write_text(GOOD)

    assert not registry.refresh()  # what serves is what served all along
    assert registry.problems == ()
    path.write_text("nonsense again")
    registry.refresh()
    assert registry.bad_edits == 2


def test_a_file_that_goes_keeps_the_last_good_one_until_it_is_back(registry: Registry, path: Path) -> None:
    path.unlink()
    registry.refresh()

    assert list(registry.all()) == ["acme"]
    assert registry.problems == (f"{path}:1: is gone; put it back (its last content serves meanwhile)",)
    path.write_text(GOOD)
    registry.refresh()
    assert not any(registry.problems)


def test_a_file_that_is_empty_for_a_moment_refuses_nobody(registry: Registry, path: Path) -> None:
    path.write_text("")
    assert not registry.refresh()
    assert registry.get("acme") is not None
    assert "is empty" in registry.problems[0]
    path.write_text(GOOD)
    registry.refresh()
    assert registry.problems == ()


def test_a_file_that_cannot_be_read_for_a_while_keeps_the_last_good_one(registry: Registry, path: Path) -> None:
    path.rename(path.with_suffix(".old"))
    path.mkdir()
    registry.refresh()

    assert list(registry.all()) == ["acme"]
    assert registry.problems == (f"{path}:1: cannot be read (Is a directory); make it a file this process may read",)
    path.rmdir()
    path.with_suffix(".old").rename(path)
    registry.refresh()
    assert not any(registry.problems)


def test_a_file_that_is_not_utf_8_is_told_with_the_line(registry: Registry, path: Path) -> None:
    path.write_bytes(GOOD.encode() + b'customer = "\xe4"')
    registry.refresh()

    assert registry.problems == (f"{path}:4: is not UTF-8 there; save it as UTF-8",)


def test_a_byte_order_mark_is_none_of_the_file(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())

    assert list(Registry(path, path.parent).all()) == ["acme"]


def test_secrets_come_in_the_files_order_those_out_of_their_time_left_out(
    opened: Callable[..., tuple[Registry, Connection]], path: Path
) -> None:
    for name in "abc":
        (path.parent / name).write_text(f"{name} {SECRET}")
    registry, connection = opened(
        '[{ ref = "file:c" }, { ref = "file:a", not_before = 2026-03-02T00:00:00Z },'
        ' { ref = "file:b", not_after = 2026-03-02T00:00:00Z }]'
    )

    assert registry.secrets(connection, NOW) == (f"c {SECRET}".encode(), f"b {SECRET}".encode())
    assert registry.secrets(connection, NOW + timedelta(days=1)) == (f"c {SECRET}".encode(), f"a {SECRET}".encode())


def test_a_revoked_connection_has_no_secrets(opened: Callable[..., tuple[Registry, Connection]]) -> None:
    registry, connection = opened('[{ ref = "file:acme" }]', "revoked = true")

    assert registry.get("acme") is connection
    assert registry.secrets(connection, NOW) == ()


def test_a_secret_out_of_its_time_need_not_be_there(opened: Callable[..., tuple[Registry, Connection]]) -> None:
    registry, connection = opened('[{ ref = "file:missing", not_after = 2026-01-01T00:00:00Z }]')

    assert registry.secrets(connection, NOW) == ()


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"sixteen bytes...", b"sixteen bytes..."),
        (b"sixteen bytes...\n", b"sixteen bytes..."),
        (b"sixteen bytes...\r\n", b"sixteen bytes..."),
        (b"sixteen bytes...\n\n", b"sixteen bytes...\n"),
        (b" sixteen bytes.. ", b" sixteen bytes.. "),
        (b"\x00\xff" * 8, b"\x00\xff" * 8),
    ],
)
def test_a_file_is_the_secret_but_for_one_line_break_at_its_end(
    opened: Callable[..., tuple[Registry, Connection]], path: Path, content: bytes, secret: bytes
) -> None:
    (path.parent / "acme").write_bytes(content)
    registry, connection = opened('[{ ref = "file:acme" }]')

    assert registry.secrets(connection, NOW) == (secret,)


def test_an_absolute_path_is_taken_as_it_is(
    opened: Callable[..., tuple[Registry, Connection]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret"
    elsewhere.write_text(SECRET)
    registry, connection = opened(f'[{{ ref = "file:{elsewhere}" }}]')

    assert registry.secrets(connection, NOW) == (SECRET.encode(),)


def test_a_variable_is_the_secret_as_it_is(
    opened: Callable[..., tuple[Registry, Connection]], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, connection = opened('[{ ref = "env:MW_TEST_SECRET" }]')
    assert unresolved(registry, connection) == "env:MW_TEST_SECRET: is not set in this process's environment"

    monkeypatch.setenv("MW_TEST_SECRET", f"{SECRET}\n")

    assert registry.secrets(connection, NOW) == (f"{SECRET}\n".encode(),)


def test_a_secret_that_is_not_there_yet_is_had_as_soon_as_it_is(
    opened: Callable[..., tuple[Registry, Connection]], path: Path
) -> None:
    registry, connection = opened('[{ ref = "file:later" }]')

    assert unresolved(registry, connection) == "file:later: cannot be read (No such file or directory)"
    (path.parent / "later").write_text(SECRET)
    assert registry.secrets(connection, NOW) == (SECRET.encode(),)


def test_a_secret_under_16_bytes_is_refused_without_quoting_it(
    opened: Callable[..., tuple[Registry, Connection]], path: Path
) -> None:
    (path.parent / "acme").write_text("fifteen bytes..\n")
    registry, connection = opened('[{ ref = "file:acme" }]')

    assert unresolved(registry, connection) == "file:acme: is shorter than 16 bytes; make a longer one"


def test_a_secret_that_the_scheme_cannot_use_is_refused_without_quoting_it(
    opened: Callable[..., tuple[Registry, Connection]],
) -> None:
    registry, connection = opened('[{ ref = "file:acme" }]', 'scheme = "standard-webhooks"')

    assert unresolved(registry, connection) == "file:acme: is not base64, with or without whsec_ before it"


def test_a_folder_or_a_pipe_is_no_secret(opened: Callable[..., tuple[Registry, Connection]], path: Path) -> None:
    (path.parent / "folder").mkdir()
    os.mkfifo(path.parent / "pipe")
    for name in ("folder", "pipe"):
        registry, connection = opened(f'[{{ ref = "file:{name}" }}]')
        assert unresolved(registry, connection) == f"file:{name}: is no regular file"


def test_a_file_far_beyond_a_secret_is_not_read_into_memory(
    opened: Callable[..., tuple[Registry, Connection]], path: Path
) -> None:
    with (path.parent / "acme").open("wb") as file:
        file.truncate(10 * 1024**3)
    registry, connection = opened('[{ ref = "file:acme" }]')

    assert unresolved(registry, connection) == "file:acme: is longer than 65536 bytes"


def test_a_secret_is_held_until_a_refresh_reads_it_again(registry: Registry, path: Path) -> None:
    connection = registry.all()["acme"]
    registry.secrets(connection, NOW)
    (path.parent / "acme").write_text(f"new {SECRET}")

    assert registry.secrets(connection, NOW) == (SECRET.encode(),)
    registry.refresh()
    assert registry.secrets(connection, NOW) == (f"new {SECRET}".encode(),)


def test_a_secret_that_goes_keeps_its_last_value_and_is_told(registry: Registry, path: Path) -> None:
    connection = registry.all()["acme"]
    registry.secrets(connection, NOW)
    assert registry.unresolved(NOW) == {}
    (path.parent / "acme").unlink()
    registry.refresh()

    assert registry.secrets(connection, NOW) == (SECRET.encode(),)
    assert registry.unresolved(NOW) == {
        "acme": "file:acme: cannot be read (No such file or directory); its last value serves"
    }


def test_a_secret_that_nobody_uses_any_more_is_forgotten(registry: Registry, path: Path) -> None:
    connection = registry.all()["acme"]
    registry.secrets(connection, NOW)
    (path.parent / "acme").unlink()
    path.write_text("# nobody\n")
    registry.refresh()

    unresolved(registry, connection)


def test_what_cannot_be_resolved_is_told_by_connection(path: Path) -> None:
    path.write_text(GOOD + '[connections.other]\nsource = "unified"\nsecrets = [{ ref = "file:missing" }]\n')

    assert Registry(path, path.parent).unresolved(NOW) == {
        "other": "file:missing: cannot be read (No such file or directory)"
    }


def test_a_token_may_be_short_and_is_refreshed_like_a_secret(
    opened: Callable[..., tuple[Registry, Connection]], path: Path
) -> None:
    (path.parent / "token").write_text("short")
    registry, connection = opened('[{ ref = "file:acme" }]', 'api = { base_url = "https://x", token = "file:token" }')
    assert connection.api is not None
    assert connection.api.token is not None

    assert registry.resolve(connection.api.token) == b"short"
    (path.parent / "token").write_text("other")
    registry.refresh()
    assert registry.resolve(connection.api.token) == b"other"


def test_no_secret_is_in_any_repr_or_error(registry: Registry, path: Path) -> None:
    connection = registry.all()["acme"]
    registry.secrets(connection, NOW)
    path.write_text("")
    registry.refresh()

    shown = [repr(registry), repr(connection), repr(registry._resolver), repr(connection.secrets)]
    assert [each for each in shown if SECRET in each] == []
