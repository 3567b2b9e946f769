"""Which assets an event names."""

from handlers.rules.facts import Fact
from handlers.rules.keyed import elements_in
from handlers.rules.registers import ref_key

NAMING = ("asset_ref", "cause_asset_ref")
"""Fields that name one asset; on an asset `parent_ref` is another. `asset_refs` names several, a list's elements one
each."""


def named_assets(fact: Fact) -> list[str]:
    """The assets that an event names, each once; found when it is first asked."""
    if fact.assets is None:
        fact.assets = _named(fact)
    return fact.assets


def _named(fact: Fact) -> list[str]:
    written = fact.written
    is_asset = fact.event.kind == "asset"
    values = [written.get(name) for name in NAMING]
    if is_asset:
        values = [fact.event.key, *values, written.get("parent_ref")]
    several = written.get("asset_refs")
    values.extend(several if isinstance(several, list) else ())
    for name in elements_in(written):
        value = written[name]
        if isinstance(value, dict):
            values.append(value.get("asset_ref"))
    return list(dict.fromkeys(key for value in values if (key := ref_key(value)) is not None))
