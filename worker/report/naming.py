"""What rows and assets of a report are called."""

from handlers.rules.reporting import ASSET, CAUSE, CLASS, CUSTOMER, SITE, AssetSums, Row
from worker.telemetry import printable

UNSAID = {
    ASSET: "no name",
    SITE: "no site stated",
    CLASS: "no class stated",
    CUSTOMER: "no customer stated",
    CAUSE: "no cause stated",
}
"""What stands for the group of those about whom nobody said it."""


def clean(text: str) -> str:
    """Text from outside as one line, with nothing in it that reorders or hides what stands around it."""
    return " ".join(printable(text).split())


def asset_name(sums: AssetSums) -> str:
    """An asset's key, with its name where it has another."""
    return named(sums.key, sums.name)


def row_name(row: Row, by: str) -> str:
    """What a row is about."""
    key = row.group[1]
    return UNSAID[by] if key is None else named(key, row.label)


def named(key: str, label: str | None) -> str:
    """A key with its label, where that says more."""
    return clean(key if label is None or label == key else f"{key} {label}")
