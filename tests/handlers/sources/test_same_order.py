"""A purchase order prints with the same field names and types, whichever of the large systems has told it.

Every purchase order among the samples of these systems is printed, and no two may differ in the names of their fields
or in the JSON type of any value; null stands for what a system does not send. One sample of each system tells the same
order: two lines, the first of them received.
"""

from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types of its own
import msgspec
import pytest

from handlers.events import Event
from handlers.rules.facts import fact, fold_all
from handlers.rules.printing import Kept, printed
from handlers.rules.registers import Record
from handlers.rules.schemas import schema
from tests.handlers.sources.reading import Sample, samples

SYSTEMS = ("sap", "netsuite", "dynamics_fo", "business_central")
KIND = "purchase_order"
TYPES = {str: "string", bool: "boolean", int: "integer", list: "array", dict: "object"}
OPEN = ("custom_fields", "anomalies", "warnings")
"""Members in which a source's own names are."""
TOLD_BY_ALL = {
    "$.number": "string",
    "$.status.value": "string",
    "$.approval_status.value": "string",
    "$.vendor_ref.key": "string",
    "$.order_date": "string",
    "$.currency": "string",
    "$.company_ref.key": "string",
    "$.payment_terms.code": "string",
    "$.total.amount": "string",
    "$.total.currency": "string",
    "$.lines[].line_number": "string",
    "$.lines[].item_ref.key": "string",
    "$.lines[].item_number": "string",
    "$.lines[].description": "string",
    "$.lines[].quantity_ordered": "string",
    "$.lines[].uom": "string",
    "$.lines[].unit_price.amount": "string",
    "$.lines[].unit_price.currency": "string",
    "$.lines[].line_amount.amount": "string",
}
"""What each system tells of the order, in the same place and as the same type."""


def orders(sample: Sample) -> Iterator[dict[str, Any]]:
    """The purchase orders that a sample tells, as records print them."""
    options = sample.expected.get("options", {})
    timed = sample._replace(expected={**sample.expected, "options": {**options, "order": "arrival"}})
    told: dict[tuple[str, str], list[Event]] = {}
    for each in timed.read():
        if isinstance(each, Event) and each.kind == KIND:
            told.setdefault((each.connection_id, each.key), []).append(each)
    for subject, events in told.items():
        record = Record()
        fold_all([fact(each) for each in events], {subject: record})
        shown = printed(Kept(KIND, *subject, record))
        yield msgspec.json.decode(msgspec.json.encode(shown))


def found(system: str) -> list[dict[str, Any]]:
    """The purchase orders of a system's samples."""
    return [order for sample in samples(system) for order in orders(sample)]


def types(value: Any, path: str = "$") -> Iterator[tuple[str, str]]:
    """The JSON type of everything in a record that is not null, by its path."""
    if value is None:
        return
    yield path, TYPES[type(value)]
    if isinstance(value, list):
        for each in value:
            yield from types(each, f"{path}[]")
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in OPEN:
                yield from types(each, f"{path}.{name}")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_purchase_order_of_every_system_is_as_the_one_schema_says(system: str) -> None:
    validator = jsonschema.Draft202012Validator(schema(KIND), format_checker=jsonschema.FormatChecker())
    told = found(system)

    assert told, "no sample tells one"
    assert [error.message for order in told for error in validator.iter_errors(order)] == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_same_order_has_the_same_fields_of_the_same_types(system: str) -> None:
    names = {tuple(order) for each in SYSTEMS for order in found(each)}
    fullest = [order for order in found(system) if TOLD_BY_ALL.items() <= set(types(order))]

    assert len(names) == 1, "field names, and their order"
    assert fullest, "one sample tells all of it"


def test_nothing_has_one_type_in_one_system_and_another_in_another() -> None:
    by_path: dict[str, dict[str, str]] = {}
    for system in SYSTEMS:
        for order in found(system):
            for path, kind in types(order):
                by_path.setdefault(path, {}).setdefault(kind, system)

    assert {path: kinds for path, kinds in by_path.items() if len(kinds) > 1} == {}
