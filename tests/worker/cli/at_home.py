"""Commands run in this process as the console script runs them, in a home of their own."""

import contextlib
import io
import os
import sys
from pathlib import Path
from unittest import mock

from tests.worker.cli.plant import Done
from worker.main import main


class Home:
    """A home folder and the settings that go with it.

    Attributes:
        folder: the home.
        settings: environment variables, whole names; there are no others of ours.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.settings = {"MAINTENWORKS_HOME": str(folder), **settings}

    @property
    def connections(self) -> str:
        """The registry's text."""
        return (self.folder / "connections.toml").read_text()

    def run(self, *arguments: str, given: bytes = b"", **settings: str) -> Done:
        """Runs a command.

        Args:
            arguments: of the command line.
            given: what it reads from standard input.
            settings: environment variables besides the home's.
        """
        out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.StringIO()
        others = {name: value for name, value in os.environ.items() if not name.startswith("MAINTENWORKS_")}
        with (
            mock.patch.object(sys, "argv", ["maintenworks", *arguments]),
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(given))),
            mock.patch.dict("os.environ", {**others, **self.settings, **settings}, clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = 0
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        written = out.buffer
        assert isinstance(written, io.BytesIO)
        return Done(code, written.getvalue(), err.getvalue())
