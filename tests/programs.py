"""Programs of Debian's that some tests need."""

import os
import shutil

import pytest

PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "chromium": "chromium",
}
"""By program, the Debian package that has it."""


def program(name: str) -> str:
    """A program's path; skips where it is missing, with the line that installs it; with `CI` set that is a failure."""
    found = shutil.which(name)
    if found is None:
        missing = f"{name} is missing: apt-get install -y {PACKAGES[name]}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found
