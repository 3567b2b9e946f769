"""Which assets an event names."""

from handlers.rules.facts import Fact
from handlers.rules.keyed import is_element
from handlers.rules.registers import ref_key

NAMING = ("asset_ref", "cause_asset_ref", "parent_ref")
"""Fields that name one asset; `parent_ref` only on an asset. `asset_refs` names several, a list's elements one each."""


def named_assets(fact: Fact) -> list[str]:
    """The assets that an event names, each once."""
    values = [fact.written.get(name) for name in NAMING if name != "parent_ref" or fact.event.kind == "asset"]
    several = fact.written.get("asset_refs")
    values.extend(several if isinstance(several, list) else ())
    for name, value in fact.written.items():
        if is_element(name) and isinstance(value, dict):
            values.append(value.get("asset_ref"))
    own = [fact.event.key] if fact.event.kind == "asset" else []
    return list(dict.fromkeys([*own, *(key for value in values if (key := ref_key(value)) is not None)]))
