"""What is started beside the roles to watch them is closed down as they are, and reads what is shipped."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.shipped import DEPLOY, read_yaml

FILE = DEPLOY / "compose.monitoring.yaml"


@pytest.fixture(scope="module")
def services() -> Any:
    return read_yaml(FILE)["services"]


def test_the_file_follows_the_compose_specification() -> None:
    checker = shutil.which("check-jsonschema", path=str(Path(sys.executable).parent))
    assert checker is not None
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", FILE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_container_is_closed_down_and_reachable_from_this_machine_only(services: Any) -> None:
    assert set(services) == {"prometheus", "alertmanager", "grafana"}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["healthcheck"]["test"], name
        assert ":latest" not in service["image"], name
        assert service["image"].count(":") == 1, name
        assert [port.split(":")[0] for port in service["ports"]] == ["127.0.0.1"], name


def test_what_they_read_is_what_is_shipped(services: Any) -> None:
    mounts = [volume.split(":") for service in services.values() for volume in service["volumes"]]
    shipped = [(DEPLOY / source, mode) for source, _, *mode in mounts if source.startswith("./")]
    assert all(path.exists() and mode == ["ro"] for path, mode in shipped)
    asked = read_yaml(DEPLOY / "prometheus" / "compose.yml")["scrape_configs"][0]["dns_sd_configs"]
    roles = {name for each in asked for name in each["names"]}
    assert roles == {"receiver", "worker", "scheduler", "console"}
    assert roles < set(read_yaml(DEPLOY / "compose.yaml")["services"])


def test_no_password_stands_in_it(services: Any) -> None:
    text = json.dumps(services)
    assert "GF_SECURITY_ADMIN_PASSWORD__FILE" in text
    assert '"GF_SECURITY_ADMIN_PASSWORD"' not in text
