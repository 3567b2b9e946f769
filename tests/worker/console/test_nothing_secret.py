"""No answer to whoever may look has a secret in it, whatever is asked."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.connections import Registry
from handlers.signatures import pointer
from tests.worker.console.house import MARKED, Site, bearer
from worker import tokens
from worker.console import payloads
from worker.console.access.sessions import KEY_FILE
from worker.console.api.table import OPERATIONS
from worker.redaction import DEEPEST, LONGEST, MASK, masked, redacted

LOOKING = [each for each in OPERATIONS if each.method == "GET"]


def test_no_answer_of_the_api_has_a_secret(served: Site) -> None:
    asked = 0
    for operation in LOOKING:
        for values in _addresses(served):
            if set(values) >= {part[1:-1] for part in operation.path.split("/") if part.startswith("{")}:
                answer = served.client.get(
                    "/api/v1" + operation.path.format(**values), headers=bearer(served.viewer), params={}
                )
                asked += 1
                assert answer.status_code < 500, answer.text
                for secret in _secrets(served):
                    assert secret not in answer.text, (operation.name, values)
    assert asked > 200


def test_what_a_setting_points_at_is_masked(served: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'[{"data": {"person": "Anna"}, "name": 12.50}, {"data": {"person": {"first": "A"}}}]'
    monkeypatch.setattr(Registry, "get", lambda *_: None)
    pointed = served.house._replace(settings=served.house.settings.model_copy(update={"redact": ("/*/data/person",)}))
    assert json.loads(payloads.shown(pointed, "plant", body)) == [
        {"data": {"person": MASK}, "name": 12.5},
        {"data": {"person": MASK}},
    ]
    assert "12.50" in payloads.shown(pointed, "plant", body), "what is not masked stays as it was written"


def test_a_payload_is_masked_where_its_names_say_so() -> None:
    body = (
        '{"Password": "a", "apiKey": {"x": [1]}, "tokens": ["a", "b", {"y": 1}], "a": 1, "a": 2, "note": "token=abc",'
        ' "half": "\\ud800", "big": 123456789012345678901234567890, "empty": {}, "none": null, "on": true}'
    )
    text = redacted(body.encode())
    assert text.count(MASK) == 5
    assert '"a": 1' in text
    assert '"a": 2' in text
    assert "123456789012345678901234567890" in text
    assert (
        redacted(b'{"password": "abc", and no json: secret = xyz&y=1')
        == f'{{"password": "{MASK}", and no json: secret = {MASK}&y=1'
    )
    assert redacted(b"[" * (DEEPEST + 2) + b'"token"').startswith("[[[")
    assert len(redacted(b"token" * LONGEST)) == LONGEST + 1
    assert len(redacted(b'"' + b"x" * 2 * LONGEST + b'"')) == LONGEST + 1
    assert masked({"client-state": "x", "title": "y"}) == {"client-state": MASK, "title": "y"}


def test_pointers_reach_into_single_elements_too() -> None:
    assert MASK in redacted(b'{"data": {"who": 1}}', [pointer("/*/data/who")])
    assert json.loads(redacted(b'{"value": [{"state": "s"}]}', [pointer("/value/0/state")])) == {
        "value": [{"state": MASK}]
    }


@given(st.recursive(st.none() | st.booleans() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)))
def test_what_is_masked_is_json_of_the_same_shape(value: object) -> None:
    again = json.loads(redacted(json.dumps(value).encode()))
    assert type(again) is type(value) or again == MASK
    assert not isinstance(value, list) or len(again) == len(value)


def _addresses(at: Site) -> list[dict[str, str]]:
    found: list[dict[str, str]] = [{}]
    for name in at.letters:
        delivery, _, place = name.partition("/")
        found += [{"delivery": delivery, "place": place}, {"id": delivery}]
    found += [{"id": each} for each in (at.event_delivery, "down", "plant", "hook", "unknown")]
    keys = ("WO-1", "PUMP-1", "D-1", "D%2F2", "V-1", "I-1", "PO-1", "PM-1", "M-1", "R-1", "H-1")
    return found + [{"connection": "plant", "key": key} for key in keys]


def _secrets(at: Site) -> list[str]:
    home: Path = at.house.settings.home
    digests = [each.digest for each in tokens.listed(home)]
    return [MARKED, at.viewer, at.operator, *digests, (home / KEY_FILE).read_bytes().hex()]
