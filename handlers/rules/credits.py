"""What a connection costs in Makini's credits: by the tier of its system, twice as much on premises.

Makini's documentation gives tiers I, II and III as 1, 2 and 4 credits ("Connection credits"), its FAQ says that what
runs on premises costs double (S/4HANA in the cloud 4, ECC 8). They are taken on connecting and come back on
disconnecting.
"""

from collections.abc import Mapping
from typing import Final

TIERS: Final[Mapping[int, int]] = {1: 1, 2: 2, 3: 4}
"""Credits of a connection in the cloud, by tier."""
ON_PREMISES: Final = 2
"""How many times as much on premises."""


def credits_of(tier: int | None, deployment: str, stated: int | None = None) -> int | None:
    """What a connection costs.

    Args:
        tier: of its system, a key of `TIERS`; None where nobody said.
        deployment: `cloud` or `on_premises`.
        stated: what the contract with Makini says of this one; it wins.

    Returns:
        None where neither is known: no system's tier is guessed.
    """
    if stated is not None or tier is None:
        return stated
    return TIERS[tier] * (ON_PREMISES if deployment == "on_premises" else 1)
