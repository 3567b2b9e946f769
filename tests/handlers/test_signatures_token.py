"""Senders that cannot sign: the secret itself, in a place of the request."""

import base64
import hmac
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.errors import ConfigurationError
from handlers.signatures import QUERY, Scheme, Verdict, decoy_secrets, explain, filled, scheme, sign, verify

NOW = 1_772_352_000.0
SECRET = b"a secret of more than 16 bytes"
OTHER = b"another one of 16 bytes"
BODY = b'{"value": [{"clientState": "x", "n": 1.0}, {"clientState": "x"}]}'

PLACES: dict[str, dict[str, str]] = {
    "header": {"header": "X-Token"},
    "bearer": {"header": "Authorization", "prefix": "Bearer "},
    "basic": {"basic": "maintenworks"},
    "query": {"query": "token"},
    "pointer": {"pointer": "/value/0/clientState"},
    "every element": {"pointer": "/value/*/clientState"},
}
every_place = pytest.mark.parametrize("place", PLACES)


def built(place: str) -> Scheme:
    return scheme({"token": PLACES[place]})


def request(place: str, secret: bytes = SECRET) -> tuple[dict[str, str], bytes]:
    """Headers and body as the sender would send them."""
    by = built(place)
    body = filled(by, secret, BODY)
    return sign(by, secret, body, now=NOW), body


ODD: Mapping[str, tuple[dict[str, str], bytes]] = {
    "header": ({"x-token": "€"}, BODY),
    "bearer": ({"authorization": SECRET.decode()}, BODY),
    "basic": ({"authorization": f"Basic {SECRET.decode()}"}, BODY),
    "query": ({QUERY: f"token={SECRET.decode()}&token={SECRET.decode()}"}, BODY),
    "every element": ({}, b'{"value": [{"clientState": "%b"}, {}]}' % SECRET),
}
"""What is there and no token; a pointer to one place finds a text or nothing."""


@every_place
def test_the_right_token_verifies_and_its_position_is_told(place: str) -> None:
    headers, body = request(place)

    assert verify(built(place), [OTHER, SECRET, SECRET], headers, body, NOW + 10**9) == Verdict(1, None)


@every_place
def test_a_wrong_one_and_none_and_an_unusable_one_are_told_apart(place: str) -> None:
    headers, body = request(place, OTHER)
    nothing = {"pointer": b"{}", "every element": b"{}"}.get(place, body)
    odd_headers, odd_body = ODD.get(place, ({}, b"{}"))
    unusable = "malformed_signature" if place in ODD else "no_signature"

    assert verify(built(place), [SECRET], headers, body, NOW).reason == "wrong_signature"
    assert verify(built(place), [], headers, body, NOW).reason == "wrong_signature"
    assert verify(built(place), [SECRET], {}, nothing, NOW).reason == "no_signature"
    assert verify(built(place), [SECRET], odd_headers, odd_body, NOW).reason == unusable


def test_what_the_senders_write() -> None:
    assert request("header")[0] == {"x-token": SECRET.decode()}
    assert request("bearer")[0] == {"authorization": f"Bearer {SECRET.decode()}"}
    login = base64.b64encode(b"maintenworks:" + SECRET).decode()
    assert request("basic")[0] == {"authorization": f"Basic {login}"}
    assert request("query")[0] == {QUERY: "token=a%20secret%20of%20more%20than%2016%20bytes"}
    assert request("pointer") == ({}, b'{"value":[{"clientState":"%b","n":1.0},{"clientState": "x"}]}' % SECRET)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("basic", "bASIC {}"),
        ("query", "a=1&tok%65n=a%20secret%20of%20more%20than%2016%20byt%65s&b"),
    ],
)
def test_spellings_that_mean_the_same_are_read(place: str, value: str) -> None:
    login = base64.b64encode(b"maintenworks:" + SECRET).decode()
    name = QUERY if place == "query" else "authorization"

    assert verify(built(place), [SECRET], {name: value.format(login)}, BODY, NOW).ok


def test_a_plus_sign_of_the_secret_stands_for_itself() -> None:
    secret = b"0123456789+abcdef/=="
    assert verify(built("query"), [secret], {QUERY: f"token={secret.decode()}"}, BODY, NOW).ok


def test_another_user_with_the_right_password_is_refused() -> None:
    login = base64.b64encode(b"somebody:" + SECRET).decode()

    assert verify(built("basic"), [SECRET], {"authorization": f"Basic {login}"}, BODY, NOW).reason == "wrong_signature"


