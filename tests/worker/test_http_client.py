"""Outgoing HTTP against a real server with a script: when it is asked again, and what is never done."""

import email.utils
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from handlers.errors import TransientError
from tests.servers import free_port
from tests.worker.answering import Step, answering
from worker.http_client import RETRIED, Patience, open_client, request, retry_after

QUICK = Patience(tries=3, first_wait=0.001, greatest_wait=0.1)
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def _posted(url: str, patience: Patience = QUICK) -> httpx.Response:
    with open_client() as client:
        return request(client, "POST", url, headers={"x-signature": "s"}, content=b"\xff body", patience=patience)


def test_a_request_says_who_we_are_and_sends_its_body_as_it_is() -> None:
    with answering(Step(200)) as (url, asked):
        assert _posted(f"{url}/webhooks/acme?x=1").status_code == 200
    (one,) = asked
    assert (one.method, one.path, one.body) == ("POST", "/webhooks/acme?x=1", b"\xff body")
    assert one.headers["user-agent"].startswith("maintenworks/")
    assert one.headers["x-signature"] == "s"


@pytest.mark.parametrize("status", sorted(RETRIED))
def test_what_asks_for_another_try_gets_one(status: int) -> None:
    with answering(Step(status), Step(0), Step(200)) as (url, asked):
        assert _posted(url).status_code == 200
    assert [each.body for each in asked] == [b"\xff body"] * 3


@pytest.mark.parametrize("status", [200, 204, 400, 401, 404, 409, 501])
def test_any_other_answer_is_final(status: int) -> None:
    with answering(Step(status)) as (url, asked):
        assert _posted(url).status_code == status
    assert len(asked) == 1


def test_the_last_answer_counts_once_all_tries_are_used_up() -> None:
    with answering(Step(503), Step(503), Step(429)) as (url, asked):
        assert _posted(url).status_code == 429
    assert len(asked) == 3


def test_nobody_is_asked_twice_unless_that_was_wanted() -> None:
    with answering(Step(503)) as (url, asked), open_client() as client:
        assert request(client, "POST", url).status_code == 503
    assert len(asked) == 1


def test_a_wait_longer_than_our_patience_is_not_waited_for() -> None:
    with answering(Step(503, (("retry-after", "60"),))) as (url, asked):
        assert _posted(url).status_code == 503
    assert len(asked) == 1


def test_a_wait_that_is_asked_for_is_kept() -> None:
    patience = Patience(tries=2, first_wait=0.001, greatest_wait=2)
    with answering(Step(503, (("retry-after", "1"),)), Step(200)) as (url, asked):
        began = time.monotonic()
        assert _posted(url, patience).status_code == 200
    assert len(asked) == 2
    assert time.monotonic() - began >= 1


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with answering(Step(307, (("location", "/elsewhere"),))) as (url, asked):
        assert _posted(url).status_code == 307
    assert len(asked) == 1


def test_a_server_that_is_not_there_is_a_transient_error_that_names_it_and_no_token() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(TransientError) as caught:
        _posted(f"{url}/webhooks/acme?token=hunter2")
    assert caught.value.code == "http_unreachable"
    assert str(caught.value).startswith(f"{url}/: ")
    assert "hunter2" not in str(caught.value)


def test_a_server_that_does_not_answer_is_a_timeout() -> None:
    def hang(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    with httpx.Client(transport=httpx.MockTransport(hang)) as client, pytest.raises(TransientError) as caught:
        request(client, "GET", "http://example.com", patience=QUICK)
    assert caught.value.code == "http_timeout"


def test_our_own_machine_is_reached_without_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with answering(Step(200)) as (url, asked):
        assert _posted(url).status_code == 200
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        (email.utils.format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (email.utils.format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("Sun, 01 Mar 2026 08:00:30 -0000", 30.0),
        ("soon", None),
        ("-5", None),
        ("1e3", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(given: str, expected: float | None) -> None:
    assert retry_after(httpx.Response(503, headers={"retry-after": given}), NOW) == expected


def test_an_answer_without_the_header_asks_for_nothing() -> None:
    assert retry_after(httpx.Response(503), NOW) is None
