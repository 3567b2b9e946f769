"""What buying is told in: addresses, payment terms, tax numbers, prices with a method, units that are converted."""

import re
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, get_args

from msgspec import Meta, Struct

from handlers.events import Json
from handlers.model.reading import Context
from handlers.model.scalars import Count, Number, ReadBy, Text, read_text
from handlers.model.values import MAX_WORD_SHOWN, Money

_CURRENCY = re.compile(r"[A-Z]{3}")

CostMethod: TypeAlias = Literal["average", "standard", "last", "fifo"]


def read_currency(value: Any, path: str, context: Context) -> str | None:
    """Reads an ISO 4217 code; anything else is null, with a warning, and kept beside it."""
    code = read_text(value, path, context)
    if _CURRENCY.fullmatch(code):
        return code
    context.warn("currency_unknown", path, f"{code[:MAX_WORD_SHOWN]} is no ISO 4217 code")
    context.unknown_words[path] = code
    return None


Currency: TypeAlias = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="an ISO 4217 code"), ReadBy(read_currency)]


class Address(Struct, kw_only=True, omit_defaults=True):
    """Where something is or goes; a source that has only one text gives `formatted`, one with a code only `code`."""

    plain: ClassVar[str] = "formatted"

    kind: Text | None = None
    name: Text | None = None
    lines: list[Text] | None = None
    city: Text | None = None
    region: Text | None = None
    postcode: Text | None = None
    country: Annotated[Text, Meta(description="ISO 3166-1 alpha-2 where the source has that")] | None = None
    phone: Text | None = None
    formatted: Text | None = None
    code: Text | None = None


class PaymentTerms(Struct, kw_only=True, omit_defaults=True):
    """When a bill is due: the source's code and wording, and the days until the net amount is due."""

    plain: ClassVar[str] = "label"

    code: Text | None = None
    label: Text | None = None
    net_days: Count | None = None


class TaxId(Struct, kw_only=True, omit_defaults=True):
    """A tax number and what kind it is, in the source's words (`VAT`, `EIN`)."""

    plain: ClassVar[str] = "value"

    type: Text | None = None
    value: Text | None = None


class Conversion(Struct, kw_only=True, omit_defaults=True):
    """How one unit becomes another: `numerator / denominator` of `uom` make one of the unit it stands beside.

    On an order's line it turns the ordering unit into the stock unit, on an item the purchase unit into the item's.
    A plain number is the numerator over 1.
    """

    plain: ClassVar[str] = "numerator"

    numerator: Number | None = None
    denominator: Number | None = None
    uom: Text | None = None


class UnitCost(Money):
    """What one unit costs, and how that was found."""

    method: CostMethod | None = None

    @classmethod
    def read(cls, value: Any, path: str, context: Context) -> Json:
        """Reads an amount as `Money` does; a method that is none of ours is null, with a warning."""
        money = super().read(value, path, context)
        assert isinstance(money, dict), "money is kept as an object"
        given = value.get("method") if isinstance(value, dict) else None
        method = None if given is None else read_text(given, f"{path}.method", context)
        if method is not None and method not in get_args(CostMethod):
            context.warn("word_unmapped", f"{path}.method", f"no word of ours for {method[:MAX_WORD_SHOWN]!r}")
            method = None
        return {**money, "method": method}
