"""The document of the public port says what the receiver does: each with what the other lists, and fuzzed against it.

schemathesis draws requests from the document, fitting ones and others, and holds every answer against it.
"""

from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.result import Ok
from starlette.routing import Route

from handlers.connections import Registry
from receiver import problems
from receiver.app import build_app
from receiver.problems import Problem
from receiver.settings import ReceiverSettings
from tests.receiver.harness import ANSWER_SECONDS, Running, makini
from tests.sizes import size
from worker.queue import Producer

DOCUMENT = Path(__file__).parents[2] / "deploy" / "webhooks.openapi.yaml"
SCHEMA = schemathesis.openapi.from_path(DOCUMENT)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
HELD = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES = st.sampled_from([schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])

few = settings(
    max_examples=size(40, 1_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def document() -> Any:
    return YAML(typ="safe").load(DOCUMENT.read_text())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@few
@given(data=st.data())
def test_every_answer_is_one_that_the_document_tells(running: Running, operation: Any, data: st.DataObject) -> None:
    case = data.draw(operation.as_strategy(generation_mode=data.draw(MODES)))

    answer = _sent(running, case, signed=data.draw(st.booleans()))

    case.validate_response(answer, checks=HELD)


@few
@given(data=st.data())
def test_any_body_that_is_well_signed_is_accepted(running: Running, data: st.DataObject) -> None:
    operation = SCHEMA["/webhooks/{connection}"]["POST"]
    case = data.draw(operation.as_strategy(generation_mode=data.draw(MODES), path_parameters={"connection": "acme"}))

    answer = _sent(running, case, signed=True)

    assert answer.status_code == 200
    case.validate_response(answer, checks=HELD)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/webhooks/{connection}", "/livez", "/readyz"])
def test_a_method_is_allowed_where_the_document_names_it(
    running: Running, document: Any, method: str, path: str
) -> None:
    named = {each.upper() for each in document["paths"][path]}
    answer = running.request(method, path.format(connection="acme"))

    if method in named or (method == "HEAD" and path != "/webhooks/{connection}"):
        assert method == "OPTIONS" or answer.status != 405  # acme's source has no handshake
    else:
        assert answer.status == 405
        assert method not in answer.headers["allow"]


def test_the_document_names_every_problem_and_where_it_comes_from(document: Any) -> None:
    told = document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    made = {each.type: each for each in vars(problems).values() if isinstance(each, Problem)}
    answers = {
        status for path in document["paths"].values() for operation in path.values() for status in _statuses(operation)
    }

    assert sorted(told) == sorted(made)
    assert {int(each.status) for each in made.values()} == answers - {200}


def test_the_document_has_every_route_and_no_other(document: Any, receiver_home: Path) -> None:
    registry = Registry(receiver_home / "connections.toml", receiver_home)
    nowhere = Producer("redis://127.0.0.1:1", backlog_limit_bytes=1)
    app = build_app(ReceiverSettings(home=receiver_home), registry, nowhere)
    routed = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"  # Starlette adds it to each GET
    }

    assert routed == {
        (path, method) for path, item in document["paths"].items() for method in item if method != "parameters"
    }


def _statuses(operation: Any) -> set[int]:
    return {int(status) for status in operation["responses"]} if isinstance(operation, dict) else set()


def _sent(running: Running, case: Any, *, signed: bool) -> requests.Response:
    """Sends what was drawn, signed over its bytes as they are sent, or not at all."""
    drawn = case.as_transport_kwargs(base_url=f"http://127.0.0.1:{running.port}")
    request = requests.Request(**drawn).prepare()
    raw = request.body or b""
    assert isinstance(raw, bytes | str)
    if signed:
        request.headers["X-Webhook-Signature"] = makini(raw.encode() if isinstance(raw, str) else raw)
    with requests.Session() as session:
        session.trust_env = False
        return session.send(request, timeout=ANSWER_SECONDS, allow_redirects=False)
