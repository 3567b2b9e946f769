"""The shelf of secret providers: one file each, registered by its constant `PROVIDER`."""

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from handlers.errors import TransientError

LATER: Final = ("vault", "aws-sm", "azure-kv")
"""Providers that the contract names and this version does not have yet."""

UNRESOLVED: Final = "secret_unresolved"


@dataclass(frozen=True, slots=True)
class Provider:
    """Where secrets can be.

    Attributes:
        name: what a reference begins with, before its colon; the name of its file.
        form: how a reference is written, for people.
        problem: pure; why what follows the colon is no such reference, None where it is one.
        read: fetches the secret's bytes; takes what follows the colon, and the home that relative paths start from.
            Raises TransientError with `unresolved`'s code and a message that follows the reference's text.
    """

    name: str
    form: str
    problem: Callable[[str], str | None]
    read: Callable[[str, Path], bytes]


def unresolved(message: str) -> TransientError:
    """What a provider raises: it may be there the next time. The message must not quote what was read."""
    return TransientError(UNRESOLVED, message)


@functools.cache
def load() -> Mapping[str, Provider]:
    """Finds every provider on the shelf, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    providers = [importlib.import_module(f"{__name__}.{name}").PROVIDER for name in names]
    return MappingProxyType({provider.name: provider for provider in providers})


def reference_problem(text: str) -> str | None:
    """Why a text is no reference to a secret, with the mend; None where it is one.

    What is no reference may be the secret itself, so nothing of it is quoted but a provider's name.
    """
    name, colon, rest = text.partition(":")
    forms = " or ".join(provider.form for provider in load().values())
    if colon and name in LATER:
        return f"{name}: references come with a later version; write {forms}"
    if not colon or name not in load():
        return f"is a literal, not a reference; put the secret elsewhere and write {forms}"
    return load()[name].problem(rest)


def read(text: str, home: Path) -> bytes:
    """Fetches the secret that a reference names.

    Args:
        text: a reference without a problem.
        home: where relative paths start.

    Raises:
        TransientError: of code `secret_unresolved`, naming the reference and never a value.
    """
    name, _, rest = text.partition(":")
    try:
        return load()[name].read(rest, home)
    except TransientError as error:
        raise TransientError(error.code, f"{text}: {error}") from None  # the cause may hold what was read
