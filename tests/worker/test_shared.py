"""A body that several connections share, taken apart: each part has its elements, and each of those its place."""

import orjson

from handlers.events import WHOLE_BODY, Delivery, MappingOptions, Unmapped
from handlers.signatures import pointer
from handlers.sources import load
from tests.worker.letters import NOW
from worker import shared


def test_an_array_inside_the_body_is_shared_out_and_everything_keeps_its_place() -> None:
    body = b'{"n": 1, "value": [{"s": "a", "x": 1.0}, {"s": "b"}, {"s": "a"}, 7]}'

    found = shared.shares(pointer("/value/*/s"), body)

    assert found is not None
    assert [(share.external_id, share.places, share.body) for share in found] == [
        ("a", (0, 2), b'{"n":1,"value":[{"s": "a", "x": 1.0},{"s": "a"}]}'),
        ("b", (1,), b'{"n":1,"value":[{"s": "b"}]}'),
        (None, (3,), b'{"n":1,"value":[7]}'),
    ]
    assert found[0].paths == ("$.value[0].s", "$.value[2].s")


def test_an_array_deep_inside_the_body_keeps_what_stands_around_it() -> None:
    body = b'{"a": [0, {"v": [{"s": 1}, {"s": 2}], "x": "\\u00e4"}, 3], "b": {"v": 1}}'

    found = shared.shares(pointer("/a/1/v/*/s"), body)

    assert found is not None
    assert [orjson.loads(share.body) for share in found] == [
        {"a": [0, {"v": [{"s": number}], "x": "\u00e4"}, 3], "b": {"v": 1}} for number in (1, 2)
    ]


def test_a_body_of_one_connection_is_read_as_it_came() -> None:
    body = b' [{"c": 7} , {"c": "7"}] '
    assert [share.body for share in shared.shares(pointer("/c"), body) or ()] == [body]


def test_an_element_of_a_part_is_told_by_the_place_that_it_had_in_the_whole() -> None:
    part = Delivery("d", "c", NOW, b"[7, {}]", {"webhook-id": "m"}, places=(3, 5))

    found = load()["unified"].read(part, MappingOptions())

    told = [(each.index, each.error.path) for each in found if isinstance(each, Unmapped)]
    assert told == [(3, "$[3]"), (5, "$[5].type")]


def test_ids_that_stand_elsewhere_than_the_sources_elements_lose_no_event() -> None:
    """Fiix reads the objects of all responses: here three, and the ids are those of the two responses."""
    body = b'{"responses": [{"t": "a", "objects": [{}, {}]}, {"t": "a", "objects": [{}]}]}'
    shares = shared.shares(pointer("/responses/*/t"), body)
    assert shares is not None
    [share] = shares
    part = Delivery("d", "c", NOW, share.body, places=share.places)

    [found] = load()["fiix"].read(part, MappingOptions())

    assert isinstance(found, Unmapped)
    assert (found.index, found.error.code) == (WHOLE_BODY, "misplaced_id")
    assert [(each.index, each.error.code) for each in share.placed(found)] == [(0, "misplaced_id"), (1, "misplaced_id")]
