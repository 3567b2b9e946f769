"""Signatures against published vectors, the reference library, and whatever Hypothesis thinks of."""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from handlers.errors import ConfigurationError
from handlers.signatures import SCHEMES, Scheme, Verdict, decoy_secrets, scheme, sign, verify

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "samples" / "signature-vectors.json").read_text()
)["vectors"]

NAMES = {
    "standard-webhooks-v1": "standard-webhooks",
    "standard-webhooks-v1a": "standard-webhooks",
    "github-sha256": "github",
    "slack-v0": "slack",
    "stripe-v1": "stripe",
    "shopify": "shopify",
    "hmac-body-hex": "hmac",
    "hmac-body-base64": "hmac",
}
"""The vectors' names of schemes, and ours."""

NOW = 1_772_352_000.0
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = b"whpk_" + base64.b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
PRIVATE = b"whsk_" + base64.b64encode(
    KEY.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    + KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
)
TEXT_SECRET = b"a secret of more than 16 bytes"
STANDARD_SECRET = b"whsec_" + base64.b64encode(bytes(range(32)))

STAMPED_HMAC = {
    "hmac": {
        "header": "X-Sig",
        "hash": "sha512",
        "encoding": "base64",
        "prefix": "v9:",
        "signed": "{timestamp}.{body}.{timestamp}",
        "timestamp_header": "X-Time",
        "tolerance": 60,
    }
}
WAYS: dict[str, tuple[object, bytes, bytes]] = {
    "makini": ("makini", TEXT_SECRET, TEXT_SECRET),
    "standard-webhooks v1": ("standard-webhooks", STANDARD_SECRET, STANDARD_SECRET),
    "standard-webhooks v1a": ("standard-webhooks", PRIVATE, PUBLIC),
    "github": ("github", TEXT_SECRET, TEXT_SECRET),
    "stripe": ("stripe", TEXT_SECRET, TEXT_SECRET),
    "slack": ("slack", TEXT_SECRET, TEXT_SECRET),
    "shopify": ("shopify", TEXT_SECRET, TEXT_SECRET),
    "maintainx": ("maintainx", TEXT_SECRET, TEXT_SECRET),
    "atlas": ("atlas", TEXT_SECRET, TEXT_SECRET),
    "hmac sha1": ({"hmac": {"header": "X-Sig", "hash": "sha1"}}, TEXT_SECRET, TEXT_SECRET),
    "hmac of everything": (STAMPED_HMAC, TEXT_SECRET, TEXT_SECRET),
}
"""Each way to sign: the scheme, the secret that signs and the one that verifies."""

every_way = pytest.mark.parametrize("way", WAYS)
ways = st.sampled_from(sorted(WAYS))


def vector_scheme(vector: Mapping[str, Any]) -> Scheme:
    """Our scheme for a vector; a generic one is described by what its single header shows."""
    name = NAMES[vector["scheme"]]
    if name != "hmac":
        return scheme(name)
    ((header, value),) = vector["headers"].items()
    mark = f"{vector['hash']}="
    return scheme(
        {
            "hmac": {
                "header": header,
                "hash": vector["hash"],
                "encoding": vector["scheme"].removeprefix("hmac-body-"),
                "prefix": mark if value.startswith(mark) else "",
            }
        }
    )


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def signed(way: str, body: bytes, now: float = NOW) -> tuple[Scheme, bytes, dict[str, str]]:
    spec, signing, verifying = WAYS[way]
    built = scheme(spec)
    return built, verifying, sign(built, signing, body, now=now)


def test_there_are_26_vectors_and_each_has_a_scheme_of_ours() -> None:
    assert len(VECTORS) == 26
    assert {vector["scheme"] for vector in VECTORS} == set(NAMES)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["id"]))
def test_a_published_vector_is_verified_or_refused_as_it_says(vector: dict[str, Any]) -> None:
    body = base64.b64decode(vector["body_base64"]) if "body_base64" in vector else vector["body"].encode()
    secret = vector.get("public_key", vector["secret"]).encode()

    verdict = verify(vector_scheme(vector), [secret], lower(vector["headers"]), body, vector.get("now", 0))

    assert verdict.ok == (vector["expect"] == "valid")


