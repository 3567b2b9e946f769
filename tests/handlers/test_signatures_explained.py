"""What `explain` tells of a refused signature, and what it never tells."""

import base64
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.signatures import SCHEMES, Explanation, explain, scheme, sign, verify
from handlers.signatures.explanation import shape
from handlers.signatures.variants import keys

NOW = 1_772_352_000.0
SECRET = b"a secret of more than 16 bytes"
BODY = b'{"id": "evt-7",\n "value": 1.0}'


def steps(explanation: Explanation) -> dict[str, bool | None]:
    return {step.name: step.ok for step in explanation.steps}


def test_what_verifies_passes_every_step_and_needs_no_hint() -> None:
    headers = sign(scheme("slack"), SECRET, BODY, now=NOW)

    told = explain(scheme("slack"), [b"another secret", SECRET], headers, BODY, NOW + 7)

    assert told.verdict.position == 1
    assert steps(told) == dict.fromkeys(["header", "form", "timestamp", "secrets", "signature"], True)
    assert told.hints == ()
    found = "x-slack-signature: `v0=` and 64 hex characters | x-slack-request-timestamp: 10 digits"
    assert [step.detail for step in told.steps] == [
        f"sought x-slack-signature, x-slack-request-timestamp; found {found}",
        "expected `v0=` and 64 characters of hex; readable signatures: 1",
        "7 s behind our clock; 300 s are allowed",
        "2 to try",
        "made with the secret at position 1",
    ]


def test_a_missing_header_is_told_with_the_one_that_is_there() -> None:
    told = explain(scheme("makini"), [b"wrong"], sign(scheme("github"), SECRET, BODY, now=NOW), BODY, NOW)

    assert steps(told) == {"header": False, "form": None, "secrets": True, "signature": None}
    assert told.hints == (
        "This scheme's header is missing; there is x-hub-signature-256 (github), which another scheme uses.",
    )


@pytest.mark.parametrize(
    ("name", "hint"), [("x-my-hmac", "there is x-my-hmac, which"), ("accept", "No header that looks")]
)
def test_headers_that_no_scheme_of_ours_uses_are_named_only_if_they_look_like_signatures(name: str, hint: str) -> None:
    (told,) = explain(scheme("makini"), [SECRET], {name: "x"}, BODY, NOW).hints

    assert hint in told


def test_a_signature_of_another_scheme_names_it() -> None:
    told = explain(scheme("makini"), [SECRET], sign(scheme("github"), SECRET, BODY, now=NOW), BODY, NOW)

    assert told.hints[0] == 'It verifies as scheme "github": write scheme = "github".'


def test_the_wrong_encoding_is_told_with_the_right_options() -> None:
    digest = base64.b64encode(hmac.digest(SECRET, BODY, "sha512")).decode()
    configured = scheme({"hmac": {"header": "X-Sig", "hash": "sha512", "encoding": "hex", "prefix": "sha512="}})

    told = explain(configured, [SECRET], {"x-sig": f"sha512={digest}"}, BODY, NOW)

    assert steps(told) == {"header": True, "form": False, "secrets": True, "signature": None}
    options = 'header = "x-sig", hash = "sha512", encoding = "base64", prefix = "sha512="'
    assert told.hints == (
        f"The header x-sig carries a base64 HMAC-SHA512 of {{body}}: write scheme = {{ hmac = {{ {options} }} }}.",
    )


def test_a_time_that_is_signed_too_is_found_out() -> None:
    digest = hmac.digest(SECRET, b"1772352000." + BODY, "sha256").hex()

    told = explain(scheme("makini"), [SECRET], {"x-webhook-signature": digest, "x-time": "1772352000"}, BODY, NOW)

    assert steps(told)["signature"] is False
    assert 'signed = "{timestamp}.{body}", timestamp_header = "the header with the time"' in told.hints[0]


@pytest.mark.parametrize(
    ("signed_body", "how"),
    [
        (b'{"id":"evt-7","value":1.0}', "re-serialised compactly"),
        (json.dumps(json.loads(BODY), indent=2).encode(), "indented by two spaces"),
        (BODY + b"\n", "with a line break at its end"),
        (BODY.replace(b"\n", b"\r\n"), "with CRLF for LF"),
    ],
)
def test_a_body_that_was_changed_on_the_way_is_told_how(signed_body: bytes, how: str) -> None:
    headers = sign(scheme("standard-webhooks"), base64.b64encode(SECRET), signed_body, now=NOW)

    told = explain(scheme("standard-webhooks"), [base64.b64encode(SECRET)], headers, BODY, NOW)

    assert steps(told) == {"header": True, "form": True, "timestamp": True, "secrets": True, "signature": False}
    assert told.hints == (f"It verifies once the body is {how}: these bytes are not those that were signed.",)


