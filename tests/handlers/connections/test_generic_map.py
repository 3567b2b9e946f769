"""The map of a `generic` connection: what is wrong with it is one line, with its place and its mend."""

import pytest

from handlers.connections.generic_checks import STORED
from handlers.connections.parsing import parse
from handlers.errors import ConfigurationError
from handlers.sources import load
from receiver.request import KEPT_HEADERS

HEAD = '[connections.a]\nsource = "generic"\nsecrets = [{ ref = "env:A" }]\n[connections.a.map]\n'
GOOD = {
    "type": '"work_order.updated"',
    "key": '"/id"',
    "occurred_at": '"/at"',
    "fields": '{ work_order = { title = "/t" } }',
}


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, "c.toml", load())
    return list(caught.value.problems)


def told(*without: str, **members: str) -> str:
    """The one problem of a map that is good but for these members."""
    given = {name: value for name, value in {**GOOD, **members}.items() if name not in without}
    (line,) = problems(HEAD + "".join(f"{name} = {value}\n" for name, value in given.items()))
    return line.partition(": connections.a.map.")[2] or line


def test_a_map_is_carried_as_it_was_written() -> None:
    text = HEAD + "".join(f"{name} = {value}\n" for name, value in GOOD.items())

    (connection,) = parse(text, "c.toml", load()).connections.values()

    assert connection.options.map == {
        "type": "work_order.updated",
        "key": "/id",
        "occurred_at": "/at",
        "fields": {"work_order": {"title": "/t"}},
    }


@pytest.mark.parametrize(
    ("members", "line"),
    [
        ({"keey": '"/id"'}, "keey: is no field here; did you mean key?"),
        ({"elements": '"items"'}, 'elements: is no JSON Pointer; write one like "/machine/id", a JSON Pointer'),
        ({"elements": '"/a~1b"'}, "elements: has a ~; names of an envelope have neither ~ nor / in them"),
        ({"type": '"work_order.updatd"'}, "type: is no event type of ours; did you mean work_order.updated?"),
        ({"type": "7"}, "type: is a number; write an event type such as work_order.updated"),
        ({"type": '{ at = "/e" }'}, 'type: has no words; write words = { done = "work_order.completed" }'),
        ({"type": '{ at = "/e", words = [] }'}, "type.words: is an array; write a table"),
        (
            {"type": '{ words = { a = "work_order.updated" } }'},
            "type: does not say where it is; name one of at, beside, header",
        ),
        (
            {"type": '{ at = "/e", header = "ce-type", or_else = "work_order.updated" }'},
            "type: is in several places at once; name one of at, beside, header",
        ),
        (
            {"type": '{ at = "/e", words = { a = "asset.updated" }, or_else = "work_order.updated" }'},
            (
                "fields: has none of asset, which type names; write [connections.ID.map.fields.asset]; "
                "`maintenworks schema asset` lists what may stand there"
            ),
        ),
        ({"key": "[]"}, 'key: is empty; write "/machine/id", a JSON Pointer'),
        ({"key": '["/a", "b"]'}, 'key[1]: is no JSON Pointer; write one like "/machine/id", a JSON Pointer'),
        ({"key": '"/a/*"'}, "key: has a *, which goes with elements and each alone; point at one value"),
        (
            {"key": '{ asset = "/a" }'},
            'key: has none for work_order, which type names; write work_order = "/machine/id", a JSON Pointer',
        ),
        ({"event_id": "{}"}, "event_id: does not say where it is; name one of at, beside, header"),
        ({"version": "1"}, 'version: is a number; write "/machine/id", a JSON Pointer'),
        ({"completeness": '"whole"'}, "completeness: is none of partial, full, thin"),
        (
            {"dates": '"DD.MM.YYYY"'},
            (
                "dates: is no way to write a time; write iso, epoch_seconds, epoch_milliseconds, "
                'or a pattern such as "%d.%m.%Y %H:%M"'
            ),
        ),
        ({"nulls": '["", 0]'}, "nulls[1]: is a number; write a string"),
    ],
)
def test_a_mistake_in_a_map_is_one_line_with_its_mend(members: dict[str, str], line: str) -> None:
    assert told(**members) == line


