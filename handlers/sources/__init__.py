"""The shelf of upstream systems: one file each, registered by its constant `SOURCE`.

A module whose name begins with an underscore is shared by the others and registers nothing.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from handlers.events import Delivery, MappingOptions, Reading
from handlers.sources._bodies import inflated

__all__ = ["Source", "inflated", "load"]


@dataclass(frozen=True, slots=True)
class Source:
    """How one upstream system is read.

    Attributes:
        name: what a connection calls it, `source = "unified"`; the name of its file.
        default_scheme: the signature scheme of a connection that names none.
        read: pure; turns a delivery into what it says, in order, and never raises: what cannot be read is `Unmapped`.
    """

    name: str
    default_scheme: str
    read: Callable[[Delivery, MappingOptions], Reading]


def load() -> Mapping[str, Source]:
    """Finds every source on the shelf, by name, in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    sources = [importlib.import_module(f"{__name__}.{name}").SOURCE for name in names]
    return MappingProxyType({source.name: source for source in sources})
