"""Edits of `connections.toml`: only what was meant changes, comments stay, and nothing bad is ever written."""

import base64
import os
import re
import stat
import threading
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.connections import Registry, SecretRef
from handlers.connections.edits import Issued, add, pause, resume, revoke, rotate
from handlers.connections.files import replace
from handlers.errors import ConfigurationError
from handlers.signatures import scheme

NOW = datetime(2026, 3, 1, 8, 0, 0, 5, tzinfo=UTC)
DAY = timedelta(days=1)
TEXT = """# our registry
[connections.a]  # alpha
source = "unified"
secrets = [
  # from the portal
  { ref = "env:A" },  # the only one
]

# about b
[connections.b]
secrets = [{ ref = "env:B" }]  # one line
source = "unified"

# the end
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "connections.toml"
    path.write_text(TEXT)
    path.chmod(0o600)
    return path


def new(path: Path, connection_id: str = "acme", *, secret: str | None = None, **fields: Any) -> Issued:
    return add(path, path.parent, connection_id, {"source": "unified", **fields}, secret=secret)


def registry(path: Path) -> Registry:
    return Registry(path, path.parent)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def problem(caught: pytest.ExceptionInfo[ConfigurationError]) -> str:
    (line,) = caught.value.problems
    return line


def test_the_first_connection_makes_a_private_file_in_a_private_folder(tmp_path: Path) -> None:
    path = tmp_path / "home" / "connections.toml"

    issued = new(path, customer=None)

    assert path.read_text() == ('[connections.acme]\nsource = "unified"\nsecrets = [{ ref = "file:secrets/acme" }]\n')
    assert mode(path) == 0o600
    assert mode(path.parent / "secrets") == 0o700
    assert mode(path.parent / "secrets" / "acme") == 0o600
    assert registry(path).secrets(registry(path).all()["acme"], NOW) == (str(issued.secret).encode(),)


def test_a_connection_is_added_at_the_end_and_the_rest_stays(path: Path) -> None:
    new(path, "acme.eu", secret="env:ACME", scheme={"hmac": {"header": "X"}}, customer='a "b"', rate_limit="5/s")

    assert path.read_text() == TEXT + (
        '\n[connections."acme.eu"]\nsource = "unified"\nscheme = { hmac = { header = "X" } }\n'
        'customer = "a \\"b\\""\nrate_limit = "5/s"\nsecrets = [{ ref = "env:ACME" }]\n'
    )
    assert registry(path).all()["acme.eu"].scheme == scheme({"hmac": {"header": "X"}})


@pytest.mark.parametrize(
    "before", ["[connections]\nb = { source = 'unified', secrets = [{ ref = 'env:B' }] }", TEXT.strip()]
)
def test_a_file_without_a_line_break_at_its_end_gets_one(path: Path, before: str) -> None:
    path.write_text(before)
    new(path, secret="env:ACME")

    assert path.read_text().startswith(f"{before}\n\n[connections.acme]\n")


def test_the_line_breaks_of_windows_stay(path: Path) -> None:
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    new(path, secret="env:ACME")
    pause(path, "a")
    rotate(path, path.parent, "a", grace=DAY, now=NOW, secret="env:A2")

    assert re.findall(rb"[^\r]\n", path.read_bytes()) == []


def test_a_generated_secret_is_of_43_characters_that_need_no_escape(path: Path) -> None:
    issued = new(path)

    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", str(issued.secret))
    assert (path.parent / "secrets" / "acme").read_text() == f"{issued.secret}\n"


def test_a_generated_secret_for_standard_webhooks_is_of_its_form(path: Path) -> None:
    secret = str(new(path, scheme="standard-webhooks").secret)

    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


def test_two_generated_secrets_are_never_the_same(path: Path) -> None:
    assert new(path, "one").secret != new(path, "two").secret


def test_an_issued_secret_is_not_in_its_repr(path: Path) -> None:
    issued = new(path)

    assert repr(issued) == "Issued(ref='file:secrets/acme')"


def test_a_generated_secret_never_replaces_a_file(path: Path) -> None:
    (path.parent / "secrets").mkdir()
    (path.parent / "secrets" / "acme").write_text("somebody's")

    assert new(path).ref == "file:secrets/acme~2"
    assert (path.parent / "secrets" / "acme").read_text() == "somebody's"


def test_an_id_that_is_taken_is_refused_and_nothing_is_written(path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        new(path, "a")

    assert problem(caught) == f"{path}: connections.a: is there already; rotate or revoke it"
    assert path.read_text() == TEXT
    assert not (path.parent / "secrets").exists()


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"source": "nothing"}, "connections.acme.source: is none of "),
        ({"scheme": "macini"}, "connections.acme.scheme: there is no 'macini'; "),
        ({"environment": "test"}, "connections.acme.environment: is none of production, sandbox"),
        ({"secret": "hunter2hunter2hunter2"}, "connections.acme.secrets[0].ref: is a literal, not a reference; "),
    ],
)
def test_a_connection_that_would_be_bad_is_refused_and_nothing_is_written(
    path: Path, fields: dict[str, Any], line: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        new(path, **fields)

    assert problem(caught).startswith(line)
    assert "hunter2" not in problem(caught)
    assert path.read_text() == TEXT
    assert not (path.parent / "secrets").exists()


@pytest.mark.parametrize("name", ["a/../b", "..", "unknown", ""])
def test_an_id_that_is_none_makes_no_file_anywhere(path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="is no id for a connection"):
        new(path, name)

    assert path.read_text() == TEXT
    assert not (path.parent / "secrets").exists()


def test_a_bad_file_is_not_edited(path: Path) -> None:
    path.write_text(f"{TEXT}nonsense")

    for edit in (lambda: new(path), lambda: pause(path, "a"), lambda: revoke(path, "a")):
        with pytest.raises(ConfigurationError) as caught:
            edit()
        assert problem(caught).startswith(f"{path}:15: ")
    assert path.read_text() == f"{TEXT}nonsense"


def test_a_made_secret_is_taken_back_if_the_file_cannot_be_written(path: Path) -> None:
    path.write_text("connections = { }\n")

    with pytest.raises(ConfigurationError) as caught:
        new(path)

    assert problem(caught) == f"{path}: is laid out in a way that cannot be edited by program; edit it by hand"
    assert list((path.parent / "secrets").iterdir()) == []
    assert path.read_text() == "connections = { }\n"


def test_a_rotation_puts_the_new_secret_first_and_ends_the_old_one_after_the_grace(path: Path) -> None:
    issued = rotate(path, path.parent, "a", grace=DAY, now=NOW)

    assert path.read_text() == TEXT.replace("secrets = [\n", 'secrets = [\n  { ref = "file:secrets/a" },\n', 1).replace(
        '{ ref = "env:A" }', '{ ref = "env:A", not_after = 2026-03-02T08:00:00Z}'
    )
    assert registry(path).all()["a"].secrets == (
        SecretRef(text=str(issued.ref)),
        SecretRef(text="env:A", not_after=datetime(2026, 3, 2, 8, tzinfo=UTC)),
    )
    assert (path.parent / "secrets" / "a").read_text() == f"{issued.secret}\n"


def test_a_rotation_works_on_one_line_too(path: Path) -> None:
    rotate(path, path.parent, "b", grace=DAY, now=NOW, secret="env:B2")

    assert path.read_text() == TEXT.replace(
        '[{ ref = "env:B" }]', '[{ ref = "env:B2" }, { ref = "env:B", not_after = 2026-03-02T08:00:00Z}]'
    )


def test_rotations_follow_each_other_and_drop_what_has_ended(path: Path) -> None:
    days = [rotate(path, path.parent, "a", grace=DAY, now=NOW + day * timedelta(hours=16)) for day in range(4)]

    assert [issued.ref for issued in days] == ["file:secrets/a", *(f"file:secrets/a~{number}" for number in (2, 3, 4))]
    assert [(ref.text, ref.not_after) for ref in registry(path).all()["a"].secrets] == [
        ("file:secrets/a~4", None),
        ("file:secrets/a~3", datetime(2026, 3, 4, 8, tzinfo=UTC)),
        ("file:secrets/a~2", datetime(2026, 3, 3, 16, tzinfo=UTC)),
    ]
    assert "# from the portal" in path.read_text()


def test_a_rotation_does_not_lengthen_a_secret_that_ends_sooner(path: Path) -> None:
    path.write_text(TEXT.replace('"env:B"', '"env:B", not_after = 2026-03-01T09:00:00Z'))
    rotate(path, path.parent, "b", grace=DAY, now=NOW, secret="env:B2")

    assert registry(path).all()["b"].secrets[1].not_after == datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_a_rotation_without_grace_ends_the_old_secret_at_once(path: Path) -> None:
    rotate(path, path.parent, "b", grace=timedelta(0), now=NOW, secret="env:B2")

    assert [ref.valid_at(NOW) for ref in registry(path).all()["b"].secrets] == [True, False]


def test_a_rotation_to_a_literal_is_refused_without_quoting_it(path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        rotate(path, path.parent, "a", grace=DAY, now=NOW, secret="hunter2hunter2hunter2")

    assert problem(caught).startswith("secret: is a literal, not a reference; ")
    assert "hunter2" not in problem(caught)
    assert path.read_text() == TEXT


def test_pause_and_resume_leave_the_file_as_it_was(path: Path) -> None:
    pause(path, "b")
    assert path.read_text() == TEXT.replace("[connections.b]\n", "[connections.b]\npaused = true\n")
    assert registry(path).all()["b"].paused
    pause(path, "b")

    resume(path, "b")
    assert path.read_text() == TEXT
    resume(path, "b")
    assert path.read_text() == TEXT


def test_a_pause_overrides_what_stands_there(path: Path) -> None:
    path.write_text(TEXT.replace("[connections.b]\n", "[connections.b]\npaused = false # for now\n"))
    pause(path, "b")

    assert path.read_text() == TEXT.replace("[connections.b]\n", "[connections.b]\npaused = true # for now\n")


def test_a_revoked_connection_is_marked_and_keeps_what_reads_its_past(path: Path) -> None:
    revoke(path, "a")

    assert path.read_text() == TEXT.replace("# alpha\n", "# alpha\nrevoked = true\n")
    assert registry(path).all()["a"].revoked
    with pytest.raises(ConfigurationError) as caught:
        rotate(path, path.parent, "a", grace=DAY, now=NOW)
    assert problem(caught) == f"{path}: connections.a: is revoked; add it again"


def test_a_revoked_connection_is_added_again_with_a_new_secret_alone(path: Path) -> None:
    revoke(path, "a")
    new(path, "a", secret="env:A2", customer="other")

    connection = registry(path).all()["a"]
    assert not connection.revoked
    assert connection.customer == "other"
    assert connection.secrets == (SecretRef(text="env:A2"),)
    assert "# about b\n[connections.b]\n" in path.read_text()


@pytest.mark.parametrize("edit", [pause, resume, revoke])
def test_what_is_not_there_cannot_be_edited(path: Path, edit: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        edit(path, "nobody")

    assert problem(caught) == f"{path}: connections.nobody: is not there; see connections list"


LAYOUTS = {
    "inline": "[connections]\na = { source = 'unified', secrets = [{ ref = 'env:A' }] }\n",
    "array of tables": "[connections.a]\nsource = 'unified'\n[[connections.a.secrets]]\nref = 'env:A'\n",
    "quoted": "[\"connections\".'a']\n\"source\" = 'unified'\n\"secrets\" = [{ ref = 'env:A' }]\n",
    "the word in a comment": (
        "[connections.a] # secrets = [\nsource = 'unified'\nsecrets = [{ ref = 'env:A' }] # secrets = [\n"
    ),
    "the word before": (
        "[connections]\na = { customer = 'secrets = [', source = 'unified', secrets = [{ ref = 'env:A' }] }\n"
    ),
    "over many lines": "[connections.a]\nsource = 'unified'\nsecrets = [ # all\n\n  {ref='env:A'}\n]\n",
    "among other tables": (
        "[connections.a]\nsource = 'unified'\nsecrets = [{ ref = 'env:A' }]\n[endpoints]\n"
        "[connections.b]\nsource = 'unified'\nsecrets = [{ ref = 'env:B' }]\n"
    ),
}


RARE_LAYOUTS = {
    "dotted": "[connections]\na.source = 'unified'\na.secrets = [ { ref = 'env:A' } ]\n",
    "dotted from the root": "connections.a.source = 'unified'\nconnections.a.secrets = [{ ref = 'env:A' }]\n",
    "table after its parts": (
        "[[connections.a.secrets]]\nref = 'env:A'\n[connections.a]\nsource = 'unified'\n"
        "[connections.b]\nsource = 'unified'\nsecrets = [{ ref = 'env:B' }]\n"
    ),
}


@pytest.mark.parametrize("layout", RARE_LAYOUTS)
def test_a_layout_that_an_edit_does_not_reach_is_left_as_it_is(path: Path, layout: str) -> None:
    path.write_text(RARE_LAYOUTS[layout])
    pause(path, "a")
    rotate(path, path.parent, "a", grace=DAY, now=NOW, secret="env:A2")
    revoke(path, "a")
    connection = registry(path).all()["a"]
    assert (connection.paused, connection.revoked) == (True, True)
    assert [ref.text for ref in connection.secrets] == ["env:A2", "env:A"]
    before = path.read_bytes()

    with pytest.raises(ConfigurationError) as caught:
        new(path, "a")

    assert problem(caught) == f"{path}: is laid out in a way that cannot be edited by program; edit it by hand"
    assert path.read_bytes() == before
    assert list((path.parent / "secrets").iterdir()) == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_usual_layout_is_edited_rightly(path: Path, layout: str) -> None:
    path.write_text(LAYOUTS[layout])
    pause(path, "a")
    revoke(path, "a")
    new(path, "a", secret="env:A1")
    rotate(path, path.parent, "a", grace=DAY, now=NOW, secret="env:A2")
    resume(path, "a")

    edited = tomllib.loads(path.read_text())
    expected = tomllib.loads(LAYOUTS[layout])
    expected["connections"]["a"]["secrets"] = [
        {"ref": "env:A2"},
        {"ref": "env:A1", "not_after": datetime(2026, 3, 2, 8, tzinfo=UTC)},
    ]
    assert edited == expected


def test_the_mode_of_the_file_is_kept_and_no_scrap_is_left(path: Path) -> None:
    path.chmod(0o640)
    pause(path, "a")

    assert mode(path) == 0o640
    assert sorted(each.name for each in path.parent.iterdir()) == [".connections.toml.lock", "connections.toml"]


def test_a_link_to_the_file_stays_a_link(path: Path) -> None:
    link = path.with_name("link.toml")
    link.symlink_to(path)
    pause(link, "a")

    assert link.is_symlink()
    assert registry(path).all()["a"].paused


def test_the_file_is_replaced_at_once_so_that_a_reader_sees_the_old_or_the_new(path: Path) -> None:
    with path.open() as reader:
        before = path.stat().st_ino
        pause(path, "a")
        assert path.stat().st_ino != before
        assert reader.read() == TEXT


def test_a_write_that_fails_leaves_no_scrap(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(IsADirectoryError):
        replace(tmp_path / "folder", b"content")

    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for a service that runs as somebody else")
def test_what_root_writes_belongs_to_the_service(path: Path) -> None:
    os.chown(path.parent, 4242, 4242)
    os.chown(path, 4242, 4343)
    new(path)
    with_new_file = path.parent / "other.toml"
    new(with_new_file, "another")

    owners = {each: (each.stat().st_uid, each.stat().st_gid) for each in path.parent.rglob("*")}
    assert owners.pop(path) == (4242, 4343)
    assert len(owners) == 6
    assert set(owners.values()) == {(4242, 4242)}


def test_edits_at_once_are_all_kept(path: Path) -> None:
    names = [f"c{number}" for number in range(12)]
    threads = [threading.Thread(target=new, args=(path, name), kwargs={"secret": "env:C"}) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(registry(path).all()) == sorted(["a", "b", *names])
