"""`demo`: what is said of a result, good or bad; the real thing runs in `tests/journeys/test_demo.py`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.worker.cli.at_home import Home
from worker.cli import demo
from worker.demo.balance import Balance, Comparison
from worker.demo.play import Result
from worker.main import build

RIGHT = Comparison(assets=9, found=0.9, simulated=0.9, greatest_difference=0.0, failures_found=5, failures_simulated=5)
GOOD = Result(
    balance=Balance(accepted=1100, applied=900, stale=60, ignored=20, duplicates=100, dead_letters=20, lost=0),
    comparison=RIGHT,
    posted=1110,
    refused=10,
    believed=0,
    failed={},
    seconds=2.0,
)
SUM = "900 applied + 60 stale + 20 ignored + 100 duplicates + 20 dead letters + 0 lost"
VERDICT = "agrees on 9 assets (greatest difference 0.0e+00)"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Where the demonstration makes its folders."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Home(tmp_path)


def _played(monkeypatch: pytest.MonkeyPatch, result: Result) -> None:
    monkeypatch.setattr(demo, "play", lambda *_: result)


def test_the_help_has_an_example() -> None:
    done = CliRunner().invoke(build(), ["demo", "--help"])
    assert "maintenworks demo --events 2000" in " ".join(done.output.split())


def test_a_good_result_is_exit_0_and_three_lines(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _played(monkeypatch, GOOD)

    done = home.run("demo")

    assert done.code == 0
    assert done.out.splitlines() == [
        f"balance       1,100 events accepted = {SUM}",
        "posts         1,110 in 2.0 s; 10 with a bad signature refused",
        f"availability  90.000000% found, 90.000000% simulated; 5 failures found, 5 simulated: {VERDICT}",
    ]
    assert list(home.folder.iterdir()) == []


def test_a_home_that_is_kept_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _played(monkeypatch, GOOD)

    told = home.run("demo", "--keep", "--json").row
    said = home.run("demo", "--keep").out

    assert Path(told["home"]).is_dir()
    assert all(str(each) in f"{told['home']} {said}" for each in home.folder.iterdir())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"balance": GOOD.balance._replace(applied=899, lost=1)}, "+ 1 lost"),
        ({"believed": 1}, "1 forged ones BELIEVED"),
        ({"comparison": Comparison(9, 0.9, 0.9 + 1e-8, 1e-8, 5, 5)}, "DIFFERS"),
        ({"comparison": Comparison(9, 0.9, 0.9, 0.0, 6, 5)}, "DIFFERS"),
        ({"comparison": Comparison(9, None, 0.9, 1.0, 0, 5), "failed": {"503": 7}}, "7 ended with 503"),
    ],
)
def test_a_bad_result_is_exit_1_and_says_what_is_bad(
    home: Home, monkeypatch: pytest.MonkeyPatch, changed: dict[str, object], said: str
) -> None:
    _played(monkeypatch, Result(**{**GOOD.__dict__, **changed}))
    done = home.run("demo")
    assert done.code == 1
    assert said in done.out


def test_one_that_was_ended_early_compares_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _played(monkeypatch, Result(**{**GOOD.__dict__, "comparison": None}))
    assert home.run("demo").out.splitlines()[-1] == "availability  not compared, since it was ended early"
    assert home.run("demo", "--json").row["availability"] is None
