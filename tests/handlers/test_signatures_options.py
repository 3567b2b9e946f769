"""How a scheme is written in a configuration, and what is told of each mistake."""

from collections.abc import Mapping

import pytest

from handlers.errors import ConfigurationError
from handlers.signatures import SCHEMES, scheme
from handlers.signatures.keyed import KeyedScheme


def problems(spec: object) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        scheme(spec)
    return caught.value.problems


@pytest.mark.parametrize(
    "name", ["makini", "standard-webhooks", "github", "stripe", "slack", "shopify", "maintainx", "atlas"]
)
def test_a_known_scheme_is_found_by_its_name(name: str) -> None:
    assert scheme(name).name == name
    assert set(scheme(name).sought) & scheme(name).secret_headers
    assert scheme(name).expects
    assert name in SCHEMES


def test_a_header_is_all_that_hmac_needs() -> None:
    assert scheme({"hmac": {"header": "X-Signature"}}) == KeyedScheme(name="hmac", header="x-signature")


def test_a_timestamp_header_is_signed_before_the_body_unless_told_otherwise() -> None:
    built = scheme({"hmac": {"header": "X-Signature", "timestamp_header": "X-Time"}})

    assert built == KeyedScheme(
        name="hmac",
        header="x-signature",
        signed="{timestamp}.{body}",
        timestamp_header="x-time",
        tolerance=300.0,
    )
    assert built.sought == ("x-signature", "x-time")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, 'hmac.header: is missing; name the header that carries the signature, as "X-Signature"'),
        ({"header": "X Sig"}, 'hmac.header: is no header name; write one like "X-Signature"'),
        ({"header": 7}, 'hmac.header: is no header name; write one like "X-Signature"'),
        ({"header": "X", "hash": "md5"}, "hmac.hash: is none of sha1, sha256, sha512"),
        ({"header": "X", "encoding": []}, "hmac.encoding: is none of hex, base64"),
        (
            {"header": "X", "prefix": "a,b"},
            "hmac.prefix: is no prefix; write at most 32 printable characters without spaces and commas",
        ),
        (
            {"header": "X", "signed": "{timestamp}.{body}"},
            "hmac.timestamp_header: is missing, and signed names {timestamp}; name the header it is in",
        ),
        (
            {"header": "X", "timestamp_header": "T", "signed": "{body}"},
            "hmac.signed: leaves out {timestamp}, and an unsigned time proves nothing; add it or drop timestamp_header",
        ),
        ({"header": "X", "signed": 1}, 'hmac.signed: is no template; write one like "{timestamp}.{body}"'),
        ({"header": "X", "tolerance": 5}, "hmac.tolerance: has no time to apply to; add timestamp_header, or drop it"),
        (
            {"header": "X", "salt": "x"},
            "hmac.salt: is no option; there are header, hash, encoding, prefix, signed, timestamp_header, tolerance",
        ),
    ],
)
def test_a_wrong_option_is_one_line_with_its_mend(options: Mapping[str, object], line: str) -> None:
    assert problems({"hmac": options}) == (line,)


@pytest.mark.parametrize("signed", ["", "{timestamp}", "{body}{body}", "{body}{id}", "{body", "body}", "{{body}}"])
def test_a_template_names_the_body_once_and_nothing_it_does_not_know(signed: str) -> None:
    (line,) = problems({"hmac": {"header": "X", "timestamp_header": "T", "signed": signed}})[:1]

    assert line.startswith("hmac.signed: names {body} once and {timestamp} where the time is signed")


@pytest.mark.parametrize("tolerance", [0, -1, 86_401, True, "5m", float("nan"), float("inf")])
def test_a_tolerance_is_a_sensible_number_of_seconds(tolerance: object) -> None:
    assert problems({"hmac": {"header": "X", "timestamp_header": "T", "tolerance": tolerance}}) == (
        "hmac.tolerance: is no number of seconds from 1 to 86400",
    )


def test_all_mistakes_are_told_at_once() -> None:
    assert len(problems({"hmac": {"hash": "md5", "encoding": "hexx", "tolerance": 5, "x": 1}})) == 5


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (
            "macini",
            "scheme: there is no 'macini'; there are makini, standard-webhooks, github, stripe, slack, shopify, ",
        ),
        ("hmac", "scheme: 'hmac' needs options; write scheme = { hmac = { … } }"),
        ({"hmac": "X-Signature"}, 'hmac: is no table; write hmac = { header = "X-Signature" }'),
        ({"jwt": {}}, "scheme: is neither a name nor a table of one entry; there are makini, "),
        ({}, "scheme: is neither a name nor a table of one entry; there are makini, "),
        (7, "scheme: is neither a name nor a table of one entry; there are makini, "),
    ],
)
def test_a_scheme_nobody_knows_is_told_which_there_are(spec: object, line: str) -> None:
    (told,) = problems(spec)

    assert told.startswith(line)
