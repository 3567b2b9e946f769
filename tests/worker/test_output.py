"""What commands print: whole for programs, harmless for terminals, and quick for a million rows."""

import json
import os
import pty
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from worker import main
from worker.cli import output

DELETE = "\x7f"
C1 = "\x9b31m"
"""The one-byte form of ESC [: red, for a terminal that reads it."""
BIDI = "\u202egnp.exe\u202c\u2066x\u2069"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@contextmanager
def printed_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Makes standard output a terminal of 80 columns; gives what reads all that was printed."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        patched.setenv("TERM", "xterm")
        patched.setenv("COLUMNS", "80")

        def read() -> str:
            stream.write("\x04")
            stream.flush()
            seen = ""
            while not seen.endswith("\x04"):
                seen += os.read(ours, 65536).decode()
            return seen.removesuffix("\x04")

        yield read
    os.close(ours)


@given(JSON_VALUES)
def test_a_json_line_is_one_printable_line_that_reads_back_the_same(value: object) -> None:
    with pytest.MonkeyPatch.context() as patched:
        written: list[str] = []
        patched.setattr(sys, "stdout", _Written(written))
        output.json_line(value)
    text = "".join(written)
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    assert json.loads(text) == value
    assert orjson.loads(text) == value


class _Written:
    """A stream that keeps what is written."""

    def __init__(self, written: list[str]) -> None:
        self.write = written.append


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (DELETE, '"\\u007f"'),
        (C1, '"\\u009b31m"'),
        (BIDI, '"\\u202egnp.exe\\u202c\\u2066x\\u2069"'),
        ("\x1b[2J", '"\\u001b[2J"'),
        ("\U000e0041", '"\\udb40\\udc41"'),
        ("Überdruck 泵", '"Überdruck 泵"'),
    ],
)
def test_json_gives_a_terminal_nothing_to_obey(text: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    output.json_line({text: text})
    assert capsys.readouterr().out == f"{{{printed}:{printed}}}\n"


def test_a_table_in_a_pipe_is_padded_lines(capsys: pytest.CaptureFixture[str]) -> None:
    count = output.table(
        ("key", "n", "title"), [("PUMP-7", 5, "泵"), ("P", 1000, None), (None, None, "last")], right=("n",)
    )
    assert count == 3
    assert capsys.readouterr().out.splitlines() == [
        "key        n  title",
        "PUMP-7     5  泵",
        "P       1000",
        "              last",
    ]


def test_columns_line_up_as_a_terminal_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    """A Chinese character takes two columns, a combining accent none."""
    output.table(("key", "n"), [("泵", 1), ("e\u0301", 2), ("abcd", 3)])
    assert capsys.readouterr().out.splitlines() == ["key   n", "泵    1", "e\u0301     2", "abcd  3"]


def test_a_cell_past_the_first_thousand_rows_is_never_cut_nor_widens_others(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("short", number) for number in range(1_000)] + [("w" * 40, 1_000), ("short", 1_001)]
    assert output.table(("name", "n"), iter(rows), right=("n",)) == 1_002
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "short    0"
    assert lines[1_001:] == ["w" * 40 + "  1000", "short  1001"]


def test_a_table_in_a_pipe_prints_rows_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    """A list of a million rows neither waits for the last one nor fills memory."""
    seen_before_the_last: list[str] = []

    def rows() -> Iterator[tuple[object, ...]]:
        yield from ((number,) for number in range(1_500))
        seen_before_the_last.extend(capsys.readouterr().out.splitlines())
        yield (1_500,)

    output.table(("n",), rows())
    assert len(seen_before_the_last) == 1 + 1_500
    assert capsys.readouterr().out.splitlines() == ["1500"]


def test_a_table_without_rows_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert output.table(("name",), []) == 0
    assert capsys.readouterr().out == ""


def test_a_table_in_a_pipe_leaves_rich_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rich takes half a millisecond a row, which for 300,000 is two and a half minutes."""
    monkeypatch.delattr(output, "Table")
    assert output.table(("name",), [("x",)]) == 1
    assert capsys.readouterr().out == "name\nx\n"


def test_a_table_on_a_terminal_folds_long_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    with printed_on_a_terminal(monkeypatch) as seen:
        assert output.table(("name", "text"), [("a", "x" * 200)]) == 1
        lines = seen().splitlines()
    assert {len(STYLE.sub("", line)) for line in lines} == {80}
    assert "".join(lines).count("x") == 200 + "text".count("x")


def test_a_long_table_on_a_terminal_has_headings_every_thousand_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich lays out all it is given before it prints any of it."""
    monkeypatch.setattr(output, "_PIECE", 3)
    with printed_on_a_terminal(monkeypatch) as seen:
        assert output.table(("heading",), ((number,) for number in range(7))) == 7
        assert seen().count("heading") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["connections", "add", "acme"], "Missing option '--source'; see `maintenworks connections add --help`"),
        (["connections", "show"], "Missing argument 'ID'; see `maintenworks connections show --help`"),
        (["up", "--nothing"], "No such option: --nothing; see `maintenworks up --help`"),
        (["uptim"], "No such command 'uptim'. Did you mean 'uptime'?; see `maintenworks --help`"),
    ],
)
def test_a_misused_command_is_a_line_that_names_its_help(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.TyperException) as raised:
        main.build()(arguments, prog_name="maintenworks", standalone_mode=False)
    assert output.misused(raised.value) == output.USAGE
    assert capsys.readouterr() == ("", f"maintenworks: {said}\n")


def test_what_a_misused_command_was_given_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    assert output.misused(typer.BadParameter("not \x1b[31ma\ntime")) == output.USAGE
    assert capsys.readouterr().err == "maintenworks: Invalid value: not \\x1b[31ma time; see `maintenworks --help`\n"


def test_a_command_group_alone_has_printed_its_help_already(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.TyperException) as raised:
        main.build()(["connections"], prog_name="maintenworks", standalone_mode=False)
    assert "Usage: maintenworks connections" in capsys.readouterr().out
    assert output.misused(raised.value) == output.USAGE
    assert capsys.readouterr().err == ""
