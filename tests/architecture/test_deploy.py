"""What is shipped for production is checked by the tools that read it, and by what the design demands of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
ROLES = ("receiver", "worker", "scheduler", "console")


def _tool(name: str) -> str:
    """A program that a wheel of the `test` extra put beside this interpreter.

    Skips where there is none; with `CI` set that is a failure.
    """
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{name}: is not installed beside {sys.executable}")
    if found is None:
        pytest.skip(f"{name}: there is no wheel for this platform")
    return found


@pytest.fixture(scope="module")
def compose() -> Any:
    return YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """Its instructions, as word and rest; continued lines joined."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest) for word, rest in lines]


@pytest.mark.parametrize(("set_to", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_tool_is_a_failure_where_everything_must_be_there(
    monkeypatch: pytest.MonkeyPatch, set_to: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", set_to)
    with pytest.raises(outcome, match="no-such-tool"):
        _tool("no-such-tool")


def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    done = subprocess.run([_tool("hadolint"), str(DEPLOY / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_say_something_of_a_bad_one(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN sudo apt-get install x\n")
    done = subprocess.run(
        [_tool("hadolint"), str(tmp_path / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0


def test_the_compose_file_follows_the_compose_specification() -> None:
    command = [_tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_misspelt_key_in_the_compose_file_is_found(tmp_path: Path) -> None:
    text = (DEPLOY / "compose.yaml").read_text().replace("stop_grace_period", "stop_grace_perod")
    (tmp_path / "compose.yaml").write_text(text)
    command = [_tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(tmp_path / "compose.yaml")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_every_role_and_every_service_they_stand_on_is_there(compose: Any) -> None:
    assert set(compose["services"]) == {*ROLES, "migrate", "broker", "database"}
    for role in (*ROLES, "migrate"):
        assert compose["services"][role]["command"] == [role]


def test_every_container_is_closed_down(compose: Any) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        assert name == "migrate" or service["stop_grace_period"], name
        assert service["healthcheck"].get("disable") is (True if name == "migrate" else None), name


def test_nobody_starts_before_what_it_stands_on(compose: Any) -> None:
    conditions = {
        name: {other: need["condition"] for other, need in service.get("depends_on", {}).items()}
        for name, service in compose["services"].items()
    }
    both = {"broker": "service_healthy", "migrate": "service_completed_successfully"}
    assert conditions == {
        "migrate": {"database": "service_healthy"},
        "receiver": {"broker": "service_healthy"},
        "worker": both,
        "scheduler": both,
        "console": both,
        "broker": {},
        "database": {},
    }


def test_the_broker_keeps_what_was_answered_200(compose: Any) -> None:
    words = compose["services"]["broker"]["command"]
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == "always"
    assert options["--no-appendfsync-on-rewrite"] == "no"
    assert options["--maxmemory-policy"] == "noeviction"
    assert compose["services"]["broker"]["volumes"] == ["broker:/data"]


def test_no_password_stands_in_the_compose_file_and_the_receiver_has_no_database(compose: Any) -> None:
    text = json.dumps(compose["services"])
    assert "POSTGRES_PASSWORD_FILE" in text
    assert '"POSTGRES_PASSWORD"' not in text
    assert "DATABASE_URL_FILE" in text
    assert '"MAINTENWORKS_DATABASE_URL"' not in text
    assert "secrets" not in compose["services"]["receiver"]
    assert all("DATABASE" not in name for name in compose["services"]["receiver"]["environment"])


def test_only_webhooks_are_reachable_from_outside_and_the_services_from_nowhere(compose: Any) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {"receiver": ["8080:8080"], "console": ["127.0.0.1:8081:8081"]}
    assert compose["networks"]["inside"] == {"internal": True}
    for name in ("broker", "database"):
        assert compose["services"][name]["networks"] == ["inside"]


def test_who_notifies_people_reaches_them(compose: Any) -> None:
    """The inner network leads nowhere else."""
    assert compose["services"]["scheduler"]["networks"] == ["inside", "outside"]


def test_the_image_runs_as_a_number_that_is_not_root_and_needs_no_shell(dockerfile: list[tuple[str, str]]) -> None:
    final = dockerfile[max(index for index, (word, _) in enumerate(dockerfile) if word == "FROM") :]
    instructions = dict(final)
    user, _, group = instructions["USER"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert not any(word == "RUN" for word, _ in final)
    assert json.loads(instructions["ENTRYPOINT"]) == ["maintenworks"]
    assert json.loads(instructions["CMD"]) == ["up"]
    assert json.loads(instructions["HEALTHCHECK"].partition("CMD ")[2])[:4] == ["python", "-P", "-m", "worker.probe"]


def test_the_base_can_be_chosen_and_both_stages_stand_on_it(dockerfile: list[tuple[str, str]]) -> None:
    assert [rest for word, rest in dockerfile if word == "FROM"] == ["${BASE} AS build", "${BASE}"]
    assert any(word == "ARG" and rest.startswith("BASE=") for word, rest in dockerfile)


def test_the_image_holds_every_package(dockerfile: list[tuple[str, str]]) -> None:
    copied = {rest for word, rest in dockerfile if word == "COPY"}
    assert {"handlers handlers", "receiver receiver", "worker worker"} <= copied


def test_pre_commit_runs_only_what_is_installed_already() -> None:
    configuration = YAML(typ="safe").load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in configuration["repos"]] == ["local"]
    for hook in configuration["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert shutil.which(hook["entry"].split()[0], path=str(Path(sys.executable).parent))
