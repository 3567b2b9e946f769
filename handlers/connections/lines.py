"""On which line of a TOML file a key stands, for messages that a person can follow with an editor.

`tomllib` tells values without their places. This walks the same text once more and keeps the places alone; it expects
a text that `tomllib` has accepted.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys and array indexes from the root."""

_TOKEN: Final = re.compile(
    r"""
      (?P<skip>[ \t\r\ufeff]+ | \#[^\n]*)
    | (?P<newline>\n)
    | (?P<string>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
    | (?P<mark>[\[\]{}=,])
    | (?P<bare>[^\s\[\]{}=,"'\#]+)
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


class Lines:
    """The line of every key, table and array element of a text.

    Args:
        text: valid TOML.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        self._implied: dict[Path, int] = {}
        self._elements: dict[Path, int] = {}
        self._tokens = _tokens(text)
        self._next = 0
        self._scan()

    def of(self, path: Path) -> int:
        """The line, from 1, of what is at the path, else of the nearest thing around it."""
        for end in range(len(path), 0, -1):
            line = self._lines.get(path[:end]) or self._implied.get(path[:end])
            if line is not None:
                return line
        return 1

    def stated(self) -> Mapping[Path, int]:
        """Every path that the text states itself, and its line; not those that only a longer one implies."""
        return self._lines

    def _note(self, path: Path, line: int) -> None:
        self._lines.setdefault(path, line)
        for end in range(1, len(path)):
            self._implied.setdefault(path[:end], line)

    def _scan(self) -> None:
        table: Path = ()
        while self._next < len(self._tokens):
            token = self._tokens[self._next]
            if token.kind == "newline":
                self._next += 1
            elif token.text == "[":
                table = self._header(token.line)
            else:
                self._pair(table)

    def _header(self, line: int) -> Path:
        is_element = self._tokens[self._next + 1].text == "["
        self._next += 2 if is_element else 1
        keys = self._keys()
        self._next += 2 if is_element else 1
        path: Path = ()
        for place, key in enumerate(keys, start=1):
            path = (*path, key)
            if is_element and place == len(keys):
                self._elements[path] = self._elements.get(path, -1) + 1
            if path in self._elements:
                path = (*path, self._elements[path])
        self._note(path, line)
        return path

    def _pair(self, table: Path) -> None:
        line = self._tokens[self._next].line
        path = (*table, *self._keys())
        self._next += 1  # the equals sign
        self._note(path, line)
        self._value(path)

    def _keys(self) -> list[str]:
        keys = []
        while (token := self._tokens[self._next]).kind in ("bare", "string"):
            keys += token.text.split(".") if token.kind == "bare" else [str(tomllib.loads(f"k={token.text}")["k"])]
            self._next += 1
        return [key for key in keys if key]

    def _value(self, path: Path) -> None:
        opening = self._tokens[self._next].text
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            while self._next < len(self._tokens) and self._tokens[self._next].kind in ("bare", "string"):
                self._next += 1

    def _array(self, path: Path) -> None:
        index = 0
        self._next += 1
        while (token := self._tokens[self._next]).text != "]":
            if token.kind == "newline" or token.text == ",":
                self._next += 1
                index += token.text == ","
            else:
                self._note((*path, index), token.line)
                self._value((*path, index))
        self._next += 1

    def _inline_table(self, path: Path) -> None:
        self._next += 1
        while (token := self._tokens[self._next]).text != "}":
            if token.kind == "newline" or token.text == ",":
                self._next += 1
            else:
                self._pair(path)
        self._next += 1


def _tokens(text: str) -> list[_Token]:
    tokens = []
    line = 1
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind != "skip":
            tokens.append(_Token(kind, match.group(), line))
        line += match.group().count("\n")
    return tokens
