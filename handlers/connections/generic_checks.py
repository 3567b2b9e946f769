"""What the parts of a generic map are checked for: places, words, ways to write a time."""

import difflib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from handlers.connections.fields import Fields, kind_of
from handlers.connections.lines import Path
from handlers.signatures import pointer_problem
from handlers.sources._generic_places import WHERE
from handlers.sources._generic_times import EPOCHS, ISO

EXAMPLE: Final = '"/machine/id", a JSON Pointer'

_EACH: Final = "*"
STORED: Final = frozenset(
    {"x-webhook-event", "x-github-event", "x-shopify-topic", "x-webhook-timestamp", "x-request-id"}
)
"""Headers that are stored with a delivery and may say something about it, besides CloudEvents' `ce-*`."""
_CLOUD_EVENT: Final = re.compile(r"ce-[a-z0-9]{1,20}")
_DIRECTIVES: Final = re.compile(r"(?:[^%\x00-\x1f]|%[YymdHIpMSfzj])+")
_SAMPLE: Final = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


class Checks:
    """Notes what is wrong with parts of one map.

    Args:
        fields: of the map.
    """

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def wrong(self, path: Path, message: str) -> None:
        """Notes what is wrong at a path within the map."""
        first, *inside = path
        self._fields.wrong(str(first), message, *inside)

    def place(self, path: Path, given: Any, others: Collection[str]) -> None:
        """A pointer, or a table of one place and what else is allowed beside it."""
        if isinstance(given, str):
            self.pointer(path, given)
        elif not isinstance(given, dict):
            self.wrong(path, f"is {kind_of(given)}; write {EXAMPLE}")
        else:
            self.only(path, given, (*WHERE, *others))
            stated = [name for name in WHERE if name in given]
            if len(stated) != 1:
                said = "is in several places at once" if stated else "does not say where it is"
                self.wrong(path, f"{said}; name one of {', '.join(WHERE)}")
            for name in stated:
                if name != "header":
                    self.pointer((*path, name), given[name])
                elif not isinstance(given[name], str) or not _is_stored(given[name].lower()):
                    self.wrong(
                        (*path, name), f"is no header that is stored; there are {', '.join(sorted(STORED))}, ce-*"
                    )

    def pointer(self, path: Path, given: Any, *, many: bool = False) -> None:
        """A JSON Pointer; with `*` only where there may be many."""
        problem = _pointer_problem(given, many=many)
        if problem is not None:
            self.wrong(path, problem)

    def only(self, path: Path, given: Mapping[str, Any], known: Collection[str]) -> None:
        """No members but these."""
        for name in given:
            if name not in known:
                self.wrong((*path, name), f"is no field here; {nearest(name, known)}")

    def envelope(self, path: Path, given: Any) -> None:
        """Where elements stand."""
        self.pointer(path, given, many=True)
        if isinstance(given, str) and "~" in given:
            self.wrong(path, "has a ~; names of an envelope have neither ~ nor / in them")

    def dates(self, path: Path, how: Any) -> None:
        """A way to write a time."""
        if not isinstance(how, str) or (how not in {ISO, *EPOCHS} and not _is_pattern(how)):
            mend = f'write {ISO}, {", ".join(EPOCHS)}, or a pattern such as "%d.%m.%Y %H:%M"'
            self.wrong(path, f"is no way to write a time; {mend}")


def _pointer_problem(given: Any, *, many: bool = False) -> str | None:
    problem = pointer_problem(given)
    if problem is not None:
        return f"{problem.partition(';')[0]}; write one like {EXAMPLE}"
    if not many and _EACH in str(given).split("/"):
        return f"has a {_EACH}, which goes with elements and each alone; point at one value"
    return None


def _is_pattern(how: str) -> bool:
    if "%" not in how or not _DIRECTIVES.fullmatch(how):
        return False
    try:
        datetime.strptime(_SAMPLE.strftime(how), how)  # noqa: DTZ007  # only whether it can be read
    except (ValueError, re.error):  # a directive that comes twice is an error of the expression made of it
        return False
    return True


def _is_stored(header: str) -> bool:
    return header in STORED or _CLOUD_EVENT.fullmatch(header) is not None


def nearest(name: str, known: Collection[str], otherwise: str | None = None) -> str:
    """How to mend a name: by the one it is nearest to, else by those there are."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else otherwise or f"there are {', '.join(known)}"