@pytest.mark.parametrize("pattern", ["%A", "%d %d", "%", "%Y\\u0000", "%c"])
def test_a_pattern_that_cannot_be_read_back_is_refused(pattern: str) -> None:
    assert told(dates=f'"{pattern}"').startswith("dates: is no way to write a time")


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ('titel = "/t"', "titel: is no field of work_order; did you mean title?"),
        ('failure = { cuase = "/t" }', "failure.cuase: is no field of work_order.failure; did you mean cause?"),
        ('title = "t"', 'title: is no JSON Pointer; write one like "/machine/id", a JSON Pointer'),
        (
            'title = { at = "/t", as = "hours" }',
            "title.as: goes with times, durations and money, and this is a text; drop it",
        ),
        (
            'due_at = { at = "/t", as = "hours" }',
            *[
                (
                    "due_at.as: is no way to write a time; write iso, epoch_seconds, "
                    'epoch_milliseconds, or a pattern such as "%d.%m.%Y %H:%M"'
                )
            ],
        ),
        ('actual_duration = { at = "/t", as = "days" }', "actual_duration.as: is none of hours, minutes, seconds"),
        (
            'title = { at = "/t", label = "/l" }',
            "title.label: stands beside a reference or a status, and this is a text; drop it",
        ),
        ('status = { at = "/t", words = { a = 1 } }', "status.words.a: is a number; write a string or a boolean"),
        ('parts = "/p"', 'parts: is a list of objects; write { each = "/lines", fields = { … } }'),
        ('parts = { each = "/p" }', "parts.fields: is missing; write a table of the row's fields, each with its place"),
        (
            'parts = { each = "/p", fields = { planed_qty = "/q" } }',
            "parts.fields.planed_qty: is no field of work_order.parts; did you mean planned_qty?",
        ),
        (
            'title = { each = "/p", fields = { a = "/q" } }',
            "title.each: makes a list of objects, and title is a text; write a place",
        ),
        ("title = { constant = 1.5 }", "title.constant: is a number; write a string, a number or a boolean"),
        ('title = { constant = "x", at = "/t" }', "title.at: is no field here; there are constant"),
        (
            'title = { header = "Authorization" }',
            (
                "title.header: is no header that is stored; there are "
                "x-github-event, x-request-id, x-shopify-topic, x-webhook-event, x-webhook-timestamp, ce-*"
            ),
        ),
        (
            'failure = "/f"\n"failure.cause" = "/c"',
            "failure.cause: is inside a field that has a place already; drop one of the two",
        ),
    ],
)
def test_a_field_that_cannot_be_filled_so_is_told_with_its_line(field: str, line: str) -> None:
    head = HEAD + "".join(f"{name} = {value}\n" for name, value in GOOD.items() if name != "fields")

    (problem,) = problems(f"{head}[connections.a.map.fields.work_order]\n{field}\n")

    assert problem.partition(": connections.a.map.fields.work_order.")[2] == line
    assert problem.startswith(f"c.toml:{9 + field.count(chr(10))}: ")


def test_a_kind_that_is_none_is_told() -> None:
    line = told(fields='{ work_order = { title = "/t" }, machine = { name = "/n" } }')

    assert line.startswith("fields.machine: is no kind of ours; there are work_order, asset")


@pytest.mark.parametrize("missing", ["type", "key", "occurred_at"])
def test_what_a_map_cannot_do_without_is_told(missing: str) -> None:
    assert told(missing).startswith(f"{missing}: is missing")


def test_a_map_goes_with_its_source_alone() -> None:
    (missing,) = problems('[connections.a]\nsource = "generic"\nsecrets = [{ ref = "env:A" }]\n')
    (stray,) = problems('[connections.a]\nsource = "unified"\nsecrets = [{ ref = "env:A" }]\n[connections.a.map]\n')

    assert missing.endswith("map: is missing; write [connections.ID.map] with type, key and fields")
    assert 'map: goes with source = "generic" alone' in stray


def test_every_header_that_a_map_may_name_is_stored() -> None:
    assert STORED <= KEPT_HEADERS
