"""Every parser that the fuzz knows, in the order of the files and their constants `PARSERS`."""

import importlib
import pkgutil
from functools import cache

from tests.fuzz import parsers
from tests.fuzz.parser import Parser


@cache
def load() -> tuple[Parser, ...]:
    """Finds them."""
    names = sorted(module.name for module in pkgutil.iter_modules(parsers.__path__))
    found = [importlib.import_module(f"{parsers.__name__}.{name}").PARSERS for name in names]
    return tuple(parser for each in found for parser in each)
