"""Meters, and what was read from them."""

from typing import Annotated, Literal

from msgspec import Meta

from handlers.model.record import Record
from handlers.model.scalars import Flag, Instant, Number, Text
from handlers.model.values import Ref


class Meter(Record):
    """Where something is measured. Null `is_counter` is unknown, and is judged as a counter."""

    name: Text | None = None
    asset_ref: Ref | None = None
    location_ref: Ref | None = None
    unit: Annotated[Text, Meta(description="UN/ECE Rec 20 or UCUM where that is known")] | None = None
    unit_source: Text | None = None
    is_counter: Annotated[Flag, Meta(description="it only goes one way, such as hours run")] | None = None
    rollover_at: Annotated[Number, Meta(description="where it starts again from zero")] | None = None
    counts_down: Flag | None = None


class MeterReading(Record):
    """One reading. What it says of its meter is taken for the meter, where that says nothing of itself."""

    meter_ref: Ref | None = None
    meter_name: Text | None = None
    asset_ref: Ref | None = None
    location_ref: Ref | None = None
    work_order_ref: Ref | None = None
    read_at: Instant | None = None
    value: Number | None = None
    value_text: Annotated[Text, Meta(description="a reading that is no number, such as RED or 1/16")] | None = None
    unit: Annotated[Text, Meta(description="UN/ECE Rec 20 or UCUM where that is known")] | None = None
    unit_source: Text | None = None
    kind: Annotated[Literal["absolute", "delta", "characteristic"], Meta(description="null is absolute")] | None = None
    delta: (
        Annotated[Number, Meta(description="the change since the reading before, as the source states it")] | None
    ) = None
    rollover: Annotated[Flag, Meta(description="the meter started again from zero")] | None = None
    meter_replaced: Flag | None = None
    reversed: Annotated[Flag, Meta(description="it was taken back and counts no more")] | None = None
    is_counter: Flag | None = None
    rollover_at: Number | None = None
    counts_down: Flag | None = None
    read_by: Text | None = None
    source: Literal["manual", "sensor", "trigger"] | None = None
