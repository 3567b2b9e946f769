"""The command line as an operator meets it: real commands, their streams and their exit codes."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
from typer.testing import CliRunner

from handlers.errors import (
    ConfigurationError,
    MaintenworksError,
    PermanentError,
    ServiceUnreachableError,
    TransientError,
)
from handlers.store import migrate
from handlers.store.engine import Database
from tests.journeys.roles import eventually
from tests.log_lines import read_line
from tests.servers import BrokerServer
from worker import main, probe
from worker.cli import config, output

SCRIPT = "import sys; from worker.main import main; sys.argv[0] = 'maintenworks'; main()"
WAIT_SECONDS = 120
"""After this a test gives up; nothing takes nearly as long."""


def _environment(home: Path, given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAINTENWORKS_")}
    return {**kept, "MAINTENWORKS_HOME": str(home), **given}


def _run(home: Path, *arguments: str, **given: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env=_environment(home, given),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


class _Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., _Done]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process, as the console script would."""

    def run(*arguments: str, **given: str) -> _Done:
        with monkeypatch.context() as patched:
            for name in [name for name in os.environ if name.startswith("MAINTENWORKS_")]:
                patched.delenv(name)
            for name, value in {"MAINTENWORKS_HOME": str(tmp_path), **given}.items():
                patched.setenv(name, value)
            patched.chdir(tmp_path)
            patched.setattr(sys, "argv", ["maintenworks", *arguments])
            with pytest.raises(SystemExit) as ended:
                main.main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return _Done(ended.value.code, said.out, said.err)

    return run


@pytest.mark.parametrize("command", ["up", "receiver", "worker", "scheduler", "console", "routes", "config show"])
def test_every_commands_help_has_an_example(command: str) -> None:
    done = CliRunner().invoke(main.build(), [*command.split(), "--help"])
    assert done.exit_code == 0
    assert "Example" in done.output
    assert "maintenworks" in done.output


def test_help_says_where_to_start_and_what_the_exit_codes_mean() -> None:
    done = CliRunner().invoke(main.build(), ["--help"])
    words = " ".join(done.output.replace("│", " ").split())
    assert done.exit_code == 0
    assert "maintenworks demo" in words
    assert "69 a service is unreachable" in words


@pytest.mark.parametrize("arguments", [["nothing"], ["up", "--nothing"], ["up", "--public-port", "many"], ["uptime"]])
def test_a_usage_error_is_2_and_a_line_that_names_the_help(command: Command, arguments: list[str]) -> None:
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("maintenworks: ")
    assert done.stderr.endswith(" --help`\n")
    assert done.stderr.count("\n") == 1


def test_a_wrong_configuration_is_2_and_a_line_for_each_error_at_once(command: Command) -> None:
    done = command("config", "show", MAINTENWORKS_OPS_PORT="many", MAINTENWORKS_DATABASE_URL="mysql://h/d")
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("maintenworks: MAINTENWORKS_") for line in lines)


def test_errors_of_every_place_are_told_at_once_each_where_it_stands(command: Command, tmp_path: Path) -> None:
    (tmp_path / "maintenworks.toml").write_text('# ours\npublic_port = "many"\nlog_level = "debug"\n')
    (tmp_path / "format").write_text("prose\n")
    given = {
        "MAINTENWORKS_LOG_FORMAT_FILE": str(tmp_path / "format"),
        "MAINTENWORKS_METRICS_TOKEN_FILE": "/nowhere/token",
        "MAINTENWORKS_BROKER_URL_FILE": "/nowhere/url",
        "MAINTENWORKS_OPS_PORT": "many",
    }
    places = [
        f"MAINTENWORKS_{name}" for name in ("BROKER_URL_FILE", "LOG_FORMAT_FILE", "METRICS_TOKEN_FILE", "OPS_PORT")
    ]

    done = command("config", "show", **given)
    (tmp_path / "maintenworks.toml").write_text("public_port = [")
    broken = command("config", "show", **given)

    assert (done.returncode, broken.returncode) == (2, 2)
    assert _places(done) == [*places, "maintenworks.toml:2"]
    assert _places(broken) == [*places, "maintenworks.toml"]


def _places(done: _Done) -> list[str]:
    return sorted(line.removeprefix("maintenworks: ").split(": ")[0] for line in done.stderr.splitlines())


def test_small_limits_are_limits(command: Command) -> None:
    done = command("config", "show", "--json", MAINTENWORKS_MAX_BODY_BYTES="1", MAINTENWORKS_BACKLOG_LIMIT_BYTES="1")
    shown = json.loads(done.stdout)
    assert (shown["max_body_bytes"], shown["backlog_limit_bytes"]) == (1, 1)