@pytest.mark.parametrize(
    ("used", "stored", "how"),
    [
        (SECRET, SECRET + b" ", "stripped of white space"),
        (SECRET + b"\n", SECRET, "ended by a line break"),
        (SECRET, b"whsec_" + SECRET, "without whsec_ before it"),
        (SECRET, b"whsec_" + base64.b64encode(SECRET), "decoded from base64"),
        (SECRET, SECRET.hex().encode(), "decoded from hex"),
    ],
)
def test_a_secret_that_is_stored_otherwise_is_told_how(used: bytes, stored: bytes, how: str) -> None:
    headers = sign(scheme("makini"), used, BODY, now=NOW)

    told = explain(scheme("makini"), [stored], headers, BODY, NOW)

    assert told.hints == (f"It verifies once the secret at position 0 is {how}: store it as the sender uses it.",)


@pytest.mark.parametrize(("off", "side"), [(301, "behind"), (-4000, "ahead of")])
def test_a_stale_timestamp_is_told_with_the_seconds_it_is_off(off: float, side: str) -> None:
    headers = sign(scheme("stripe"), SECRET, BODY, now=NOW)

    told = explain(scheme("stripe"), [SECRET], headers, BODY, NOW + off)

    assert steps(told) == {"header": True, "form": True, "timestamp": False, "secrets": True, "signature": True}
    assert told.hints[0].startswith(f"Rightly signed, but {abs(off)} s {side} our clock")


def test_a_time_in_milliseconds_is_recognised() -> None:
    headers = sign(scheme("stripe"), SECRET, BODY, now=NOW * 1000)

    assert (
        explain(scheme("stripe"), [SECRET], headers, BODY, NOW).hints[0].startswith("The timestamp is in milliseconds")
    )


def test_a_missing_time_or_id_is_told_apart_from_a_missing_signature() -> None:
    headers = sign(scheme("slack"), SECRET, BODY, now=NOW)
    del headers["x-slack-request-timestamp"]

    told = explain(scheme("slack"), [SECRET], headers, BODY, NOW)

    assert steps(told) == {"header": True, "form": False, "timestamp": False, "secrets": True, "signature": None}
    assert told.steps[1].detail.endswith("a timestamp or an id that is signed too is missing or unreadable")


def test_a_secret_that_the_scheme_cannot_use_fails_its_step() -> None:
    told = explain(scheme("standard-webhooks"), [b"not base64!"], {}, BODY, NOW)

    assert told.steps[3].detail == "1 to try; the secret at position 0 is not base64, with or without whsec_ before it"
    assert told.steps[3].ok is False


def test_no_secret_to_try_fails_its_step() -> None:
    assert steps(explain(scheme("makini"), [], {}, BODY, NOW))["secrets"] is False


def test_another_secret_is_the_last_guess() -> None:
    headers = sign(scheme("makini"), b"their secret, not ours", BODY, now=NOW)

    assert explain(scheme("makini"), [SECRET], headers, BODY, NOW).hints[0].startswith("No usual variation fits")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("", "nothing"),
        ("sha256=" + "ab" * 32, "`sha256=` and 64 hex characters"),
        ("v1,Zm9v+A== v1a,Zm9v", "`v1,` and 8 base64 characters; `v1a,` and 4 base64 characters"),
        ("t=1700000000,v1=abcd", "`t=` and 10 digits; `v1=` and 4 hex characters"),
        ("Zm-_", "4 base64url characters"),
        ("a§b", "3 characters"),
        ("!?", "2 printable characters"),
    ],
)
def test_a_value_is_told_by_its_shape(value: str, told: str) -> None:
    assert shape(value) == told


@given(
    name=st.sampled_from(sorted(SCHEMES)),
    headers=st.dictionaries(
        st.sampled_from(sorted({header for each in SCHEMES.values() for header in each.sought})), st.text(max_size=90)
    ),
    body=st.binary(max_size=60) | st.sampled_from([b"[" * 100_000, b'"\\ud800"', b"9" * 5000, b"NaN"]),
    secrets=st.lists(st.binary(max_size=40), max_size=2),
    now=st.floats(-1e12, 1e12),
)
def test_anything_can_be_explained_and_the_verdict_is_that_of_verify(
    name: str, headers: dict[str, str], body: bytes, secrets: list[bytes], now: float
) -> None:
    told = explain(scheme(name), secrets, headers, body, now)

    assert told.verdict == verify(scheme(name), secrets, headers, body, now)


def test_a_variation_of_a_secret_is_not_in_its_repr() -> None:
    assert repr(next(keys(SECRET))) == "Variant('stripped of white space')"


@pytest.mark.parametrize("name", sorted(SCHEMES))
def test_neither_secret_nor_signature_is_ever_told(name: str) -> None:
    secret = base64.b64encode(SECRET)
    headers = sign(scheme(name), secret, BODY, now=NOW)
    values = [part for value in headers.values() for part in value.replace(",", "=").split("=") if len(part) > 20]
    assert values

    for wanted in SCHEMES.values():
        for tried in (secret, SECRET, b" " + secret):
            text = repr(explain(wanted, [tried], headers, BODY + b"\n", NOW))
            assert not [each for each in (*values, secret.decode(), SECRET.decode()) if each in text]
