"""A line of numbers as a row of blocks."""

from collections.abc import Sequence
from typing import Final

BLOCKS: Final = "▁▂▃▄▅▆▇█"
UNKNOWN: Final = " "


def sparkline(values: Sequence[float | None], width: int) -> str:
    """The newest values, one a column, from the lowest block for nothing to the highest for the greatest of them.

    Args:
        values: the oldest first; None is a gap.
        width: columns at most.
    """
    shown = values[-width:] if width > 0 else ()
    greatest = max((each for each in shown if each is not None), default=0.0)
    return "".join(UNKNOWN if each is None else _block(each, greatest) for each in shown)


def _block(value: float, greatest: float) -> str:
    if greatest <= 0 or value <= 0:
        return BLOCKS[0]
    return BLOCKS[min(len(BLOCKS) - 1, max(1, round(value / greatest * (len(BLOCKS) - 1))))]
