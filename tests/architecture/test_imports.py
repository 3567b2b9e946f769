"""What the import contracts cannot say by themselves."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_receiver_leaves_the_database_and_the_workers_machinery_unloaded() -> None:
    """Import-linter reads the source; this asks a process what it really loaded."""
    code = (
        "import sys, receiver.app, receiver.main;"
        "print([m for m in sys.modules if m.split('.')[0] in {'sqlalchemy', 'alembic', 'psycopg'}"
        " or m in {'worker.broker', 'worker.actors', 'worker.dispatch'}])"
    )
    loaded = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.strip() == "[]"


def test_no_import_hides_inside_a_function() -> None:
    """A module's imports are its contract; one inside a function would be seen by nobody."""
    hidden = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in ("handlers", "receiver", "worker")
        for path in sorted((ROOT / package).rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_every_ignored_import_of_the_contracts_is_explained() -> None:
    """An exception that nobody explains is a hole."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    unexplained = [line for line in lines if "->" in line and line.strip().startswith('"') and "#" not in line]
    assert unexplained == []


def test_the_top_level_holds_what_was_asked_for_and_nothing_else() -> None:
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    top = {path.split("/")[0] for path in tracked}
    wanted = {
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "worker",
        "receiver",
        "handlers",
        "tests",
        "deploy",
    }
    assert {name for name in top if not name.startswith(".")} == wanted
