"""`audit`: what operators did, and that nobody can change the record of it unseen."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from handlers.store import schema
from tests.worker.cli.plant import Plant

Lines = list[str]


def _filled(plant: Plant) -> None:
    """Three acts."""
    for number, who in enumerate(("anna", "bert", "anna")):
        (name,) = plant.send(b"rubbish %d" % number)
        assert plant.run("dead-letters", "discard", "--id", name, "--reason", f"no {number}", "--by", who).code == 0


def test_acts_are_listed_with_who_when_what_and_why(plant: Plant) -> None:
    assert plant.run("audit", "list").code == 4
    _filled(plant)

    rows = plant.run("audit", "list", "--json").rows
    told = plant.run("audit", "list", "--by", "bert")

    assert [(row["sequence"], row["who"], row["act"], row["reason"]) for row in rows] == [
        (1, "anna", "dead_letters.discard", "no 0"),
        (2, "bert", "dead_letters.discard", "no 1"),
        (3, "anna", "dead_letters.discard", "no 2"),
    ]
    assert rows[0]["outcome"]["discarded"] == 1
    assert "no 1" in told.out
    assert "anna" not in told.out
    assert [row["sequence"] for row in plant.run("audit", "list", "--limit", "2", "--json").rows] == [1, 2]
    assert plant.run("audit", "list", "--act", "events.replay").code == 4
    assert plant.run("audit", "list", "--until", "2026-01-01").code == 4


def test_a_sound_log_verifies_and_prints_its_head(plant: Plant) -> None:
    _filled(plant)

    told = plant.run("audit", "verify")
    row = plant.run("audit", "verify", "--json").row

    assert (told.code, told.out) == (0, f"the chain is whole: 3 rows, head {row['head']}\n")
    assert (row["entries"], row["ok"], row["findings"]) == (3, True, [])
    assert plant.run("audit", "verify", "--head", row["head"]).code == 0
    assert plant.run("audit", "verify", "--head", "3").code == 2


def test_a_row_changed_in_the_database_ends_verify_and_export_with_1(plant: Plant) -> None:
    _filled(plant)
    with plant.database.write() as connection:
        log = schema.audit_log
        connection.execute(sa.update(log).values(reason="none of it").where(log.c.sequence == 2))

    told = plant.run("audit", "verify")
    row = plant.run("audit", "verify", "--json").row

    assert (told.code, "row 2: was changed" in told.out, "the chain is broken" in told.out) == (1, True, True)
    assert (row["ok"], [finding["sequence"] for finding in row["findings"]]) == (False, [2])
    assert plant.run("audit", "export").code == 1


def test_the_last_row_cut_off_in_the_database_is_found(plant: Plant) -> None:
    _filled(plant)
    with plant.database.write() as connection:
        connection.execute(sa.delete(schema.audit_log).where(schema.audit_log.c.sequence == 3))

    assert plant.run("audit", "verify").code == 1


def test_an_exported_log_is_checked_without_the_database(local: Plant, tmp_path: Path) -> None:
    _filled(local)
    exported = local.run("audit", "export")
    head = exported.said.splitlines()[-1]
    file = tmp_path / "audit.jsonl"
    file.write_bytes(exported.raw)
    local.database.close()
    for database in tmp_path.glob("maintenworks.db*"):
        database.unlink()

    done = local.run("audit", "verify", str(file), "--head", head, "--json")

    assert (exported.code, done.code) == (0, 0), done
    assert (done.row["head"], done.row["entries"]) == (head, 3)
    assert local.run("audit", "verify", str(tmp_path / "none.jsonl")).code == 1


def _edited(lines: Lines, name: str, value: object) -> Lines:
    return [lines[0], json.dumps({**json.loads(lines[1]), name: value}), lines[2]]


@pytest.mark.parametrize(
    "tamper",
    [
        lambda lines: _edited(lines, "who", "somebody"),
        lambda lines: _edited(lines, "at", "2020-01-01T00:00:00Z"),
        lambda lines: _edited(lines, "plan", {}),
        lambda lines: _edited(lines, "note", "added"),
        lambda lines: _edited(lines, "sequence", "2"),
        lambda lines: [lines[0], lines[2]],
        lambda lines: lines[1:],
        lambda lines: [lines[1], lines[0], lines[2]],
        lambda lines: [lines[0], lines[1], lines[1], lines[2]],
        lambda lines: lines[:2],
        lambda lines: lines[:0],
        lambda lines: [lines[0], lines[1], lines[2][:40]],
        lambda lines: [*lines, "rubbish"],
    ],
    ids=[
        "a name",
        "a time",
        "a plan",
        "a member more",
        "a member's type",
        "a row gone",
        "the first gone",
        "two swapped",
        "one twice",
        "the tail cut off",
        "all gone",
        "half a line",
        "a line more",
    ],
)
def test_a_file_that_was_tampered_with_is_found(local: Plant, tmp_path: Path, tamper: Callable[[Lines], Lines]) -> None:
    _filled(local)
    exported = local.run("audit", "export")
    file = tmp_path / "audit.jsonl"
    file.write_text("".join(f"{line}\n" for line in tamper(exported.out.splitlines())))

    done = local.run("audit", "verify", str(file), "--head", exported.said.splitlines()[-1])

    assert done.code == 1
    assert done.out.splitlines()[-1].startswith("the chain is broken")
