"""Arithmetic on kept numbers: exact, whatever their digits."""

from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation

from handlers.events import Json
from handlers.model.numbers import number_text

_PRECISION = 400
"""Digits that hold the product of any two kept numbers, and any sum of a list of them, without rounding."""
_EXACT = Context(prec=_PRECISION)
_SHOWN = Decimal("0.000001")
"""What a quotient is rounded to: finer than any price list."""


def decimal(value: Json) -> Decimal | None:
    """A kept number; None for null and for what is none."""
    try:
        return Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None


def total(values: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    found = Decimal(0)
    for value in values:
        found = _EXACT.add(found, value)
    return found


def product(one: Decimal, other: Decimal, divisor: Decimal) -> Decimal | None:
    """`one * other / divisor`, exact, or rounded to six places where it has more; None for a divisor of zero."""
    if not divisor:
        return None
    found = _EXACT.divide(_EXACT.multiply(one, other), divisor)
    return _EXACT.quantize(found, _SHOWN).normalize(_EXACT) if _finer(found) else found


def kept(value: Decimal) -> str | None:
    """The text of a number as it is kept; None where it has more digits than are kept."""
    return number_text(value)


def _finer(value: Decimal) -> bool:
    exponent, shown = value.as_tuple().exponent, _SHOWN.as_tuple().exponent
    return isinstance(exponent, int) and isinstance(shown, int) and exponent < shown