@pytest.mark.parametrize("prefix", ["", "sha256="])
@pytest.mark.parametrize(
    "signature",
    [
        "d14f485dcad9998477023a88d49d11f2b8a54b21ad5cb2209ab1c3017c454734",
        "D14F485DCAD9998477023A88D49D11F2B8A54B21AD5CB2209AB1C3017C454734",
        "0U9IXcrZmYR3AjqI1J0R8rilSyGtXLIgmrHDAXxFRzQ=",
    ],
)
def test_makini_is_read_in_hex_and_base64_with_and_without_a_prefix(prefix: str, signature: str) -> None:
    body = b'{"event":"assets.updated","body":["11111111-2222-4333-8444-555555555555"]}'
    headers = {"x-webhook-signature": prefix + signature}

    assert verify(scheme("makini"), [b"whsec_test_0123456789"], headers, body, NOW) == Verdict(0, None)


def test_what_the_reference_library_signs_verifies_here() -> None:
    body = '{"test": "ä"}'
    stamp = datetime.fromtimestamp(NOW, tz=UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW)),
        "webhook-signature": Webhook(STANDARD_SECRET.decode()).sign("msg_1", stamp, body),
    }

    assert verify(scheme("standard-webhooks"), [STANDARD_SECRET], headers, body.encode(), NOW).ok


def test_what_is_signed_here_verifies_in_the_reference_library() -> None:
    now = datetime.now(tz=UTC).timestamp()
    headers = sign(scheme("standard-webhooks"), STANDARD_SECRET, b'{"a": 1}', now=now, message_id="msg_1")

    assert Webhook(STANDARD_SECRET.decode()).verify(b'{"a": 1}', headers) == {"a": 1}


@given(way=ways, body=st.binary(max_size=300))
def test_whatever_is_signed_verifies(way: str, body: bytes) -> None:
    built, secret, headers = signed(way, body)

    assert verify(built, [secret], headers, body, NOW) == Verdict(0, None)


@given(way=ways, body=st.binary(min_size=1, max_size=300), data=st.data())
def test_one_changed_byte_of_the_body_is_refused(way: str, body: bytes, data: st.DataObject) -> None:
    built, secret, headers = signed(way, body)
    changed = changed_byte(body, data)

    assert verify(built, [secret], headers, changed, NOW).reason == "wrong_signature"


@given(way=ways, body=st.binary(max_size=100), data=st.data())
def test_one_changed_byte_of_a_signed_header_is_refused(way: str, body: bytes, data: st.DataObject) -> None:
    built, secret, headers = signed(way, body)
    name = data.draw(st.sampled_from(sorted(headers)))
    changed = changed_byte(headers[name].encode(), data).decode("latin-1")

    assert not verify(built, [secret], {**headers, name: changed}, body, NOW).ok


def changed_byte(original: bytes, data: st.DataObject) -> bytes:
    position = data.draw(st.integers(0, len(original) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda each: each != original[position]))
    return original[:position] + bytes([byte]) + original[position + 1 :]


names = sorted({name for each in (*SCHEMES.values(), scheme(STAMPED_HMAC)) for name in each.sought})
odd_stamps = [
    "1e400",
    "٣",
    "-1",
    "+5",
    " 12",
    "12 ",
    "1\n",
    "1_0",
    "0x1",
    "",
    "nan",
    "inf",
    "1.5",
    "9" * 5000,
    "\x00",
    "½",
]


@given(
    way=ways,
    secrets=st.lists(st.binary(max_size=80), max_size=3),
    headers=st.dictionaries(
        st.sampled_from(names),
        st.text(max_size=120)
        | st.sampled_from(odd_stamps)
        | st.from_regex(r"(t=[0-9]{1,20},?)?(v1a?[=,])?[0-9a-f]{64}|v1,[A-Za-z0-9+/]{43}=", fullmatch=True),
    ),
    body=st.binary(max_size=50),
    now=st.floats(),
)
def test_nothing_a_stranger_sends_raises_or_verifies(
    way: str, secrets: list[bytes], headers: dict[str, str], body: bytes, now: float
) -> None:
    assert not verify(scheme(WAYS[way][0]), secrets, headers, body, now).ok


