"""Drawing in SVG: elements as escaped markup, and scales. Pure; knows nothing of maintenance.

Colours are classes, so that a page's style sheet decides them for light, dark and paper.
"""

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_PLACES = 2
"""Decimals of a coordinate: a hundredth of a pixel is seen by nobody."""
_LETTER, _GAP = 6.6, 8.0
"""Width of a letter of a small label, at most, and of the room behind it."""
_STEPS = (1, 2, 2.5, 5, 10)
"""Steps between ticks, times a power of ten: numbers that people count in."""


def element(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """An element; what is not markup already is escaped, in its text and in its attributes.

    Args:
        name: of the element.
        children: texts and markup.
        attributes: None is left out; `class_` and `text_anchor` are `class` and `text-anchor`.
    """
    given = [
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _value(value))
        for key, value in attributes.items()
        if value is not None
    ]
    head = Markup("<{}{}").format(name, Markup("").join(given))
    if not children:
        return Markup("{}/>").format(head)
    return Markup("{}>{}</{}>").format(head, Markup("").join(map(escape, children)), name)


def text(words: str, x: float, y: float, class_: str | None = None, anchor: str | None = None) -> Markup:
    """A line of text whose baseline is at `y`."""
    return element("text", words, x=x, y=y, class_=class_, text_anchor=anchor)


def title(words: str) -> Markup:
    """What is shown for the element that it is in when somebody points at it, and read aloud."""
    return element("title", words)


def drawing(id_: str, width: float, height: float, told: tuple[str, str], parts: Iterable[Markup]) -> Markup:
    """A whole drawing, which scales to the width it is given.

    Args:
        id_: unique on the page, in letters and hyphens.
        width: of its own units, one a pixel at full size.
        height: likewise.
        told: its title, and what it shows in a sentence, for those who cannot see it.
        parts: what is in it.
    """
    names = (f"{id_}-title", f"{id_}-told")
    return element(
        "svg",
        element("title", told[0], id=names[0]),
        element("desc", told[1], id=names[1]),
        *parts,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        role="img",
        aria_labelledby=" ".join(names),
        class_="plot",
    )


def fitted(words: str, most: int) -> str:
    """Text, cut to so many characters."""
    return words if len(words) <= most else words[: most - 1].rstrip() + ELLIPSIS


def ticks(greatest: float, about: int = 5) -> list[float]:
    """Round numbers from 0 up to at least a number above 0, `about` so many steps apart."""
    if greatest <= 0:
        return [0.0, 1.0]
    raw = greatest / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(each * power for each in _STEPS if each * power >= raw * (1 - 1e-9))
    return [number * step for number in range(math.ceil(greatest / step - 1e-9) + 1)]


def roomy(places: Sequence[float], words: Sequence[str], end: float) -> list[tuple[int, float]]:
    """Those labels of an axis that have room: which, and where they begin.

    Args:
        places: where each begins, from left to right.
        words: of each.
        end: where the axis does.
    """
    found: list[tuple[int, float]] = []
    free = -math.inf
    for number, (place, label) in enumerate(zip(places, words, strict=True)):
        width = _LETTER * len(label) + _GAP
        if place >= free and place + width <= end + _GAP:
            found.append((number, place))
            free = place + width
    return found


def runs(cells: Sequence[str]) -> list[tuple[str, int, int]]:
    """Equal neighbours as one: what they are, where they begin and how many they are."""
    found: list[tuple[str, int, int]] = []
    for place, each in enumerate(cells):
        if found and found[-1][0] == each:
            found[-1] = (each, found[-1][1], found[-1][2] + 1)
        else:
            found.append((each, place, 1))
    return found


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.{_PLACES}f}".rstrip("0").rstrip(".")
