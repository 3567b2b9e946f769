"""Who is let in, as whom, and what a browser may be made to send."""

from pathlib import Path

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.requests import Request

from tests.worker.console.house import NOW, Clock, Site, bearer
from worker import tokens
from worker.console.access.door import CSRF_HEADER
from worker.console.access.failures import MOST_ADDRESSES, OF_ADDRESS, OF_ALL, Failures
from worker.console.access.origin import is_ours
from worker.console.access.proxies import Proxies
from worker.console.access.sessions import COOKIE, LIFETIME, Sessions, session_key
from worker.tokens import Tokens

HTML = {"accept": "text/html"}


def _logged_in(site: Site, token: str) -> httpx.Response:
    return site.client.post("/login", data={"token": token, "next": "/audit?who=a"})


def _cookie(site: Site, token: str) -> dict[str, str]:
    return {"cookie": f"{COOKIE}={_logged_in(site, token).cookies[COOKIE]}"}


def _request(peer: str, headers: list[tuple[str, str]], scheme: str = "http") -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    client = (peer, 1) if peer else None
    return Request({"type": "http", "scheme": scheme, "path": "/", "headers": raw, "client": client})


@pytest.fixture(autouse=True)
def _no_cookies(served: Site) -> None:
    """Each test is a browser of its own, and the failures of the last are forgiven."""
    served.client.cookies.clear()
    served.clock.seconds += 10_000


def test_a_browser_without_a_session_is_sent_to_log_in_and_back(served: Site) -> None:
    answer = served.client.get("/?x=%26", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/%3Fx%3D%2526")
    assert 'value="/?x=%26"' in served.client.get(answer.headers["location"], headers=HTML).text
    done = _logged_in(served, served.viewer)
    assert (done.status_code, done.headers["location"]) == (303, "/audit?who=a")
    kept = done.headers["set-cookie"].lower()
    assert all(word in kept for word in ("httponly", "samesite=strict", "path=/", "max-age=43200"))
    assert "secure" not in kept  # plain HTTP on the loopback, where a browser would drop it
    served.client.cookies.clear()
    assert served.client.get("/login", headers=_cookie(served, served.viewer)).headers["location"] == "/"


@pytest.mark.parametrize(
    "address", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", ""]
)
def test_a_login_leads_nowhere_else(served: Site, address: str) -> None:
    done = served.client.post("/login", data={"token": served.viewer, "next": address})
    assert done.headers["location"] == "/"


def test_a_link_from_elsewhere_arrives_although_the_cookie_is_strict(served: Site) -> None:
    answer = served.client.get("/login?next=/audit", headers={"sec-fetch-site": "cross-site"})
    assert (answer.status_code, "url=/login?next=/audit" in answer.text) == (200, True)


def test_a_session_ends_with_its_token_and_with_its_time(tmp_path: Path) -> None:
    now = NOW
    held = Tokens(tmp_path)
    tokens.add(tmp_path, "anna", "viewer", NOW)
    sessions = Sessions(session_key(tmp_path), held, lambda: now)
    token = held.named("anna")
    assert token is not None
    cookie = sessions.begin(token)
    other = Sessions(session_key(tmp_path), Tokens(tmp_path), lambda: now)
    found = other.read(cookie)
    assert found is not None, "any console of the installation knows it"
    assert found.token.name == "anna"
    for forged in (cookie[:-1], f"{cookie}0", cookie.replace(".", ".1", 1), "", "a.b.c.d", "é"):
        assert other.read(forged) is None
    now += LIFETIME
    assert other.read(cookie) is None
    now = NOW
    tokens.revoke(tmp_path, "anna")
    tokens.add(tmp_path, "anna", "operator", NOW)
    assert other.read(cookie) is None, "a token of the same name is another one"


def test_whoever_logs_out_is_out(served: Site) -> None:
    cookie = _cookie(served, served.viewer)
    assert served.client.post("/logout", data={"csrf": "x"}, headers=cookie).status_code == 403
    session = served.door.sessions.read(cookie["cookie"].partition("=")[2])
    assert session is not None
    done = served.client.post("/logout", data={"csrf": session.csrf}, headers=cookie)
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    assert f'{COOKIE}=""' in done.headers["set-cookie"]


def test_an_act_by_a_session_needs_what_only_our_pages_know(served: Site) -> None:
    cookie = _cookie(served, served.operator)
    session = served.door.sessions.read(cookie["cookie"].partition("=")[2])
    assert session is not None
    path, body = "/api/v1/connections/plant/resume", {"reason": "test"}
    good = {**cookie, CSRF_HEADER: session.csrf}
    for wrong in (
        cookie,
        {**cookie, CSRF_HEADER: "é"},
        {**cookie, CSRF_HEADER: served.door.sessions.csrf_of(session.token.name)},
        {**good, "sec-fetch-site": "cross-site"},
        {**good, "sec-fetch-site": "same-site"},
        {**good, "origin": "http://evil.example"},
        {**good, "origin": "null"},
    ):
        encoded = [(name.encode(), value.encode()) for name, value in wrong.items()]
        assert served.client.post(path, json=body, headers=encoded).status_code == 403
    assert served.client.post(path, json=body, headers={**good, "sec-fetch-site": "same-origin"}).status_code == 200
    assert served.acts()[0]["who"] == "operator-anna"
    assert served.client.post(
        "/login", data={"token": served.viewer}, headers={"origin": "http://evil.example"}
    ).is_error


def test_who_fails_often_has_to_wait_and_who_has_a_token_has_not(served: Site) -> None:
    for _ in range(OF_ADDRESS.burst):
        assert served.client.get("/api/v1/me", headers=bearer("wrong")).status_code == 401
    refused = served.client.get("/api/v1/me", headers=bearer("wrong"))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "6")
    assert served.get("/me").status_code == 200, "a right token is let in"
    login = _logged_in(served, served.viewer)
    assert (login.status_code, login.headers["retry-after"]) == (429, "6"), "what is typed is not looked at"
    served.clock.seconds += OF_ADDRESS.seconds_each
    assert _logged_in(served, served.viewer).status_code == 303


