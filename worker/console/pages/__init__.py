"""The shelf of pages: one file a subject, registered by its constant `PAGES`.

A module whose name begins with an underscore is shared by the others and registers nothing.
"""

import importlib
import pkgutil

from worker.console.ask import Page


def load() -> tuple[Page, ...]:
    """Every page of every file, in the order of the files' names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(page for name in names for page in importlib.import_module(f"{__name__}.{name}").PAGES)
