"""Every key of a TOML text is found on its line, however the text is laid out."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.connections.lines import Lines

TEXT = '''# a comment with [brackets] and = signs
title = """
[not.a.table]
key = 1
"""
plain = 'a # no comment'  # [a.comment]

[connections.acme]  # the first
source = "unified"
secrets = [
  # the old one
  { ref = "env:A" },

  { ref = "env:B", not_after = 2026-01-01 00:00:00Z },

  "text",
]
api = { base_url = "https://x", token = "env:T" }
hmac.header = "X"

[connections."dotted.name"]
'so urce' = [[1, 2], [3]]

[[connections.more.secrets]]
ref = "env:C"
[[connections.more.secrets]]
ref = "env:D"
[connections.more.secrets.deep]
value = {a.b = 1}
[ connections . spaced ]
a . b = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("plain",), 6),
        (("connections", "acme"), 8),
        (("connections", "acme", "source"), 9),
        (("connections", "acme", "secrets"), 10),
        (("connections", "acme", "secrets", 0, "ref"), 12),
        (("connections", "acme", "secrets", 1), 14),
        (("connections", "acme", "secrets", 1, "not_after"), 14),
        (("connections", "acme", "secrets", 2), 16),
        (("connections", "acme", "api", "token"), 18),
        (("connections", "acme", "hmac", "header"), 19),
        (("connections", "dotted.name"), 21),
        (("connections", "dotted.name", "so urce", 1), 22),
        (("connections", "more", "secrets", 0, "ref"), 25),
        (("connections", "more", "secrets", 1, "ref"), 27),
        (("connections", "more", "secrets", 1, "deep", "value", "a", "b"), 29),
        (("connections", "spaced"), 30),
        (("connections", "spaced", "a", "b"), 31),
    ],
)
def test_what_stands_in_a_text_is_found_on_its_line(path: tuple[str | int, ...], line: int) -> None:
    tomllib.loads(TEXT)

    assert Lines(TEXT).stated()[path] == line
    assert Lines(TEXT.replace("\n", "\r\n")).of(path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("connections", "acme", "missing"), 8),
        (("connections", "acme", "secrets", 7, "ref"), 10),
        (("connections", "more"), 24),
        (("connections",), 8),
        (("nothing",), 1),
        ((), 1),
    ],
)
def test_what_is_missing_is_looked_for_around_it(path: tuple[str | int, ...], line: int) -> None:
    assert Lines(TEXT).of(path) == line


values = st.recursive(
    st.booleans() | st.integers(0, 99) | st.text("ab\"'\\#[]{}=,\n ", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.'\"# ", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.text("xy.\"' =[", min_size=1, max_size=4), values, max_size=4))
def test_any_text_is_walked_to_its_end(data: dict[str, object]) -> None:
    """One key a line, so that the line of each is known."""
    from_above = "".join(f"{basic(key)} = {written(value)}\n" for key, value in data.items())
    assert tomllib.loads(from_above) == data

    found = Lines(from_above)

    assert [found.of((key,)) for key in data] == list(range(1, len(data) + 1))


def basic(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def written(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{basic(key)} = {written(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(written(each) for each in value) + "]"
    if isinstance(value, str):
        return basic(value)
    return str(value).lower()
