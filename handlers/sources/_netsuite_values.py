"""How NetSuite writes values: references with ids of the account's own, dates of the company's locale, `T` and `F`."""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from handlers.model.times import usual_instant
from handlers.sources._converters import amount, flags, local_date, moment, reference
from handlers.sources._mapping import UNTOLD, Field
from handlers.sources._node import Node

FLAG: Final = flags(frozenset({"T", "true"}), frozenset({"F", "false"}))  # I: T and F
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ].*)?", re.DOTALL)
_ISO_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*", re.DOTALL)
_OFFSET = re.compile(r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$")
_DIGITS = re.compile(r"-?[0-9]+", re.ASCII)
_ISO_CURRENCY = re.compile(r"[A-Z]{3}")


class Names:
    """A record's members under the names that REST has; scripts write them in lower case.

    Args:
        known: REST's names.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = {name.lower(): name for name in known}

    def seen(self, node: Node) -> Node:
        """The same object under those names; of one in both spellings REST's counts."""
        renamed = {}
        for name in node.values:
            known = self._known.get(name.lower(), name)
            if known != name and known not in node.values:
                renamed[name] = known
        if not renamed:
            return node
        values = {renamed.get(name, name): value for name, value in node.values.items()}
        return Node(values, node.given, node.path)


def named(node: Node, name: str) -> tuple[str | None, str | None]:
    """A reference's id and label: an object `{id, refName}`; a script writes the id alone."""
    value = node.get(name)
    if isinstance(value, dict):
        inner = node.node(name)
        return (None, None) if inner is None else (inner.text("id"), inner.text("refName"))
    return node.text(name), None


def link(_: Any, node: Node, field: Field) -> dict[str, Any] | None:
    """A reference, for a table."""
    return reference(*named(node, field.name))


def code_or_label(_: Any, node: Node, field: Field) -> str | None:
    """What people call a reference; its id where that is all there is."""
    id_, label = named(node, field.name)
    return label or id_


def terms(_: Any, node: Node, field: Field) -> dict[str, Any] | None:
    """Payment terms, by id and name."""
    id_, label = named(node, field.name)
    return None if id_ is None and label is None else {"code": id_, "label": label}


def exact(value: Any, node: Node, field: Field) -> Decimal:
    """A number; a refusal names its place in the sublist."""
    return node.decimal(field.name, value)


def money(value: Any, node: Node, field: Field) -> Any:
    """An amount, likewise."""
    return amount(node.decimal(field.name, value), node, field)


def date_only(value: Any, node: Node, field: Field) -> Any:
    """A date; one in the company's locale is kept as text, since nobody says whether day or month comes first."""
    if isinstance(value, str) and not _ISO_DAY.fullmatch(value):
        return _unread(node, field)
    return local_date(value, node, field)


def stamp(value: Any, node: Node, field: Field) -> Any:
    """A time, likewise; REST writes UTC."""
    if isinstance(value, str) and not _ISO_TIME.fullmatch(value):
        return _unread(node, field)
    return moment(value, node, field)


def changed_at(node: Node) -> datetime | None:
    """When a record changed; None where it is not there, or text that `stamp` could not read either."""
    value = node.get("lastModifiedDate")
    if isinstance(value, str) and usual_instant(value) is None:
        has_zone = _OFFSET.search(value) or node.given.context.time_zone is not None
        if not has_zone or not _ISO_TIME.fullmatch(value):
            return None
    return node.instant("lastModifiedDate")


def unit(node: Node, name: str, ours: str) -> str | None:
    """A unit's name; where only its id is sent, that, with a warning: the account's units table is not sent.

    Args:
        node: the record or its line.
        name: of the member.
        ours: the field that it is told as, for the warning.
    """
    id_, label = named(node, name)
    if label is None and id_ is not None and _DIGITS.fullmatch(id_):
        node.given.warn("unit_unknown", ours, f"{name} is an id of the account's table of units")
    return label or id_


def last_segment(label: str | None) -> str | None:
    """The item's own name of a hierarchical one, `Spares : Bearings : 6205-2RS`."""
    return None if label is None else label.rsplit(" : ", 1)[-1].strip() or None


def is_iso_currency(label: str) -> bool:
    """Whether an account has named a currency by its ISO 4217 code."""
    return _ISO_CURRENCY.fullmatch(label) is not None


def _unread(node: Node, field: Field) -> Any:
    detail = f"{field.name} is written as in the company's locale: it is kept as it is, unread"
    node.given.warn("date_unread", "lines" if node.path else field.target, detail)
    return UNTOLD
