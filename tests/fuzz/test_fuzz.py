"""A few thousand bad inputs for every parser, the same each time; a million of them is `python -m tests.fuzz`."""

import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from handlers.signatures import SCHEMES, scheme
from tests.fuzz import report, shelf
from tests.fuzz.mutations import damaged, damaged_json
from tests.fuzz.parser import READ, Ends, Parser, pure
from tests.fuzz.run import Found, run
from tests.handlers.test_signatures import WAYS
from tests.servers import MissingServerError
from tests.sizes import size

INPUTS = 3_000
FIRST_SEEN = 20
"""Inputs after which a parser that only ever ends in one way is not reached by the fuzz at all."""
LONG_RUN_SECONDS = size(300, 4 * 3600)


def _found(parser: Parser) -> Found:
    shares = sum(each.share for each in shelf.load())
    try:
        return run(parser, max(FIRST_SEEN, INPUTS * parser.share // shares), seed=1, slow_seconds=math.inf)
    except MissingServerError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize("parser", shelf.load(), ids=lambda parser: parser.name)
def test_a_bad_input_is_read_or_refused_and_never_more(parser: Parser) -> None:
    found = _found(parser)

    assert found.faults == [], report.table([found], 1)
    assert len(found.ends) > 1


def test_every_scheme_of_signatures_is_among_the_ways_to_sign() -> None:
    assert {scheme(spec).name for spec, _, _ in WAYS.values()} >= set(SCHEMES)


def test_every_parser_has_a_name_of_its_own() -> None:
    names = [parser.name for parser in shelf.load()]
    assert len(set(names)) == len(names)


@pytest.mark.long
@pytest.mark.timeout(LONG_RUN_SECONDS)
def test_a_great_many_bad_inputs_do_no_harm_and_none_is_slow(tmp_path: Path) -> None:
    inputs = size(20_000, 1_000_000)
    command = [sys.executable, "-m", "tests.fuzz", "--inputs", str(inputs), "--report", str(tmp_path / "report.md")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr[-2_000:]
    assert (tmp_path / "report.md").read_text() == done.stdout


def test_a_foreign_exception_and_a_slow_input_are_faults_known_by_their_number() -> None:
    def feed(drawn: int) -> Ends:
        if drawn == 7:
            raise ValueError("not ours")
        if drawn == 9:
            time.sleep(0.02)
        return READ

    numbers = iter(range(1_000))
    found = run(Parser("p", 1, lambda _: next(numbers), pure(feed)), 20, 1, slow_seconds=0.015)

    told = [(fault.number, fault.what) for fault in found.faults]
    assert told == [(7, "ValueError: not ours"), (9, "took 0.0 s")]
    assert (found.inputs, found.ends["read"]) == (20, 19)
    assert report.faulty(found)
    assert not report.faulty(found._replace(faults=[]))
    assert report.faulty(found._replace(faults=[], grown_bytes=report.GROWTH_LIMIT_BYTES + 1))
    assert "ValueError: not ours" in report.table([found], 1)


def test_an_input_is_drawn_again_by_its_seed() -> None:
    sound = b'{"id": "e", "data": {"key": "K", "list": [1, 2]}}'
    for damage in (damaged, damaged_json):
        assert damage(sound, random.Random("1/p/3")) == damage(sound, random.Random("1/p/3"))
        assert len({damage(sound, random.Random(number)) for number in range(50)}) > 40