def test_failures_are_counted_by_address_and_all_together() -> None:
    clock = Clock()
    failures = Failures(clock)
    for _ in range(OF_ADDRESS.burst):
        assert failures.wait("a") == 0
        failures.note("a")
    assert (failures.wait("a"), failures.wait("b")) == (6, 0)
    for number in range(OF_ALL.burst - OF_ADDRESS.burst):
        failures.note(str(number))
    assert failures.wait("b") == 1
    clock.seconds += OF_ALL.seconds_each
    assert failures.wait("b") == 0
    for number in range(MOST_ADDRESSES):
        failures.note(f"x{number}")
    assert len(failures._spent) == MOST_ADDRESSES


def test_nobody_is_believed_who_is_not_named_in_the_settings(served: Site) -> None:
    claim = {"x-forwarded-user": "anna", "x-forwarded-for": "10.0.0.1", "x-forwarded-proto": "https"}
    assert served.client.get("/api/v1/me", headers=claim).status_code == 401


@pytest.mark.parametrize(
    ("peer", "names", "found"),
    [
        ("10.0.0.5", ["anna"], ("anna", "operator")),
        ("::ffff:10.0.0.5", ["ben"], ("ben", "viewer")),
        ("10.0.1.5", ["anna"], None),
        ("10.0.0.5", ["anna", "ben"], None),
        ("10.0.0.5", [""], None),
        ("10.0.0.5", ["a\x00"], None),
        ("", ["anna"], None),
    ],
)
def test_a_trusted_proxy_says_who_asks(peer: str, names: list[str], found: tuple[str, str] | None) -> None:
    proxies = Proxies.of(["10.0.0.0/24"], "X-User", ["anna"])
    request = _request(peer, [("x-user", name) for name in names] + [("x-forwarded-for", "1.1.1.1, 2.2.2.2")])
    assert proxies.person(request) == found
    assert proxies.client(request) == ("2.2.2.2" if "10.0.0.5" in peer else peer)


def test_only_a_trusted_proxy_makes_a_cookie_secure() -> None:
    proxies = Proxies.of(["10.0.0.0/24"], "x-user", [])
    said = [("x-forwarded-proto", "https")]
    assert proxies.is_https(_request("10.0.0.5", said))
    assert not proxies.is_https(_request("10.0.1.5", said))
    assert proxies.is_https(_request("10.0.1.5", said, scheme="https"))


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://us"}, False),
        ({"origin": "http://US", "host": "us"}, True),
        ({"origin": "http://us:81", "host": "us"}, False),
        ({"origin": "http://[", "host": "us"}, False),
        ({"origin": "null", "host": ""}, False),
    ],
)
def test_where_a_request_comes_from(headers: dict[str, str], *, ours: bool) -> None:
    assert is_ours(Headers(headers)) == ours


def test_a_browser_is_refused_with_a_page_and_a_program_with_a_problem(served: Site) -> None:
    cookie = _cookie(served, served.viewer)
    page = served.client.get("/no-such-page", headers={**HTML, **cookie})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    problem = served.client.get("/api/v1/no-such-thing", headers={**HTML, **cookie})
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")


def test_a_home_that_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    made = tokens.add(tmp_path, "anna", "viewer", NOW)
    held = Tokens(tmp_path)
    assert held.find(made) is not None
    (tmp_path / tokens.FILE).write_text("[{")
    assert held.find(made) is None
    (tmp_path / tokens.OPERATOR_FILE).write_text("\n")
    (tmp_path / tokens.FILE).unlink()
    assert held.find("") is None, "an emptied file makes no token of nothing"
    path = tokens.make_operator_token(tmp_path.joinpath())
    assert path.read_text() == "\n", "and is not made anew under a running console"


def test_the_token_of_up_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tokens.make_operator_token(tmp_path)
    made = path.read_text().strip()
    assert (path.stat().st_mode & 0o777, tokens.make_operator_token(tmp_path).read_text().strip()) == (0o600, made)
    found = Tokens(tmp_path).find(made)
    assert found is not None
    assert (found.name, found.role) == ("operator", "operator")
    assert made not in repr(found)
