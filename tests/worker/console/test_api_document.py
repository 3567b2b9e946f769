"""The API's document says what the API does: every request that can be drawn from it, fitting or not, is answered so.

schemathesis draws requests from the document and holds every answer against it.
"""

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.result import Ok
from starlette.routing import Route

from tests.sizes import size
from tests.worker.console.house import Site, bearer
from worker.console.api.document import document
from worker.console.api.operations import ROOT
from worker.console.api.table import OPERATIONS
from worker.console.app import build_app
from worker.console.checks import Readiness

DOCUMENT = document(OPERATIONS)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
FOUND = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
HELD = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES = st.sampled_from([schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
ANSWER_SECONDS = 90
KNOWN = {
    "connection": ["plant", "hook", "none"],
    "key": ["PUMP-1", "WO-1", "D-1", "WO%2Fslash%3F", "V-1"],
    "id": ["plant", "down", "wo-1", "none", "unknown"],
    "place": ["0", "body", "x"],
}
"""What is there, for most requests that name a thing at random name nothing."""

few = settings(
    max_examples=size(4, 100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("operation", FOUND, ids=lambda operation: operation.label)
@few
@given(data=st.data())
def test_every_answer_is_one_that_the_document_tells(served: Site, operation: Any, data: st.DataObject) -> None:
    chosen = {}
    if data.draw(st.booleans()):
        known = {**KNOWN, "delivery": [name.partition("/")[0] for name in served.letters]}
        names = (each.name for each in operation.path_parameters)
        chosen = {"path_parameters": {name: data.draw(st.sampled_from(known[name])) for name in names}}
    case = data.draw(operation.as_strategy(generation_mode=data.draw(MODES), **chosen))
    token = data.draw(st.sampled_from([served.operator, served.viewer, "wrong"]))

    answer = _sent(served, case, token)

    case.validate_response(answer, checks=HELD)


def test_the_document_is_valid_and_is_what_is_served(served: Site) -> None:
    SCHEMA.validate()
    assert served.get("/openapi.json").json() == DOCUMENT
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_the_document_has_every_route_and_no_other(served: Site) -> None:
    app = build_app(Readiness([]), [], ops_host="localhost", token=None, console=(served.house, served.door))
    routed = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith(ROOT)
        for method in route.methods or ()
        if method != "HEAD"  # Starlette adds it to each GET
    }
    told = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}
    assert routed == told | {(f"{ROOT}/openapi.json", "get")}


def test_every_act_says_that_it_is_for_operators_and_nothing_else_is() -> None:
    for item in DOCUMENT["paths"].values():
        for method, told in item.items():
            assert told["x-role"] == ("operator" if method == "post" else "viewer")
            assert ("403" in told["responses"]) == (method == "post")
            if method == "post":
                name = told["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert "reason" in DOCUMENT["components"]["schemas"][name]["required"]


def _sent(at: Site, case: Any, token: str) -> requests.Response:
    drawn = case.as_transport_kwargs(base_url=str(at.client.base_url))
    drawn["headers"] = {**drawn.get("headers", {}), **bearer(token)}
    request = requests.Request(**drawn).prepare()
    with requests.Session() as session:
        session.trust_env = False
        return session.send(request, timeout=ANSWER_SECONDS, allow_redirects=False)
