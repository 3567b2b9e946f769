"""No command is left out of the journey that searches for secrets."""

from collections.abc import Iterator, Mapping
from typing import Any

from typer.main import get_command

from tests.journeys.commands import COMMANDS, ELSEWHERE, ROLES
from worker.main import build


def _leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    below: Mapping[str, Any] | None = getattr(command, "commands", None)
    if below is None or (path and command.invoke_without_command):
        yield " ".join(path)
    for name, each in (below or {}).items():
        yield from _leaves(each, (*path, name))


def test_there_is_no_command_that_is_not_searched() -> None:
    assert set(_leaves(get_command(build()))) == {*COMMANDS, *ROLES, *ELSEWHERE}
