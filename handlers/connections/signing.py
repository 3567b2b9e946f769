"""How a table of `connections.toml` says that its webhooks are signed: the scheme, and where the secrets are."""

from typing import Any

from handlers.connections.connection import SecretRef
from handlers.connections.fields import Fields, kind_of
from handlers.connections.providers import reference_problem
from handlers.errors import ConfigurationError
from handlers.signatures import FAMILIES, Scheme, scheme
from handlers.sources import Source

NAMES = ("scheme", *FAMILIES, "secrets", "rate_limit")
"""The fields that go with an address of one's own."""


def read_scheme(fields: Fields, source: Source | None) -> Scheme | None:
    """The scheme; the source's own where none is named; None where something is wrong, which is noted."""
    given = fields.any("scheme", str, dict)
    base: tuple[str, ...] = ("scheme",) if isinstance(given, dict) else ()
    for family in FAMILIES:  # the options may stand beside the scheme's name, or without it
        if family in fields:
            if given not in (None, family):
                fields.wrong(family, f'are options of scheme = "{family}"; drop them, or the other scheme')
                return None
            given = {family: fields.any(family, dict, or_else={})}
    if given is None:
        given = source.default_scheme if source is not None else None
    if given is None:
        return None
    try:
        return scheme(given)
    except ConfigurationError as error:
        for problem in error.problems:
            where, _, what = problem.partition(": ")
            first, *inside = (*base, *where.split(".")) if where != "scheme" else ("scheme",)
            fields.wrong(first, what, *inside)
        return None


def read_secrets(fields: Fields) -> tuple[SecretRef, ...]:
    """The references, in their order; without any nobody could sign, save for what is revoked."""
    if "secrets" not in fields:
        if not fields.flag("revoked"):
            fields.wrong("secrets", 'is missing; write secrets = [{ ref = "env:NAME" }]')
        return ()
    given = fields.any("secrets", list)
    if given == []:
        fields.wrong("secrets", 'is empty; write secrets = [{ ref = "env:NAME" }]')
    refs = []
    for position, each in enumerate(given or ()):
        if isinstance(each, str):
            fields.wrong("secrets", _not_a_table(each), position)
        elif not isinstance(each, dict):
            fields.wrong("secrets", f'is {kind_of(each)}; write {{ ref = "env:NAME" }}', position)
        else:
            refs.append(_secret(fields.inner(each, "secrets", position)))
    return tuple(ref for ref in refs if ref is not None)


def read_reference(fields: Fields, name: str, **window: Any) -> SecretRef | None:
    """A reference to one secret; None where it is missing or wrong, which is noted."""
    if name not in fields:
        fields.wrong(name, 'is missing; write a reference like "env:NAME" or "file:PATH"')
        return None
    text = fields.any(name, str)
    problem = reference_problem(text) if text is not None else None
    if problem is not None:
        fields.wrong(name, problem)
    return SecretRef(text=text, **window) if text is not None and problem is None else None


def _not_a_table(text: str) -> str:
    return reference_problem(text) or 'is a bare reference; write { ref = "…" } around it'


def _secret(fields: Fields) -> SecretRef | None:
    fields.only(("ref", "not_before", "not_after"))
    not_before, not_after = fields.instant("not_before"), fields.instant("not_after")
    if not_before is not None and not_after is not None and not_before >= not_after:
        fields.wrong("not_after", "is not after not_before; such a secret is never used")
    return read_reference(fields, "ref", not_before=not_before, not_after=not_after)
