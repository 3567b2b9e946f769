"""What an operation of the API is: one row of a table from which its route, its checks and its document come."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from worker.console.access.principal import Principal
from worker.console.house import House
from worker.tokens import OPERATOR, VIEWER, Role

Schema: TypeAlias = Mapping[str, Any]
Method: TypeAlias = Literal["GET", "POST"]


class RecordOf(NamedTuple):
    """An answer that is a record of some kind: its schema comes from the model."""

    kind: str


Shape: TypeAlias = type | RecordOf
"""What an answer, or each item of one, is: a typed dictionary of `worker.shapes` mostly."""


TEXT: Final[Schema] = {"type": "string", "minLength": 1}


class Param(NamedTuple):
    """A parameter of the query.

    Attributes:
        name: as it is written.
        description: for people.
        schema: JSON Schema of its text, of an integer or of a boolean.
    """

    name: str
    description: str
    schema: Schema = TEXT


class Call(msgspec.Struct, frozen=True):
    """One request, its parts read.

    Attributes:
        who: whose it is.
        path: the parts of the path, by name.
        query: the parameters that were given, by name: text, integer or boolean as their schemas say.
        body: what was sent, of the operation's type.
    """

    who: Principal
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any = None

    def text(self, name: str) -> str | None:
        """A parameter that is text; None where it was not given."""
        return self.query.get(name)

    def number(self, name: str, otherwise: int) -> int:
        """A parameter that is an integer."""
        return int(self.query.get(name, otherwise))

    def flag(self, name: str) -> bool:
        """A parameter that is a boolean; false where it was not given."""
        return bool(self.query.get(name, False))


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation.

    Attributes:
        path: below `/api/v1`, its variable parts in braces; none of them has a slash that is not written `%2F`.
        name: its id in the document.
        summary: one line.
        does: what it does; may block.
        answer: what it answers, or each item where it is a list.
        tag: under which the document has it.
        is_list: the answer is a page of such.
        params: of the query.
        body: the type of what is sent; an operation that has one is a `POST` and acts.
        statuses: what it may answer besides those that any may.
    """

    path: str
    name: str
    summary: str
    does: Callable[[House, Call], object]
    answer: Shape
    tag: str
    is_list: bool = False
    params: tuple[Param, ...] = ()
    body: type[msgspec.Struct] | None = None
    statuses: tuple[int, ...] = ()

    @property
    def method(self) -> Method:
        """Of the request."""
        return "GET" if self.body is None else "POST"

    @property
    def role(self) -> Role:
        """Who may."""
        return VIEWER if self.body is None else OPERATOR


ROOT: Final = "/api/v1"
