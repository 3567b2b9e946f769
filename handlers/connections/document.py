"""A registry's text under edit: comments, order and spacing stay, and only what was meant changes.

Every edit is made twice, on the text and on the plain data that it stands for. In the end the text must parse to the
data; a text laid out in a way that the edits do not reach is refused, never half edited.
"""

import copy
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError

from handlers.connections.lines import Lines
from handlers.connections.parsing import CONNECTIONS, ENDPOINTS

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SECRETS_OPEN: Final = re.compile(r"\bsecrets[\"']?\s*=\s*\[")


class Document:
    """Text and data side by side.

    Args:
        text: valid TOML.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._data = tomllib.loads(text)

    def tables(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        """The plain data of every connection or every endpoint, by its name."""
        found: Mapping[str, Mapping[str, Any]] = self._data.get(kind, {})
        return found

    def kind(self, name: str) -> str | None:
        """Whether a name is of `connections` or of `endpoints`; None where there is none of it."""
        return next((kind for kind in (CONNECTIONS, ENDPOINTS) if name in self.tables(kind)), None)

    def table(self, name: str) -> Mapping[str, Any] | None:
        """The plain data of a connection or an endpoint; None where there is none of that name."""
        kind = self.kind(name)
        return None if kind is None else self.tables(kind)[name]

    def is_sound(self) -> bool:
        """Whether the text says exactly what was meant."""
        try:
            return tomllib.loads(self.text) == self._data
        except tomllib.TOMLDecodeError:
            return False

    def append(self, name: str, fields: Mapping[str, Any], kind: str = CONNECTIONS) -> None:
        """Adds a connection, or an endpoint, at the end, a blank line before it."""
        self._data.setdefault(kind, {})[name] = copy.deepcopy(dict(fields))
        lines = [f"[{kind}.{_key(name)}]", *(f"{_key(k)} = {_value(v)}" for k, v in fields.items())]
        end = "\r\n" if "\r\n" in self.text else "\n"
        before = self.text if self.text.endswith("\n") or not self.text else self.text + end
        self.text = before + (end if before else "") + end.join(lines) + end

    def set(self, connection_id: str, name: str, value: Any) -> None:
        """Sets a field: where it stands, or as the first of its table."""
        is_new = name not in self._own(connection_id)
        self._own(connection_id)[name] = copy.deepcopy(value)
        if is_new and self._insert_first(connection_id, f"{_key(name)} = {_value(value)}"):
            return
        self._by_tomlkit(lambda table: table.__setitem__(name, _inline(value)), connection_id)

    def unset(self, connection_id: str, name: str) -> None:
        """Removes a field, if it is there."""
        if self._own(connection_id).pop(name, None) is not None:
            self._by_tomlkit(lambda table: table.remove(name), connection_id)

    def put_secret_first(self, connection_id: str, ref: str) -> None:
        """Adds a secret before the others."""
        self._own(connection_id).setdefault("secrets", []).insert(0, {"ref": ref})
        before = self.text
        if self._insert_secret(connection_id, f"{{ ref = {_value(ref)} }}") and self.is_sound():
            return
        self.text = before
        self._by_tomlkit(lambda table: table["secrets"].insert(0, {"ref": ref}), connection_id)

    def limit_secrets(self, connection_id: str, until: datetime, now: datetime) -> None:
        """Lets every secret end at `until` (UTC, whole seconds) if it would not before; those past are removed."""
        secrets = self._own(connection_id).get("secrets", [])
        for place in reversed(range(len(secrets))):
            end = secrets[place].get("not_after")
            if end is not None and end < now:
                self._drop_secret(connection_id, place)
            elif end is None or end > until:
                self._end_secret(connection_id, place, until)

    def _own(self, name: str) -> dict[str, Any]:
        own: dict[str, Any] = self._data[self.kind(name) or CONNECTIONS][name]
        return own

    def _drop_secret(self, connection_id: str, place: int) -> None:
        del self._own(connection_id)["secrets"][place]
        self._by_tomlkit(lambda table: table["secrets"].pop(place), connection_id)

    def _end_secret(self, connection_id: str, place: int, until: datetime) -> None:
        self._own(connection_id)["secrets"][place]["not_after"] = until
        end = _inline(until)
        self._by_tomlkit(lambda table: table["secrets"][place].__setitem__("not_after", end), connection_id)

    def _by_tomlkit(self, change: Callable[[Any], object], connection_id: str) -> None:
        try:
            document = tomlkit.parse(self.text)
            tables: Any = document[self.kind(connection_id) or CONNECTIONS]
            change(tables[connection_id])
            self.text = tomlkit.dumps(document)
        except (
            TOMLKitError,
            AttributeError,
            TypeError,
            ValueError,
        ):  # a layout it cannot edit: the text stays, unsound
            return

    def _insert_first(self, connection_id: str, line: str) -> bool:
        """Under the table's header: tomlkit would put it after the comments that belong to the next table."""
        lines = self.text.split("\n")
        place = Lines(self.text).stated().get((self.kind(connection_id) or CONNECTIONS, connection_id))
        if place is None or not lines[place - 1].lstrip().startswith("["):
            return False
        lines.insert(place, line + ("\r" if lines[place - 1].endswith("\r") else ""))
        self.text = "\n".join(lines)
        return True

    def _insert_secret(self, connection_id: str, element: str) -> bool:
        """Right after the bracket: tomlkit would put it after the comment on the first of the others."""
        lines = self.text.split("\n")
        place = Lines(self.text).of((self.kind(connection_id) or CONNECTIONS, connection_id, "secrets")) - 1
        opening = _SECRETS_OPEN.search(lines[place])
        if opening is None:
            return False
        before, after = lines[place][: opening.end()], lines[place][opening.end() :]
        if after.strip() and not after.lstrip().startswith("#"):
            lines[place] = f"{before}{element}, {after.lstrip()}"
        else:
            lines.insert(place + 1, f"  {element}," + ("\r" if after.endswith("\r") else ""))
        self.text = "\n".join(lines)
        return True


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else tomlkit.string(name).as_string()


def _value(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_value(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(tomlkit.item(value).as_string())


def _inline(value: Any) -> Any:
    """A value as tomlkit holds it, spelled as `_value` spells it."""
    return tomlkit.parse(f"value = {_value(value)}")["value"]