def test_each_notification_of_a_body_must_have_a_token_of_ours() -> None:
    """Business Central mixes subscriptions in one body; a rotation may fall between two of them."""
    by = built("every element")
    mixed = b'{"value":[{"clientState":"%b"},{"clientState":"%b"}]}' % (OTHER, SECRET)

    assert verify(by, [SECRET, OTHER], {}, mixed, NOW) == Verdict(0, None)
    assert verify(by, [SECRET], {}, mixed, NOW).reason == "wrong_signature"
    assert verify(by, [SECRET], {}, mixed.replace(OTHER, b""), NOW).reason == "wrong_signature"
    assert verify(by, [SECRET], {}, b'{"value":[]}', NOW).reason == "no_signature"


@every_place
def test_nothing_that_is_printed_shows_the_token(place: str) -> None:
    headers, body = request(place, OTHER)
    by = built(place)
    told = explain(by, [SECRET], headers, body, NOW)
    shown = f"{by!r} {by.claim(headers, body)!r} {told!r} {by.expects} {by.sought}"

    assert OTHER.decode() not in shown
    assert SECRET.decode() not in shown
    assert by.secret_headers >= set(headers)


@every_place
@pytest.mark.parametrize("case", ["right", "wrong", "nothing", "odd"])
@pytest.mark.parametrize("known", ["known", "unknown"])
def test_every_secret_is_compared_whatever_was_sent(
    place: str, case: str, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def count(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", count)
    headers, body = {
        "right": request(place),
        "wrong": request(place, OTHER),
        "nothing": ({}, b"{}"),
        "odd": ODD.get(place, ({}, b"[]")),
    }[case]
    one, two, three = decoy_secrets(3)

    verify(built(place), [one, SECRET, two] if known == "known" else [one, two, three], headers, body, NOW)

    assert compared == [(32, 32)] * 3  # digests, so that no length shows either


def test_many_events_cost_no_more_than_they_say_differently(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def count(one: bytes, _: bytes) -> bool:
        compared.append(one)
        return False

    monkeypatch.setattr(hmac, "compare_digest", count)
    body = b'{"value":[' + b",".join([b'{"clientState":"x"}'] * 1000) + b"]}"

    verify(built("every element"), [SECRET], {}, body, NOW)
    assert len(compared) == 1
    over = body.replace(b"[", b'[{"clientState":"x"},')
    assert verify(built("every element"), [SECRET], {}, over, NOW).reason == "no_signature"


@settings(max_examples=200)
@given(
    place=st.sampled_from(sorted(PLACES)),
    value=st.text(max_size=40)
    | st.sampled_from(["Bearer ", "Basic Og==", "token", "token=", "&" * 99, "%", "token=%zz"]),
    body=st.binary(max_size=40) | st.sampled_from([b"[]", b'{"value":[{"clientState":"\\ud800"}]}', b"{" * 999]),
    secrets=st.lists(st.binary(min_size=16, max_size=20), max_size=2),
)
def test_nothing_a_stranger_sends_raises_or_verifies(place: str, value: str, body: bytes, secrets: list[bytes]) -> None:
    headers = dict.fromkeys(("x-token", "authorization", QUERY), value)

    assert not verify(built(place), secrets, headers, body, NOW).ok


@settings(max_examples=100)
@given(place=st.sampled_from(sorted(PLACES)), secret=st.binary(min_size=16, max_size=30))
def test_a_secret_either_travels_or_is_refused_before(place: str, secret: bytes) -> None:
    by = built(place)
    if by.secret_problem(secret) is None:
        body = filled(by, secret, BODY)
        assert verify(by, [secret], sign(by, secret, body, now=NOW), body, NOW).ok
    else:
        with pytest.raises(ConfigurationError, match="secret: ") as caught:
            sign(by, secret, BODY, now=NOW)
        assert repr(secret)[2:-1] not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("x", ['token: is no table; write token = { header = "X-Token" }']),
        ({}, ["token: does not say where it is; name one of header, basic, query, pointer, as in token = { header = "]),
        ({"header": "X", "query": "t"}, ["token: is in header and query at once; keep the one place"]),
        ({"header": "X Y"}, ["token.header: is no header name"]),
        ({"basic": "a:b"}, ["token.basic: is no user name"]),
        ({"query": ""}, ["token.query: is no parameter's name"]),
        ({"pointer": "clientState"}, ["token.pointer: is no JSON Pointer; write one like"]),
        ({"query": "t", "prefix": "x"}, ["token.prefix: has no header to stand in"]),
        ({"header": "X", "prefix": ""}, ["token.prefix: is no prefix"]),
        ({"cookie": "c"}, ["token.cookie: is no option", "token: does not say where it is"]),
    ],
)
def test_an_unclear_place_is_refused_with_its_mend(options: Any, lines: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        scheme({"token": options})

    assert len(caught.value.problems) == len(lines)
    for problem, line in zip(caught.value.problems, lines, strict=True):
        assert problem.startswith(line)


def test_a_body_without_the_place_cannot_be_sent() -> None:
    with pytest.raises(ConfigurationError, match="body: has no place /value/0/clientState"):
        filled(built("pointer"), SECRET, b"{}")
