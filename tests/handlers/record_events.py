"""Events of purchase orders, stock, vendors, meters and plans as Hypothesis draws them: few keys, few moments."""

from collections.abc import Mapping

from hypothesis import strategies as st

from handlers.events import Event, Json
from tests import folding

VERBS = ("created", "updated", "updated", "deleted", "restored")

minutes = st.integers(0, 6)
versions = st.sampled_from((None, None, 1, 2, 3))
ids = st.sampled_from((None, "id-1", "id-2"))
assets = st.sampled_from(("PUMP-1", "PUMP-2"))
numbers = st.sampled_from(("0", "1.5", "4", "10"))


def ref(key: str | None) -> Json:
    return None if key is None else {"key": key, "label": None}


def some(**optional: st.SearchStrategy[Json]) -> st.SearchStrategy[dict[str, Json]]:
    """An object with any of the members."""
    return st.fixed_dictionaries({}, optional=optional)


lines = st.lists(
    some(
        line_number=st.sampled_from(("10", "10", "20", "x")),
        quantity_ordered=numbers,
        quantity_received=numbers,
        asset_ref=assets.map(ref),
    ),
    max_size=3,
)
levels = st.lists(
    some(
        warehouse_ref=st.sampled_from(("A", "B")).map(ref),
        bin=st.sampled_from(("1", "1/2")),
        on_hand=numbers,
        reorder_point=numbers,
    ),
    max_size=3,
)
FIELDS: Mapping[str, st.SearchStrategy[dict[str, Json]]] = {
    "purchase_order": some(
        title=st.sampled_from((None, "seals")),
        receipt_status=st.sampled_from(({"value": "none", "source_code": None}, None)),
        lines=st.one_of(st.none(), lines, lines, lines),
    ),
    "inventory_item": some(
        name=st.sampled_from((None, "seal")),
        asset_refs=st.lists(assets.map(ref), max_size=2),
        stock_levels=st.one_of(st.none(), levels, levels, levels),
    ),
    "vendor": some(name=st.sampled_from((None, "Seals Ltd")), status=st.sampled_from(("active", "blocked"))),
    "meter": some(
        name=st.sampled_from((None, "Hours")), asset_ref=assets.map(ref), is_counter=st.sampled_from((True, None))
    ),
    "pm_plan": some(
        status=st.sampled_from(("active", "suspended")),
        next_due_at=st.sampled_from((None, "2026-04-01")),
        asset_refs=st.lists(assets.map(ref), max_size=2),
    ),
}
"""By kind: what an event of it may state."""
FULL = {
    "purchase_order": ("title", "lines"),
    "inventory_item": ("name", "stock_levels"),
    "vendor": ("name",),
    "meter": ("name", "is_counter"),
    "pm_plan": ("next_due_at",),
}
readings = some(
    meter_ref=st.sampled_from(("M-1", "M-2", None)).map(ref),
    meter_name=st.sampled_from((None, "Hours run")),
    asset_ref=assets.map(ref),
    value=numbers,
    unit=st.sampled_from(("h", "km")),
    read_at=st.sampled_from((None, "2026-03-01T12:03:00Z", "2026-03-01T12:04:00Z")),
    rollover=st.booleans(),
    is_counter=st.booleans(),
)


@st.composite
def record_events(draw: st.DrawFn, kind: str) -> Event:
    """Any event of a kind with the four verbs; some are full, some thin."""
    verb = draw(st.sampled_from(VERBS))
    whole = verb in {"created", "updated"} and draw(st.booleans())
    fields = draw(FIELDS[kind])
    doubts: tuple[dict[str, str], ...] = ()
    for name in ("lines", "stock_levels"):
        if fields.get(name) and draw(st.booleans()):
            doubts = ({"code": "unit_unknown", "path": f"$.data.{name}[0].uom", "detail": "-"},)
    return folding.event(
        f"{kind}.{verb}",
        draw(st.sampled_from(("K-1", "M-1"))),
        fields,
        at=draw(minutes),
        id_=draw(ids),
        version=draw(versions),
        full_fields=FULL[kind] if whole else None,
        warnings=doubts,
        thin=not whole and draw(st.booleans()),
    )


@st.composite
def meter_events(draw: st.DrawFn) -> Event:
    """Readings, their corrections and deletions, and resets."""
    type_ = draw(st.sampled_from((*["meter_reading.recorded"] * 3, "meter_reading.deleted", "meter.reset")))
    key = draw(st.sampled_from(("M-1", "M-2") if type_ == "meter.reset" else ("R-1", "R-2", "R-3")))
    return folding.event(type_, key, draw(readings), at=draw(minutes), id_=draw(ids), version=draw(versions))