def test_a_role_without_a_broker_is_69_and_names_both_ways_to_one(tmp_path: Path) -> None:
    for role in ("worker", "scheduler", "console"):
        done = _run(tmp_path, role)
        assert done.returncode == output.UNREACHABLE
        assert "MAINTENWORKS_BROKER_URL" in done.stderr
        assert "maintenworks up" in done.stderr
        assert "Traceback" not in done.stderr


def test_an_unknown_role_of_the_module_is_a_usage_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "worker", "nothing"],
        env=_environment(tmp_path, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "usage: python -P -m worker worker|scheduler|console\n")


def test_routes_say_what_handles_what(command: Command) -> None:
    done = command("routes", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert {"source": "unified", "default_scheme": "makini"} in rows
    assert [row["effects"] for row in rows if row.get("type") == "work_order.completed"]
    assert "unified" in command("routes").stdout


SECRETS = {
    "MAINTENWORKS_BROKER_URL": "redis://user:hushhush@broker:6379/0",
    "MAINTENWORKS_DATABASE_URL": "postgresql://maintenworks:hushhush@db/maintenworks?sslpassword=hushhush",
    "MAINTENWORKS_METRICS_TOKEN": "hushhush",
}


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_config_show_prints_every_setting_and_no_secret(command: Command, flags: list[str]) -> None:
    done = command("config", "show", *flags, **SECRETS)
    assert done.returncode == 0
    assert "hushhush" not in done.stdout + done.stderr
    assert "redis://user:********@broker:6379/0" in done.stdout
    assert "postgresql://maintenworks:********@db/maintenworks?********" in done.stdout


def test_config_show_says_where_each_setting_came_from(command: Command, tmp_path: Path) -> None:
    (tmp_path / "maintenworks.toml").write_text("worker_threads = 7\n")
    (tmp_path / "token").write_text("hushhush\n")
    done = command(
        "config",
        "show",
        MAINTENWORKS_METRICS_TOKEN_FILE=str(tmp_path / "token"),
        MAINTENWORKS_LOG_LEVEL="debug",
    )
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert rows["MAINTENWORKS_WORKER_THREADS"] == ["7", "./maintenworks.toml"]
    assert rows["MAINTENWORKS_METRICS_TOKEN"] == ["********", str(tmp_path / "token")]
    assert rows["MAINTENWORKS_LOG_LEVEL"] == ["debug", "environment"]
    assert rows["MAINTENWORKS_OPS_PORT"] == ["8081", "default"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////srv/plant/maintenworks.db", "sqlite:////srv/plant/maintenworks.db"),
        ("unix:///run/valkey.sock?db=0", "unix:///run/valkey.sock?********"),
        ("redis://:a/b@host/0", "********"),
        ("redis://host:6379", "redis://host:6379"),
        ("rediss://:hush@host", "rediss://:********@host"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert config.redacted(url) == shown


@pytest.fixture
def console(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "console", "--ops-port", "0"],
        # It is named and away, which is when the console is looked at.
        env=_environment(tmp_path, {"MAINTENWORKS_BROKER_URL": "redis://127.0.0.1:1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_roles_command_becomes_the_role_and_ends_with_0_when_told(
    console: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    assert console.stderr is not None
    assert console.stdout is not None
    ready = read_line(console.stderr.readline())
    assert ready["event"] == "console_ready"
    assert psutil.Process(console.pid).cmdline()[-4:] == ["-P", "-m", "worker", "console"]
    console.send_signal(number)
    assert console.wait(WAIT_SECONDS) == 0
    assert console.stdout.read() == ""


def test_a_reader_that_goes_away_gets_no_traceback(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "routes", "--json"],
        env=_environment(tmp_path, {}),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (ConfigurationError(["A: one", "B: two"]), 2, 2),
        (ServiceUnreachableError("no broker"), 69, 1),
        (TransientError("database_unavailable", "refused"), 69, 1),
        (PermanentError("unknown_connection", "no such connection"), 1, 1),
        (MaintenworksError("failed"), 1, 1),
        (KeyboardInterrupt(), 130, 0),
        (PermissionError(13, "Permission denied", "/etc/secret"), 1, 1),
    ],
)
def test_a_foreseeable_error_is_a_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, lines: int
) -> None:
    def command(**_: object) -> None:
        raise error

    monkeypatch.setattr(main, "build", lambda: command)
    with pytest.raises(SystemExit) as ended:
        main.main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out, len(said.err.splitlines())) == (code, "", lines)
    assert all(line.startswith("maintenworks: ") for line in said.err.splitlines())


def test_tables_obey_nothing_that_came_from_outside(capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 3, 1, 8, 0, 0, 123, tzinfo=UTC)
    output.table(("name", "value"), [("[red]x[/red]", "\x1b]0;owned\x07"), ("two\nlines", None), (moment, True)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["[red]x[/red]", "\\x1b]0;owned\\x07"]
    assert lines[2].split() == ["two\\nlines"]
    assert lines[3].split() == ["2026-03-01T08:00:00Z", "yes"]


def test_a_table_in_a_pipe_is_never_folded(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("value",), [("x" * 5000,)])
    assert "x" * 5000 in capsys.readouterr().out.splitlines()


def test_json_lines_print_decimals_as_strings_and_times_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 3, 1, 8, tzinfo=UTC)
    output.json_line({"amount": Decimal("1.50"), "at": moment, "path": Path("/a"), "names": {"b", "a"}})
    printed = capsys.readouterr().out
    assert printed == '{"amount":"1.50","at":"2026-03-01T08:00:00Z","path":"/a","names":["a","b"]}\n'


def test_progress_is_silent_where_nobody_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "_PATIENCE_SECONDS", 0.0)
    with output.progress("sending", 10) as advance:
        advance(10)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("patience", [0.0, 3600.0])
def test_progress_on_a_terminal_has_a_rate_and_only_for_what_takes_long(
    monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    monkeypatch.setattr(output, "_PATIENCE_SECONDS", patience)
    main_end, terminal = pty.openpty()
    with os.fdopen(terminal, "w") as stream, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", stream)
        patched.setenv("TERM", "xterm")
        with output.progress("sending [bold]", 10) as advance:
            advance(5)
            advance(5)
        stream.write("end")
        stream.flush()
        seen = os.read(main_end, 65536).decode()
        while not seen.endswith("end"):
            seen += os.read(main_end, 65536).decode()
    os.close(main_end)
    assert ("10/10" in seen and "/s" in seen and "[bold]" in seen) == (patience == 0.0)


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'plant.db'}"
    opened = Database(url)
    migrate.upgrade(opened)
    opened.close()
    return url


@pytest.mark.parametrize("role", ["worker", "scheduler"])
def test_a_role_that_runs_alone_serves_its_own_metrics_and_health(
    tmp_path: Path, valkey: BrokerServer, database: str, role: str
) -> None:
    given = {
        "MAINTENWORKS_BROKER_URL": valkey.url,
        "MAINTENWORKS_DATABASE_URL": database,
        "MAINTENWORKS_METRICS_PORT": "0",
    }
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "worker", role],
        env=_environment(tmp_path, given),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = read_line(process.stderr.readline())
        assert said["event"] == "metrics_ready"
        url = f"http://127.0.0.1:{said['port']}"
        assert read_line(process.stderr.readline())["event"] == f"{role}_ready"
        assert httpx.get(f"{url}/livez", timeout=WAIT_SECONDS).status_code == 200
        eventually(lambda: httpx.get(f"{url}/readyz", timeout=WAIT_SECONDS).json()["failing"] == [])
        assert "process_resident_memory_bytes" in httpx.get(f"{url}/metrics", timeout=WAIT_SECONDS).text
        assert httpx.get(url, timeout=WAIT_SECONDS).status_code == 404
        assert probe.main([str(said["port"])]) == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 0
        process.stderr.read()
    assert probe.main([str(said["port"])]) != 0


def test_a_role_over_a_database_without_our_schema_is_69_and_names_the_command(
    tmp_path: Path, valkey: BrokerServer
) -> None:
    done = _run(tmp_path, "worker", MAINTENWORKS_BROKER_URL=valkey.url)
    assert done.returncode == output.UNREACHABLE
    assert "run `maintenworks migrate`" in done.stderr


def test_a_database_that_is_away_is_69_and_named(tmp_path: Path, valkey: BrokerServer) -> None:
    done = _run(
        tmp_path,
        "scheduler",
        MAINTENWORKS_BROKER_URL=valkey.url,
        MAINTENWORKS_DATABASE_URL="postgresql://nobody:hushhush@127.0.0.1:1/none",
    )
    assert done.returncode == output.UNREACHABLE
    assert "MAINTENWORKS_DATABASE_URL" in done.stderr
    assert "hushhush" not in done.stderr
