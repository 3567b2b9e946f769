"""The README's walk through a new source, followed: its files are written, and the suites run over them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
BLOCK = re.compile(r"<!-- walk: (?P<path>\S+) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)
FILES = {
    "handlers/sources/acme.py",
    "tests/samples/sources/acme/job.json",
    "tests/samples/sources/acme/expected.json",
}
MOST_LINES = 40
"""Of the one file that a source is."""
NEEDED = ("handlers", "tests", "pyproject.toml")
SUITES = ("tests/handlers/sources/test_samples.py", "tests/handlers/sources/test_contract.py")


@pytest.fixture(scope="module")
def walk() -> dict[str, str]:
    """The files that the README has one write, by path."""
    told = {match["path"]: match["text"] for match in BLOCK.finditer((REPOSITORY / "README.md").read_text())}
    assert told.keys() == FILES
    return told


def test_a_new_source_is_one_file_of_forty_lines(walk: dict[str, str]) -> None:
    assert walk["handlers/sources/acme.py"].strip().count("\n") < MOST_LINES


def test_the_source_of_the_walk_passes_every_suite_by_its_files_alone(walk: dict[str, str], tmp_path: Path) -> None:
    for name in NEEDED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.jsonl"))
        else:
            shutil.copy(source, tmp_path / name)
    for path, text in walk.items():
        written = tmp_path / path
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(text)

    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "acme", *SUITES]
    ran = subprocess.run(  # our own tests, in a copy
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None
    assert int(passed[1]) >= len(SUITES)
