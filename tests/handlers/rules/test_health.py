"""What operational events write about their connection's health."""

from typing import Any

import pytest

from handlers.events import Action
from handlers.model.types import ACTIONS
from handlers.rules.health import MAX_MESSAGE, TYPES, told

AT = "2026-03-04T10:00:00Z"


def test_every_type_about_a_connection_is_known() -> None:
    assert {type_ for type_, action in ACTIONS.items() if action is Action.REPORTED} == TYPES


@pytest.mark.parametrize(
    ("type_", "fields", "written"),
    [
        ("connection.online", {"status": "offline"}, {"state": "online", "since": AT}),
        ("connection.status_changed", {"status": "offline"}, {"state": "offline", "since": AT}),
        ("connection.status_changed", {"status": {"value": "online"}}, {"state": "online", "since": AT}),
        ("connection.status_changed", {"status": "asleep"}, {"state": "unknown", "since": AT}),
        ("connection.status_changed", {}, {"state": "unknown", "since": AT}),
        ("sync.completed", {"message": "fine"}, {"last_sync_at": AT}),
    ],
)
def test_what_a_good_word_writes(type_: str, fields: Any, written: Any) -> None:
    assert told(type_, fields, AT) == written


@pytest.mark.parametrize(
    ("type_", "more"),
    [
        ("connection.offline", {"state": "offline", "since": AT}),
        ("connection.auth_required", {"state": "auth_required", "since": AT}),
        ("sync.failed", {"last_failed_sync_at": AT}),
        ("system.error", {}),
    ],
)
def test_what_a_bad_word_writes_besides_the_error(type_: str, more: Any) -> None:
    error = {"type": type_, "at": AT, "code": "E1", "message": "m" * MAX_MESSAGE}

    assert told(type_, {"code": "E1", "error": "m" * 2_000}, AT) == {**more, "last_error": error}
    assert told(type_, {"message": {"not": "text"}}, AT)["last_error"] == {**error, "code": None, "message": None}
