"""Purchase orders read as a whole: what their lines tell of receipt, billing and sums, and where they disagree.

Nothing is corrected: what the source states stands, and what does not fit it is a warning (unified model, section 5).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from handlers.events import Json
from handlers.rules import exact
from handlers.rules.order import word

Line = Mapping[str, Json]
NEVER_RECEIVED = frozenset({"comment", "charge"})
"""Types of line that nobody waits for at the gate."""
NEVER_BILLED = frozenset({"comment"})
LEAST_TOLERANCE, GREATEST_TOLERANCE = Decimal("0.01"), Decimal(1)
"""How far a stated amount may be from the computed one: the unit of its last digit, within these."""


def derived(order: Mapping[str, Json]) -> tuple[dict[str, Json], list[Json]]:
    """What an order's fields tell beside what they state.

    Args:
        order: its visible fields, its lines among them.

    Returns:
        Fields to print where the order states none: the axes `receipt_status` and `billing_status`, `lines` with
        their amounts, `total` with `total_derived`; and warnings, whose paths are within the printed record.
    """
    lines = [line for line in _list(order.get("lines")) if isinstance(line, dict)]
    amounts = [_amount(line) for line in lines]
    found: dict[str, Json] = {
        name: {"value": value, "source_code": None, "source_label": None}
        for name, value in (("receipt_status", receipt(order, lines)), ("billing_status", billing(order, lines)))
        if value is not None and word(order.get(name)) is None
    }
    if lines:
        shown = zip(lines, amounts, strict=True)
        found["lines"] = [line if amount is None else {**line, "line_amount": amount} for line, amount in shown]
    total = None if order.get("total") is not None else _sum(lines, amounts)
    if total is not None:
        found |= {"total": total, "total_derived": True}
    return found, [*_line_warnings(lines), *_sum_warnings(order, lines, amounts)]


def receipt(order: Mapping[str, Json], lines: Sequence[Line]) -> str | None:
    """How much was received: as stated, else as the lines tell; None where neither does."""
    stated = word(order.get("receipt_status"))
    waited_for = [line for line in lines if _counts(line, NEVER_RECEIVED)]
    return stated or _progress(_done(line, "quantity_received", "is_received_complete") for line in waited_for)


def billing(order: Mapping[str, Json], lines: Sequence[Line]) -> str | None:
    """How much was billed; likewise."""
    stated = word(order.get("billing_status"))
    return stated or _progress(_done(line, "quantity_billed") for line in lines if _counts(line, NEVER_BILLED))


def _counts(line: Line, never: frozenset[str]) -> bool:
    return line.get("is_cancelled") is not True and line.get("line_type") not in never


def _done(line: Line, quantity: str, flag: str | None = None) -> str | None:
    if flag is not None and line.get(flag) is True:
        return "complete"
    done, ordered = exact.decimal(line.get(quantity)), exact.decimal(line.get("quantity_ordered"))
    if done is None:
        return None
    if done <= 0:
        return "none"
    return "complete" if ordered is not None and done >= ordered else "partial"


def _progress(states: Iterable[str | None]) -> str | None:
    found = list(states)
    if not any(found):
        return None
    if all(state == "complete" for state in found):
        return "complete"
    return "partial" if {"partial", "complete"} & set(found) else "none"


def _amount(line: Line) -> dict[str, Json] | None:
    """A line's amount: as it was sent, else computed."""
    stated = line.get("line_amount")
    if isinstance(stated, dict):
        return stated
    price, computed = line.get("unit_price"), _computed(line)
    text = None if computed is None else exact.kept(computed)
    return None if text is None or not isinstance(price, dict) else {"amount": text, "currency": price.get("currency")}


def _computed(line: Line) -> Decimal | None:
    """Quantity times price, per the quantity that the price is for; None where a part is missing or units differ."""
    price = line.get("unit_price")
    if not isinstance(price, dict) or line.get("price_uom") not in {None, line.get("uom")}:
        return None
    quantity, each = exact.decimal(line.get("quantity_ordered")), exact.decimal(price.get("amount"))
    basis = Decimal(1) if line.get("price_basis_quantity") is None else exact.decimal(line["price_basis_quantity"])
    if quantity is None or each is None or basis is None:
        return None
    return exact.product(quantity, each, basis)


def _sum(lines: Sequence[Line], amounts: Sequence[Mapping[str, Json] | None]) -> dict[str, Json] | None:
    """The lines' amounts added; None where one is missing, or their currencies are not one."""
    told = [
        amount
        for line, amount in zip(lines, amounts, strict=True)
        if line.get("is_cancelled") is not True and (amount is not None or line.get("line_type") != "comment")
    ]
    values = [None if amount is None else exact.decimal(amount.get("amount")) for amount in told]
    currencies = {str(amount.get("currency")): amount.get("currency") for amount in told if amount is not None}
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values) or len(currencies) != 1:
        return None
    text = exact.kept(exact.total(known))
    (currency,) = currencies.values()
    return None if text is None else {"amount": text, "currency": currency}


def _line_warnings(lines: Sequence[Line]) -> Iterable[Json]:
    for index, line in enumerate(lines):
        name = line.get("line_number") or line.get("line_id") or index
        ordered, received = (exact.decimal(line.get(f"quantity_{each}")) for each in ("ordered", "received"))
        if ordered is not None and received is not None and received > ordered:
            path = f"$.lines[{index}].quantity_received"
            yield _warning("over_receipt", path, f"line {name}: {received} received of {ordered} ordered")
        stated, computed = line.get("line_amount"), _computed(line)
        amount = exact.decimal(stated.get("amount")) if isinstance(stated, dict) else None
        if amount is not None and computed is not None and abs(amount - computed) > _tolerance(amount):
            path = f"$.lines[{index}].line_amount"
            yield _warning("amount_mismatch", path, f"line {name} states {amount}, quantity times price is {computed}")


def _sum_warnings(
    order: Mapping[str, Json], lines: Sequence[Line], amounts: Sequence[Mapping[str, Json] | None]
) -> Iterable[Json]:
    stated, added = order.get("subtotal"), _sum(lines, amounts)
    if not isinstance(stated, dict) or added is None or stated.get("currency") != added["currency"]:
        return
    subtotal, summed = exact.decimal(stated.get("amount")), exact.decimal(added["amount"])
    if subtotal is not None and summed is not None and abs(subtotal - summed) > _tolerance(subtotal) * len(lines):
        yield _warning("amount_mismatch", "$.subtotal", f"it states {subtotal}, the lines add up to {summed}")


def _tolerance(amount: Decimal) -> Decimal:
    exponent = amount.as_tuple().exponent
    unit = Decimal(1).scaleb(exponent) if isinstance(exponent, int) else LEAST_TOLERANCE
    return min(max(unit, LEAST_TOLERANCE), GREATEST_TOLERANCE)


def _warning(code: str, path: str, detail: str) -> Json:
    return {"code": code, "path": path, "detail": detail}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
