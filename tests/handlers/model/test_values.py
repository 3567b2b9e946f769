"""The value types: what may be written, what is kept, what is doubted."""

from decimal import Decimal
from typing import Any

import pytest

from handlers.events import Json, MappingOptions
from handlers.model.asset import AssetStatus
from handlers.model.reading import Context
from handlers.model.scalars import read_decimal, read_duration, read_text
from handlers.model.values import Coded, Money, Party, Priority, Quantity, Ref, Value
from handlers.model.work_order import WorkOrderStatus

OPTIONS = MappingOptions(
    currency="EUR",
    status_map={"WSCH": "scheduled", "approved": "on_hold", "ODD": "no word of ours"},
    priority_map={"1": "critical"},
)


def read(type_: Any, value: Any, options: MappingOptions = OPTIONS) -> tuple[Json, list[str]]:
    """What is kept, and the codes of the warnings."""
    context = Context(options)
    kept: Json = type_.read(value, "x", context)
    return kept, [warning["code"] for warning in context.warnings]


def worded(value: str | None, code: str | None, label: str | None = None) -> Json:
    return {"value": value, "source_code": code, "source_label": label}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("A", {"key": "A", "label": None}),
        (7, {"key": "7", "label": None}),
        ({"key": "A"}, {"key": "A", "label": None}),
        ({"key": 7, "label": "Pump", "n": Decimal("1.0")}, {"key": "7", "label": "Pump", "n": "1.0"}),
    ],
)
def test_a_reference_is_a_key_and_a_label(value: Any, kept: Json) -> None:
    assert read(Ref, value) == (kept, [])


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("Ann", {"key": None, "label": "Ann"}),
        ({"label": "Ann", "crew": "B"}, {"key": None, "label": "Ann", "crew": "B"}),
        ({"key": "17", "label": "Ann"}, {"key": "17", "label": "Ann"}),
    ],
)
def test_a_party_may_be_known_by_name_alone(value: Any, kept: Json) -> None:
    assert read(Party, value) == (kept, [])


@pytest.mark.parametrize(
    ("value", "kept", "warnings"),
    [
        ({"amount": "6169.05", "currency": "AUD"}, {"amount": "6169.05", "currency": "AUD"}, []),
        ({"amount": Decimal("1.10"), "tax": 2}, {"amount": "1.10", "currency": "EUR", "tax": 2}, ["currency_assumed"]),
        (3, {"amount": "3", "currency": "EUR"}, ["currency_assumed"]),
        ({"amount": "3", "currency": "€"}, {"amount": "3", "currency": None}, ["currency_unknown"]),
    ],
)
def test_money_names_its_currency_or_is_doubted(value: Any, kept: Json, warnings: list[str]) -> None:
    assert read(Money, value) == (kept, warnings)


def test_money_of_a_connection_without_a_currency_has_none() -> None:
    expected = ({"amount": "3", "currency": None}, ["currency_missing"])

    assert read(Money, "3", MappingOptions()) == expected
    assert read(Money, {"amount": 3, "currency": None}, MappingOptions()) == expected


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("4.50", {"value": "4.50", "unit": None}),
        ({"value": 4, "unit": "KGM", "unit_source": "kg"}, {"value": "4", "unit": "KGM", "unit_source": "kg"}),
    ],
)
def test_a_quantity_is_a_number_and_a_unit(value: Any, kept: Json) -> None:
    assert read(Quantity, value) == (kept, [])


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("B3", {"code": "B3", "group": None, "label": None}),
        ({"label": "Hardware"}, {"code": None, "group": None, "label": "Hardware"}),
        ({"code": 3, "group": "PUMP", "level": 2}, {"code": "3", "group": "PUMP", "label": None, "level": 2}),
    ],
)
def test_a_coded_value_is_code_group_and_label(value: Any, kept: Json) -> None:
    assert read(Coded, value) == (kept, [])


@pytest.mark.parametrize(
    ("value", "kept", "doubted"),
    [
        ("in_progress", worded("in_progress", "in_progress"), False),
        ("unknown", worded("unknown", "unknown"), False),
        ("WSCH", worded("scheduled", "WSCH"), False),
        ("approved", worded("on_hold", "approved"), False),
        ("In Progress", worded("unknown", "In Progress"), True),
        ("ODD", worded("unknown", "ODD"), True),
        (5, worded("unknown", "5"), True),
        ({"value": "closed"}, worded("closed", "closed"), False),
        ({"value": "closed", "source_code": "CLSD", "source_label": "Shut"}, worded("closed", "CLSD", "Shut"), False),
        ({"source_code": "WSCH"}, worded("scheduled", "WSCH"), False),
        ({"value": "closed", "source_code": "WSCH"}, worded("scheduled", "WSCH"), False),
        ({"source_code": "NEW"}, worded("unknown", "NEW"), True),
        ({"source_label": "New"}, worded("unknown", None, "New"), True),
        ({"value": "up", "source_code": None}, worded("unknown", "up"), True),
    ],
)
def test_a_status_is_a_word_of_ours_or_unknown_never_a_guess(value: Any, kept: Json, *, doubted: bool) -> None:
    assert read(WorkOrderStatus, value) == (kept, ["status_unmapped"] if doubted else [])


def test_members_of_a_status_that_have_no_name_here_stay_in_place() -> None:
    kept, _ = read(WorkOrderStatus, {"value": "closed", "sub_codes": ["A"], "changed_at": "then"})

    assert kept == worded("closed", "closed") | {"sub_codes": ["A"], "changed_at": "then"}  # type: ignore[operator]  # a dict by the test above


def test_a_map_made_for_orders_does_not_reach_the_status_of_assets() -> None:
    assert read(AssetStatus, "WSCH") == (worded("unknown", "WSCH"), ["status_unmapped"])


@pytest.mark.parametrize(
    ("value", "kept", "doubted"),
    [
        ("high", worded("high", "high"), False),
        ("none", worded("none", "none"), False),
        (1, worded("critical", "1"), False),
        ("2", worded(None, "2"), True),
        ({"value": "low", "source_label": "Niedrig"}, worded("low", "low", "Niedrig"), False),
        ({"value": None, "source_code": "9"}, worded(None, "9"), True),
    ],
)
def test_a_priority_is_a_word_of_ours_or_null(value: Any, kept: Json, *, doubted: bool) -> None:
    assert read(Priority, value) == (kept, ["priority_unmapped"] if doubted else [])


def test_a_number_may_come_as_a_number_or_as_text() -> None:
    context = Context(OPTIONS)

    assert [read_decimal(each, "x", context) for each in (40, Decimal("40.0"), "40.00", "4E1")] == [
        "40",
        "40.0",
        "40.00",
        "40",
    ]


def test_a_duration_is_whole_seconds() -> None:
    context = Context(OPTIONS)

    assert [read_duration(each, "x", context) for each in (0, "3600", Decimal("60.0"), "1e3", 2**63 - 1)] == [
        0,
        3600,
        60,
        1000,
        2**63 - 1,
    ]


def test_an_integer_serves_as_text() -> None:
    assert read_text(4_000_001, "x", Context(OPTIONS)) == "4000001"


def test_a_value_type_must_bring_its_own_reader() -> None:
    with pytest.raises(NotImplementedError):
        Value.read("x", "x", Context(OPTIONS))
