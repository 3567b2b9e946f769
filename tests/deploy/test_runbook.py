"""The runbook has a page for each alert, and what it tells people to type exists."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.deploy.metrics import known, problems
from tests.deploy.shipped import RUNBOOK, alerts, code_in, parsed, runbook_pages
from worker.console.navigation import NAVIGATION
from worker.main import build

HEADINGS = ["What it means", "How to look", "What to do"]
PAGES = runbook_pages()


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert set(PAGES) == {alert.name for alert in alerts()}
    index = (RUNBOOK / "README.md").read_text()
    assert re.findall(r"^\| \[(\w+)\]\(\1\.md\)", index, re.MULTILINE) == list(dict.fromkeys(_linked(index)))
    assert set(_linked(index)) == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_means_how_to_look_and_what_to_do(name: str) -> None:
    page = PAGES[name]
    assert page.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == HEADINGS
    told = page.split("## ")[0].lower()
    assert set(re.findall(r"\*\*(\w+)\*\*", told)) == {alert.severity for alert in alerts() if alert.name == name}
    assert ("within" in told) == ("page" in told)


def test_links_in_the_runbook_lead_to_pages() -> None:
    assert {link for page in PAGES.values() for link in _linked(page)} <= set(PAGES)


def test_every_query_in_the_runbook_can_be_read_and_asks_for_what_exists(tmp_path: Path) -> None:
    found = [code for page in PAGES.values() for code in code_in(page) if re.search(r"maintenworks_\w+|^up\{", code)]
    there_are = known()
    assert len(found) > len(PAGES)
    assert parsed(found, tmp_path) == ""
    assert [f"{code}: {said}" for code in found for said in problems(code, there_are)] == []


def test_every_page_of_the_console_in_the_runbook_is_in_its_menu() -> None:
    menu = {entry.path for _, entries in NAVIGATION for entry in entries}
    named = [code for page in PAGES.values() for line in _console_lines(page) for code in code_in(line)]
    paths = {code for code in named if code.startswith("/")}
    assert {"/", "/connections", "/dead-letters"} <= paths <= menu


def test_every_command_in_the_runbook_exists_with_its_options() -> None:
    top = get_command(build())
    texts = [*PAGES.values(), (RUNBOOK / "README.md").read_text()]
    commands = [code for text in texts for code in code_in(text) if code.startswith("maintenworks ")]
    assert len(commands) > len(PAGES)
    assert [f"{code}: {said}" for code in commands if (said := _misunderstood(top, code))] == []


def test_a_command_or_an_option_that_does_not_exist_would_be_found() -> None:
    top = get_command(build())
    assert _misunderstood(top, "maintenworks dead-letters mend") == "no mend"
    assert _misunderstood(top, "maintenworks audit list --loud") == "no --loud"


def _misunderstood(top: Any, line: str) -> str:
    """What a command line has that does not exist; empty where all of it does."""
    command = top
    words = shlex.split(line)[1:]
    while words and (below := getattr(command, "commands", None)):
        if words[0] not in below:
            return f"no {words[0]}"
        command = below[words.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts}
    unknown = [word for word in words if word.startswith("--") and word not in options]
    return f"no {unknown[0]}" if unknown else ""


def _console_lines(page: str) -> list[str]:
    return re.findall(r"^- Console: .*$", page, re.MULTILINE)


def _linked(text: str) -> list[str]:
    return re.findall(r"\]\((Maintenworks\w+)\.md\)", text)