@pytest.mark.parametrize("stamp", odd_stamps)
@pytest.mark.parametrize(
    ("way", "header"),
    [
        ("standard-webhooks v1", "webhook-timestamp"),
        ("slack", "x-slack-request-timestamp"),
        ("hmac of everything", "x-time"),
    ],
)
def test_an_odd_timestamp_is_malformed(way: str, header: str, stamp: str) -> None:
    built, secret, headers = signed(way, b"{}")

    assert verify(built, [secret], {**headers, header: stamp}, b"{}", NOW).reason == "malformed_signature"


@pytest.mark.parametrize("stamp", [each for each in odd_stamps if each.strip() == each])
def test_an_odd_timestamp_inside_the_signature_is_malformed(stamp: str) -> None:
    built, secret, headers = signed("stripe", b"{}")
    value = headers["stripe-signature"].replace(f"t={int(NOW)}", f"t={stamp}")

    assert verify(built, [secret], {"stripe-signature": value}, b"{}", NOW).reason == "malformed_signature"


@pytest.mark.parametrize(
    ("way", "tolerance"),
    [
        ("standard-webhooks v1", 300),
        ("standard-webhooks v1a", 300),
        ("stripe", 300),
        ("slack", 300),
        ("maintainx", 300),
        ("hmac of everything", 60),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_a_timestamp_may_be_off_by_the_tolerance_and_no_more(way: str, tolerance: int, side: int) -> None:
    built, secret, headers = signed(way, b"{}")

    assert verify(built, [secret], headers, b"{}", NOW + side * tolerance).ok
    assert verify(built, [secret], headers, b"{}", NOW + side * (tolerance + 0.001)).reason == "stale_timestamp"


@pytest.mark.parametrize("way", ["makini", "github", "shopify", "atlas", "hmac sha1"])
def test_a_scheme_without_a_timestamp_has_no_window(way: str) -> None:
    built, secret, headers = signed(way, b"{}")

    assert verify(built, [secret], headers, b"{}", NOW + 10**9).ok


@every_way
def test_the_reason_says_what_is_wrong(way: str) -> None:
    built, secret, headers = signed(way, b"{}")
    header = next(name for name in headers if name in built.secret_headers)
    other = TEXT_SECRET + b"!" if secret == TEXT_SECRET else b"whsec_" + base64.b64encode(bytes(32))

    assert verify(built, [secret], {**headers, header: ""}, b"{}", NOW) == Verdict(None, "no_signature")
    assert verify(built, [secret], {}, b"{}", NOW) == Verdict(None, "no_signature")
    assert verify(built, [secret], {**headers, header: "nonsense"}, b"{}", NOW) == Verdict(None, "malformed_signature")
    assert verify(built, [other], headers, b"{}", NOW) == Verdict(None, "wrong_signature")
    assert verify(built, [other], headers, b"{}", NOW + 10**6) == Verdict(None, "wrong_signature")
    assert verify(built, [], headers, b"{}", NOW) == Verdict(None, "wrong_signature")


def test_a_verdict_is_true_only_where_it_verified() -> None:
    assert Verdict(0, None)
    assert not Verdict(None, "wrong_signature")


@every_way
def test_the_position_is_that_of_the_first_secret_that_verifies(way: str) -> None:
    built, secret, headers = signed(way, b"{}")
    (decoy,) = decoy_secrets()

    assert verify(built, [decoy, secret, secret], headers, b"{}", NOW).position == 1


class Count:
    """Stands in front of `hmac.digest` and counts how often each secret was used."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.compared = 0
        self._digest, self._compare = hmac.digest, hmac.compare_digest

    def digest(self, key: bytes, message: bytes, algorithm: str) -> bytes:
        """As `hmac.digest`."""
        self.keys.append(key)
        return self._digest(key, message, algorithm)

    def compare_digest(self, one: bytes, other: bytes) -> bool:
        """As `hmac.compare_digest`."""
        self.compared += 1
        return self._compare(one, other)


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Count:
    counting = Count()
    monkeypatch.setattr(hmac, "digest", counting.digest)
    monkeypatch.setattr(hmac, "compare_digest", counting.compare_digest)
    return counting


@pytest.mark.parametrize("way", [way for way in WAYS if way != "standard-webhooks v1a"])
@pytest.mark.parametrize(
    "case",
    ["first matches", "last matches", "none matches", "no signature", "malformed", "stale", "unknown connection"],
)
def test_every_secret_costs_one_hmac_and_one_comparison_whatever_was_sent(way: str, case: str, count: Count) -> None:
    built, secret, headers = signed(way, b"{}")
    count.keys.clear()
    one, two, three = decoy_secrets(3)
    header = next(name for name in headers if name in built.secret_headers)
    secrets = {"first matches": [secret, one, two], "last matches": [one, two, secret]}.get(case, [one, two, three])
    headers |= {"no signature": {header: ""}, "malformed": {header: "?"}}.get(case, {})

    verify(built, secrets, headers, b"{}", NOW + (10**6 if case == "stale" else 0))

    assert len(count.keys) == 3
    assert len(set(count.keys)) == 3
    assert count.compared == 3


def test_each_entry_of_a_list_is_compared_also_after_one_that_matched(count: Count) -> None:
    built, secret, headers = signed("github", b"{}")
    right = headers["x-hub-signature-256"]
    headers = {"x-hub-signature-256": f"{right}, sha256={'0' * 64},,{right}"}

    assert verify(built, [secret, b"another secret"], headers, b"{}", NOW).position == 0
    assert count.compared == 6


def test_no_secret_at_all_costs_what_one_does(count: Count) -> None:
    verify(scheme("makini"), [], {}, b"{}", NOW)

    assert (len(count.keys), count.compared) == (1, 1)


def test_a_decoy_opens_nothing() -> None:
    """Not even for somebody who knows it: without a secret, or with one of no use, there is nothing to verify by."""
    (decoy,) = decoy_secrets()
    for way in ("makini", "github", "standard-webhooks v1"):
        built = scheme(WAYS[way][0])
        assert not verify(built, [], sign(built, decoy, b"{}", now=NOW), b"{}", NOW).ok
    built, _, headers = signed("standard-webhooks v1", b"{}")
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{{}}".encode()
    headers["webhook-signature"] = f"v1,{base64.b64encode(hmac.digest(decoy, message, 'sha256')).decode()}"
    assert not verify(built, [b"whsec_?"], headers, b"{}", NOW).ok


def test_decoys_are_distinct_usable_by_every_scheme_and_stay_the_same() -> None:
    assert len(set(decoy_secrets(4))) == 4
    assert decoy_secrets(4) == decoy_secrets(4)
    assert [each.secret_problem(decoy) for decoy in decoy_secrets(2) for each in SCHEMES.values()] == [None] * 16


def test_a_list_longer_than_any_rotation_is_malformed() -> None:
    built, secret, headers = signed("github", b"{}")
    headers = {"x-hub-signature-256": ",".join([headers["x-hub-signature-256"]] * 17)}

    assert verify(built, [secret], headers, b"{}", NOW).reason == "malformed_signature"


def test_a_public_key_never_serves_as_an_hmac_secret() -> None:
    """An attacker who knows the public key must not be able to sign v1 with it, by its text or by its bytes."""
    standard = scheme("standard-webhooks")
    for forged in (PUBLIC, PUBLIC.removeprefix(b"whpk_")):
        headers = sign(standard, b"whsec_" + base64.b64encode(forged), b"{}", now=NOW)
        assert verify(standard, [PUBLIC], headers, b"{}", NOW).reason == "wrong_signature"
    headers = sign(standard, PUBLIC.replace(b"whpk_", b"whsec_"), b"{}", now=NOW)
    assert verify(standard, [PUBLIC], headers, b"{}", NOW).reason == "wrong_signature"


def test_both_algorithms_of_standard_webhooks_stand_side_by_side_in_a_rotation() -> None:
    standard = scheme("standard-webhooks")
    headers = sign(standard, STANDARD_SECRET, b"{}", now=NOW, message_id="m")
    asymmetric = sign(standard, PRIVATE, b"{}", now=NOW, message_id="m")["webhook-signature"]
    headers["webhook-signature"] += f" {asymmetric}"

    assert verify(standard, [PUBLIC], headers, b"{}", NOW).ok
    assert verify(standard, [STANDARD_SECRET], headers, b"{}", NOW).ok


def test_the_two_families_of_headers_are_never_mixed() -> None:
    standard = scheme("standard-webhooks")
    webhook = sign(standard, STANDARD_SECRET, b"{}", now=NOW, message_id="m")
    svix = {name.replace("webhook-", "svix-"): value for name, value in webhook.items()}

    assert verify(standard, [STANDARD_SECRET], svix, b"{}", NOW).ok
    assert standard.message_id(svix) == "m"
    assert not verify(standard, [STANDARD_SECRET], {**svix, "webhook-id": "other"}, b"{}", NOW).ok


def test_the_id_read_is_the_one_that_was_signed_also_once_the_signature_is_dropped() -> None:
    standard = scheme("standard-webhooks")
    webhook = sign(standard, STANDARD_SECRET, b"{}", now=NOW, message_id="m")
    kept = {name: value for name, value in webhook.items() if name not in standard.secret_headers}

    assert standard.message_id({**kept, "svix-id": "other"}) == "m"


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp"])
def test_a_missing_part_of_what_is_signed_is_malformed(missing: str) -> None:
    built, secret, headers = signed("standard-webhooks v1", b"{}")
    del headers[missing]

    assert verify(built, [secret], headers, b"{}", NOW).reason == "malformed_signature"


def test_an_id_beyond_latin_1_is_malformed_and_one_within_is_signed_as_it_was_sent() -> None:
    built, secret, headers = signed("standard-webhooks v1", b"{}")
    message = b"\xe4." + headers["webhook-timestamp"].encode() + b".{}"
    digest = hmac.digest(base64.b64decode(secret.removeprefix(b"whsec_")), message, "sha256")
    headers |= {"webhook-id": "ä", "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}

    assert verify(built, [secret], headers, b"{}", NOW).ok
    assert verify(built, [secret], {**headers, "webhook-id": "€"}, b"{}", NOW).reason == "malformed_signature"


def test_two_times_in_one_header_are_malformed() -> None:
    built, secret, headers = signed("stripe", b"{}")
    headers["stripe-signature"] += f",t={int(NOW)}"

    assert verify(built, [secret], headers, b"{}", NOW).reason == "malformed_signature"


@pytest.mark.parametrize(
    "wrong",
    ["GAu=", "{0}=", "{0}\n", "-{0}", "{1}", "{2}"],
    ids=["short", "long", "newline", "sign", "spare bits", "url-safe"],
)
def test_base64_that_is_not_canonical_is_no_signature(wrong: str) -> None:
    body = b"7"
    built, secret, headers = signed("shopify", body)
    right = headers["x-shopify-hmac-sha256"]
    spare = right[:-2] + chr(ord(right[-2]) + 1) + "="
    url_safe = right.replace("+", "-").replace("/", "_")
    assert base64.b64decode(spare) == base64.b64decode(right)
    assert url_safe != right

    headers = {"x-shopify-hmac-sha256": wrong.format(right, spare, url_safe)}

    assert verify(built, [secret], headers, body, NOW).reason == "malformed_signature"


def test_maintainx_signs_its_time_as_it_stands_in_seconds_or_milliseconds() -> None:
    """Its documents name no unit; what is signed is the text, and the window is the same five minutes."""
    maintainx, header = scheme("maintainx"), "x-maintainx-webhook-body-signature"
    for stamp, moment in ((int(NOW), NOW), (int(NOW * 1000) + 999, NOW)):
        digest = hmac.digest(TEXT_SECRET, f"{stamp}.{{}}".encode(), "sha256").hex()
        headers = {header: f"t={stamp},v1={digest}"}
        assert verify(maintainx, [TEXT_SECRET], headers, b"{}", moment + 300).ok
        assert verify(maintainx, [TEXT_SECRET], headers, b"{}", moment + 301).reason == "stale_timestamp"
    assert "x-maintainx-webhook-uri-signature" in maintainx.secret_headers


def test_atlas_signs_the_body_and_not_the_time_it_sends() -> None:
    atlas = scheme("atlas")
    digest = hmac.digest(TEXT_SECRET, b"{}", "sha256")
    headers = {"x-webhook-signature": digest.hex(), "x-webhook-timestamp": "1"}

    assert verify(atlas, [TEXT_SECRET], headers, b"{}", NOW).ok
    wrong = {"x-webhook-signature": base64.b64encode(digest).decode()}
    assert verify(atlas, [TEXT_SECRET], wrong, b"{}", NOW).reason == "malformed_signature"


def test_a_signature_of_mixed_case_is_malformed() -> None:
    built, secret, headers = signed("makini", b"{}")
    value = headers["x-webhook-signature"]
    mixed = value[:-8].upper() + value[-8:]

    assert verify(built, [secret], {"x-webhook-signature": value.upper()}, b"{}", NOW).ok
    assert verify(built, [secret], {"x-webhook-signature": mixed}, b"{}", NOW).reason == "malformed_signature"


def test_a_prefix_that_a_scheme_has_is_needed() -> None:
    built, secret, headers = signed("github", b"{}")
    bare = headers["x-hub-signature-256"].removeprefix("sha256=")

    assert verify(built, [secret], {"x-hub-signature-256": bare}, b"{}", NOW).reason == "malformed_signature"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("github", "x-github-delivery"),
        ("shopify", "x-shopify-webhook-id"),
        ("standard-webhooks", "webhook-id"),
        ("atlas", "x-webhook-id"),
    ],
)
def test_an_id_travels_in_the_header_of_its_scheme(name: str, header: str) -> None:
    built = scheme(name)
    secret = STANDARD_SECRET if name == "standard-webhooks" else TEXT_SECRET
    headers = sign(built, secret, b"{}", now=NOW, message_id="evt-7")

    assert headers[header] == "evt-7"
    assert built.id_header == header
    assert built.message_id(headers) == "evt-7"
    assert built.message_id({}) is None


@pytest.mark.parametrize("name", ["makini", "stripe", "slack"])
def test_a_scheme_without_an_id_header_sends_none(name: str) -> None:
    built = scheme(name)
    headers = sign(built, TEXT_SECRET, b"{}", now=NOW, message_id="evt-7")

    assert set(headers) == set(built.sought)
    assert built.message_id(headers) is None


def test_an_id_that_would_break_a_header_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="event id: cannot be sent in a header"):
        sign(scheme("github"), TEXT_SECRET, b"{}", now=NOW, message_id="a\r\nx: y")


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        (PUBLIC, "cannot sign"),
        (b"whsk_AAAA", "is not whsk_"),
        (b"whsk_?", "is not whsk_"),
        (b"no base64!", "not base64"),
    ],
)
def test_a_secret_that_cannot_sign_says_why_without_quoting_itself(secret: bytes, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        sign(scheme("standard-webhooks"), secret, b"{}", now=NOW)

    assert secret.decode() not in str(caught.value)


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        (STANDARD_SECRET, None),
        (STANDARD_SECRET.removeprefix(b"whsec_"), None),
        (STANDARD_SECRET.rstrip(b"="), None),
        (PUBLIC, None),
        (PRIVATE, "is a private signing key (whsk_); verify with its public key (whpk_)"),
        (b"whpk_AAAA", "is not whpk_ and base64 of 32 bytes"),
        (b"whsec_", "is not base64, with or without whsec_ before it"),
        (b"\xff\xfe", "is not base64, with or without whsec_ before it"),
    ],
)
def test_a_secret_that_standard_webhooks_cannot_use_is_told(secret: bytes, problem: str | None) -> None:
    assert scheme("standard-webhooks").secret_problem(secret) == problem


@pytest.mark.parametrize("secret", [PRIVATE, b"whpk_AAAA", b"whsec_?"])
def test_a_secret_that_cannot_be_used_verifies_nothing(secret: bytes) -> None:
    built, _, headers = signed("standard-webhooks v1", b"{}")

    assert verify(built, [secret], headers, b"{}", NOW) == Verdict(None, "wrong_signature")
