"""The API's OpenAPI 3.1 document, made of the table of operations."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from worker.console.access.door import CSRF_HEADER
from worker.console.access.sessions import COOKIE
from worker.console.api.answers import Schemas, problem
from worker.console.api.operations import ROOT, Operation, Param, Schema
from worker.console.problems import MEDIA_TYPE
from worker.telemetry import version

JSON: Final = "application/json"
ALWAYS: Final = (400, 401, 429, 500, 503)
"""What every operation may answer."""
ACTING: Final = (403, 413, 415)
"""What one that acts may answer besides."""
RETRY_AFTER: Final = {"description": "seconds to wait", "schema": {"type": "integer"}}
_VARIABLE: Final = re.compile(r"{(\w+)}")
_DESCRIPTION: Final = f"""\
What the command line prints with `--json`, under the same names. Lists come a page at a time: give `next_cursor` as
`cursor` until it is null; what is written meanwhile neither repeats nor hides an item. A slash in a key is written
`%2F`. Acts need the role operator and a reason, and land in the audit log. A browser's session serves in place of a
bearer token; then acts need the header {CSRF_HEADER}."""


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document of a table of operations."""
    schemas = Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(f"{ROOT}{each.path}", {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "MaintenWorks", "version": version(), "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "see `maintenworks tokens`"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    statuses = sorted({*ALWAYS, *operation.statuses, *(ACTING if operation.body else ())})
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "x-role": operation.role,
        "parameters": [
            *(_in_path(name) for name in _VARIABLE.findall(operation.path)),
            *(_in_query(each) for each in operation.params),
        ],
        "responses": {
            "200": {
                "description": "what was asked for" if operation.body is None else "done",
                "content": {JSON: {"schema": schemas.of(operation.answer, is_list=operation.is_list)}},
            },
            **{str(status): _refusal(status) for status in statuses},
        },
    }
    if operation.body is not None:
        told["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas.of(operation.body)}}}
    return told


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _in_query(param: Param) -> dict[str, Any]:
    schema: Schema = param.schema
    return {"name": param.name, "in": "query", "description": param.description, "schema": schema}


def _refusal(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": problem()}},
    }
    if status == HTTPStatus.UNAUTHORIZED:
        told["headers"] = {"WWW-Authenticate": {"description": "how to ask", "schema": {"type": "string"}}}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        told["headers"] = {"Retry-After": RETRY_AFTER}
    return told
