"""The one look into a body that is not trusted yet."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.errors import ConfigurationError
from handlers.signatures import pointer, pointer_problem

RFC_6901 = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}
"""Section 5 of the RFC."""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/foo/0", "bar"),
        ("/foo/1", "baz"),
        ("/", "0"),
        ("/a~1b", "1"),
        ("/c%d", "2"),
        ("/e^f", "3"),
        ("/g|h", "4"),
        ("/ ", "7"),
        ("/m~0n", "8"),
        ("/foo", None),
        ("/foo/2", None),
        ("/foo/-", None),
        ("/foo/00", None),
        ("/nothing", None),
        ("/foo/0/deeper", None),
    ],
)
def test_the_examples_of_the_rfc_are_found_as_texts_and_integers(text: str, found: str | None) -> None:
    assert pointer(text).texts(json.dumps(RFC_6901).encode()) == [found]


@pytest.mark.parametrize("value", ["1.5", "1e3", "true", "null", "{}", "[]", "01", '"' + "x" * 2049 + '"', "9" * 50])
def test_only_a_text_of_some_length_or_an_integer_is_read(value: str) -> None:
    assert pointer("/a").texts(f'{{"a": {value}}}'.encode()) == [None]


def test_a_byte_order_mark_and_white_space_are_passed_over() -> None:
    assert pointer("/a").texts(b'\xef\xbb\xbf \r\n{"a": "x"}\t') == ["x"]


def test_a_star_is_every_element() -> None:
    body = b'{"value": [{"id": "a"}, {"id": 2}, {"other": "b"}, 3]}'
    assert pointer("/value/*/id").texts(body) == ["a", "2", None, None]
    assert pointer("/value/*/id").elements(body) == [b'{"id": "a"}', b'{"id": 2}', b'{"other": "b"}', b"3"]
    assert pointer("/id").in_each().texts(b'[{"id": "a"}, {"id": "b"}]') == ["a", "b"]
    assert pointer("/value/*/id").in_each() == pointer("/value/*/id")


@pytest.mark.parametrize("body", [b'{"value": {}}', b"{}", b"[", b'{"value": [' + b"0," * 1000 + b"0]}"])
def test_without_such_an_array_or_with_too_long_a_one_there_is_nothing(body: bytes) -> None:
    assert pointer("/value/*/id").elements(body) is None
    assert pointer("/value/*/id").texts(body) == []


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("", "is no JSON Pointer"),
        ("a", "is no JSON Pointer"),
        ("/a~2", "is no JSON Pointer"),
        ("/a\n", "is no JSON Pointer"),
        ("/i\\j", "is no JSON Pointer"),
        ('/k"l', "is no JSON Pointer"),
        (7, "is no JSON Pointer"),
        ("/" + "x" * 256, "is no JSON Pointer"),
        ("/a" * 17, "goes deeper than 16 names"),
        ("/*/a/*", "has * more than once"),
    ],
)
def test_what_is_no_pointer_is_told_with_its_mend(text: object, mend: str) -> None:
    assert mend in str(pointer_problem(text))
    with pytest.raises(ConfigurationError, match=mend.replace("*", r"\*")):
        pointer(text)


HOSTILE = {
    "deep arrays": b"[" * 500_000,
    "deep objects": b'{"value":' * 100_000,
    "many elements": b'{"value":[' + b"0," * 500_000 + b"0]}",
    "many members": b"{" + b",".join(b'"%d":0' % number for number in range(100_000)) + b"}",
    "an endless text": b'{"value":"' + b"\\u0041" * 150_000 + b'"}',
    "an endless number": b'{"value":' + b"9" * 900_000 + b"}",
    "no UTF-8": b'{"value":"\xff\xfe"}',
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("text", ["/value", "/value/0/clientState", "/value/*/clientState", "/99999"])
def test_a_hostile_body_costs_no_memory_to_speak_of(name: str, text: str) -> None:
    found = pointer(text)
    tracemalloc.start()
    try:
        found.texts(HOSTILE[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * 1024 * 1024  # the body, a megabyte, and copies of it along the path


pointers = st.lists(st.sampled_from(["a", "0", "*", "~1", "", "-"]), min_size=1, max_size=3).map(
    lambda parts: "/" + "/".join(parts)
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "0", "*", "/", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)


def by_the_rfc(value: Any, parts: tuple[str, ...]) -> str | None:
    """The same by Python's own reading."""
    for part in parts:
        if isinstance(value, list) and part.isdecimal() and str(int(part)) == part and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


@settings(max_examples=300)
@given(text=pointers.filter(lambda text: "*" not in text), value=values)
def test_it_finds_what_python_finds(text: str, value: Any) -> None:
    found = pointer(text)
    assert found.texts(json.dumps(value).encode()) == [by_the_rfc(value, found.parts)]


@settings(max_examples=300)
@given(
    text=pointers.filter(lambda text: pointer_problem(text) is None),
    body=st.binary(max_size=60) | values.map(json.dumps).map(str.encode),
)
def test_whatever_the_bytes_are_nothing_is_raised(text: str, body: bytes) -> None:
    for found in pointer(text).texts(body):
        assert found is None or isinstance(found, str)


@settings(max_examples=200)
@given(text=pointers.filter(lambda text: "*" not in text), value=values, put=st.text(max_size=9))
def test_what_is_put_somewhere_is_found_there_and_all_else_stays(text: str, value: Any, put: str) -> None:
    place, body = pointer(text), json.dumps(value).encode()
    try:
        written = place.put(body, put)
    except ConfigurationError:
        return
    assert place.texts(written) == [put]
    read: Any = json.loads(written)
    before: Any = value
    for part in place.parts[:-1]:
        at: Any = int(part) if isinstance(read, list) else part
        read, before = read[at], before[at]
    last: Any = int(place.parts[-1]) if isinstance(read, list) else place.parts[-1]
    kept = before[last] if isinstance(before, list) or last in before else None
    read[last] = kept
    assert read == ({**before, last: kept} if isinstance(before, dict) else before)
