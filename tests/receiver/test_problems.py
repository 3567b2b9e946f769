import json

import pytest

from receiver import problems
from receiver.problems import Problem

ALL = [value for value in vars(problems).values() if isinstance(value, Problem)]


@pytest.mark.parametrize("problem", ALL, ids=lambda problem: problem.type)
def test_a_problem_is_an_rfc_9457_object_that_says_the_same_every_time(problem: Problem) -> None:
    said = json.loads(problem.body)
    assert list(said) == ["type", "title", "status", "detail"]
    assert (said["type"], said["status"]) == (problem.type, problem.status)
    assert problem.body == problem.body
    assert dict(problem.fields())[b"content-type"] == b"application/problem+json"


def test_slugs_are_told_apart() -> None:
    assert len({problem.type for problem in ALL}) == len(ALL)


def test_whatever_is_our_own_fault_says_when_to_come_back() -> None:
    ours = [problem for problem in ALL if problem.status == 503]
    assert ours
    assert all(problem.retry_after for problem in ours)
    assert not [problem for problem in ALL if problem.status == 500]


def test_a_problem_can_be_written_as_a_whole_message() -> None:
    assert problems.REQUEST_TIMEOUT.raw([(b"date", b"today")]).split(b"\r\n") == [
        b"HTTP/1.1 408 Request Timeout",
        b"date: today",
        b"content-type: application/problem+json",
        b"content-length: %d" % len(problems.REQUEST_TIMEOUT.body),
        b"connection: close",
        b"",
        problems.REQUEST_TIMEOUT.body,
    ]
