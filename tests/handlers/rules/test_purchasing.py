"""What an order's lines tell of it: the axes, the sums, and what does not fit."""

from typing import Any

import pytest

from handlers.events import Json
from handlers.rules.purchasing import billing, derived, receipt


def line(ordered: Json = "4", received: Json = None, **more: Json) -> dict[str, Json]:
    return {"quantity_ordered": ordered, "quantity_received": received, **more}


def order(*lines: Json, **more: Json) -> tuple[dict[str, Json], list[Json]]:
    return derived({"lines": list(lines), **more})


def eur(amount: str) -> Json:
    return {"amount": amount, "currency": "EUR"}


def codes(warnings: list[Any]) -> list[tuple[str, str]]:
    return [(each["code"], each["path"]) for each in warnings]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], None),
        ([line()], None),
        ([line(received="0")], "none"),
        ([line(received="0"), line()], "none"),
        ([line(received="1.5")], "partial"),
        ([line(received="4"), line(received="0")], "partial"),
        ([line(received="4"), line()], "partial"),
        ([line(received="4"), line(received="4.0")], "complete"),
        ([line(received="5")], "complete"),
        ([line(received="1", is_received_complete=True)], "complete"),
        ([line(received="4"), line(received="0", is_cancelled=True)], "complete"),
        ([line(received="4"), line(line_type="charge")], "complete"),
        ([line(ordered=None, received="1")], "partial"),
    ],
)
def test_receipt_is_told_by_the_lines(lines: list[dict[str, Json]], expected: str | None) -> None:
    assert receipt({}, lines) == expected


def test_a_receipt_status_that_is_stated_stands() -> None:
    assert receipt({"receipt_status": {"value": "none", "source_code": "A"}}, [line(received="4")]) == "none"
    assert order(line(received="4"), receipt_status={"value": "none"})[0].keys() == {"lines"}


def test_billing_is_told_by_the_lines_charges_included() -> None:
    billed = [line(quantity_billed="4"), line(line_type="charge", ordered="1", quantity_billed="0")]
    assert billing({}, billed) == "partial"


def test_more_received_than_ordered_is_a_warning() -> None:
    _, warnings = order(line(received="4"), line(received="4.5"))
    assert codes(warnings) == [("over_receipt", "$.lines[1].quantity_received")]


def test_an_amount_is_the_one_sent_else_quantity_times_price_per_so_many() -> None:
    priced = line(unit_price=eur("1000.00"), price_basis_quantity="100")
    found, warnings = order(priced, {**priced, "line_amount": eur("40.01")}, line())
    assert found["lines"] == [
        {**priced, "line_amount": eur("40.00")},
        {**priced, "line_amount": eur("40.01")},
        line(),
    ]
    assert warnings == []


def test_an_amount_that_is_not_quantity_times_price_is_a_warning_and_stands() -> None:
    wrong = line(line_amount=eur("4000.00"), unit_price=eur("1000.00"), price_basis_quantity="100")
    found, warnings = order(wrong)
    assert codes(warnings) == [("amount_mismatch", "$.lines[0].line_amount")]
    assert found["total"] == eur("4000.00")


@pytest.mark.parametrize(
    "odd", [{"price_basis_quantity": "0"}, {"price_uom": "KGM", "uom": "C62"}, {"unit_price": None}]
)
def test_nothing_is_computed_where_that_makes_no_sense(odd: dict[str, Json]) -> None:
    assert order({**line(line_amount=eur("1"), unit_price=eur("1000.00")), **odd})[1] == []


def test_a_total_that_nobody_states_is_the_sum_of_lines_and_says_so() -> None:
    lines = (
        line(line_amount=eur("0.10")),
        line(line_amount=eur("0.20")),
        line(line_amount=eur("9"), is_cancelled=True),
    )
    found, _ = order(*lines)
    assert (found["total"], found["total_derived"]) == (eur("0.30"), True)
    assert "total" not in order(*lines, total=eur("1"))[0]


def test_no_sum_is_made_of_two_currencies_or_of_lines_without_amount() -> None:
    most: Json = {"amount": "9" * 60, "currency": "EUR"}
    dollars: Json = {"amount": "1", "currency": "USD"}
    assert "total" not in order(line(line_amount=eur("1")), line(line_amount=dollars))[0]
    assert "total" not in order(line(line_amount=eur("1")), line())[0]
    assert "total" not in order(*[line(line_amount=most)] * 2)[0]


def test_a_subtotal_that_is_not_the_sum_is_a_warning_past_rounding() -> None:
    lines = (line(line_amount=eur("10.00")), line(line_amount=eur("20.00")))
    assert order(*lines, subtotal=eur("30.02"))[1] == []
    assert codes(order(*lines, subtotal=eur("31.00"))[1]) == [("amount_mismatch", "$.subtotal")]


def test_a_repeating_quotient_is_cut_where_no_price_list_looks() -> None:
    found, _ = order(line(ordered="1", unit_price=eur("10"), price_basis_quantity="3"))
    assert found["total"] == eur("3.333333")
