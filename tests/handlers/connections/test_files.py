"""Files of a home: root may write there for whoever owns it, who must not lead root elsewhere."""

import os
from pathlib import Path

import pytest

from handlers.connections.files import create, locked, touch


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What root has given away, by device and inode: the tests may run as anybody."""
    found = list[tuple[int, int]]()

    def note(file: int | Path, *_: int, **__: object) -> None:
        about = os.fstat(file) if isinstance(file, int) else os.lstat(file)
        found.append((about.st_dev, about.st_ino))

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", note)
    return found


def test_a_lock_that_leads_elsewhere_gives_nothing_away(tmp_path: Path, given: list[tuple[int, int]]) -> None:
    """A service could have root, editing its connections, give it the machine's passwords."""
    elsewhere = tmp_path / "shadow"
    elsewhere.touch()
    (tmp_path / ".connections.toml.lock").symlink_to(elsewhere)

    with pytest.raises(OSError, match="symbolic links"), locked(tmp_path / "connections.toml"):
        pass

    assert given == []


@pytest.mark.parametrize("there", [True, False])
def test_what_a_link_leads_to_is_left_alone(tmp_path: Path, given: list[tuple[int, int]], *, there: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    if there:
        elsewhere.touch()
    (tmp_path / "maintenworks.db").symlink_to(elsewhere)

    touch(tmp_path / "maintenworks.db")

    assert given == []
    assert elsewhere.exists() is there


def test_a_new_file_goes_to_the_owner_of_the_folder_that_it_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of secrets may lead to one of somebody else's: what comes to stand there is theirs."""
    home, theirs = tmp_path / "home", tmp_path / "theirs"
    home.mkdir()
    theirs.mkdir()
    (home / "secrets").symlink_to(theirs)
    likes = list[int]()
    monkeypatch.setattr("handlers.connections.files._give", lambda _, like: likes.append(like.st_ino))

    create(home / "secrets" / "acme", b"x")

    assert likes == [theirs.stat().st_ino]
