"""What the machine of letters draws: events of every fate, bodies that hold them, and when processes die."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from hypothesis import strategies as st

from handlers.events import WHOLE_BODY
from tests.worker.machine import FAILS, KILLS, SHAKES, START, Fuse
from tests.worker.machine_checks import Sent

MOST_FAILURES = 30
FATES = ["good", "good", "good", "zoneless", "zoneless", "zoneless", "never", "early", "foreign", "failing", "killing"]

times_failing = st.sampled_from([1, 2, 11, 12, 13, MOST_FAILURES])
fuses = st.none() | st.builds(Fuse, st.integers(1, 4), st.sampled_from(["before", "after", "away"]))
pauses = st.sampled_from([timedelta(seconds=1), timedelta(seconds=61), timedelta(minutes=10), timedelta(hours=2)])


@st.composite
def elements(draw: st.DrawFn) -> Mapping[str, Any]:
    """An event of some fate."""
    data: dict[str, Any] = {"key": draw(st.sampled_from(["WO-1", "WO-2"])), "asset_down": draw(st.booleans())}
    data["status"] = draw(st.sampled_from(["approved", "in_progress", "completed"]))
    minute = draw(st.integers(0, 59))
    at = f"2026-03-01T08:{minute:02d}:00"
    fate = draw(st.sampled_from(FATES))
    if fate == "early":
        at = (START + timedelta(minutes=draw(st.integers(1, 300)))).isoformat()[:19]
    elif fate == "failing":
        data["title"] = f"{FAILS}{draw(times_failing)}:{draw(st.integers(0, 2))}"
    elif fate == "killing":
        data["title"] = f"{KILLS}{draw(st.integers(1, 5))}:{draw(st.integers(0, 2))}"
    zone = {"zoneless": "", "never": " o'clock"}.get(fate, "Z")
    type_ = "foreign.thing" if fate == "foreign" else "work_order.updated"
    event = {"type": type_, "occurred_at": f"{at}{zone}", "data": data}
    return event | draw(st.sampled_from([{}, {"id": "e-1"}, {"id": "e-2"}]))


def _failing(number: int, key: str) -> Mapping[str, Any]:
    """One of several that all have a letter in the end."""
    data = {"key": key, "title": f"{FAILS}{MOST_FAILURES}:{number}"}
    return {"type": "work_order.updated", "occurred_at": "2026-03-01T08:00:00Z", "data": data}


bodies = st.one_of(
    elements(),
    elements(),
    st.lists(elements(), min_size=1, max_size=4),
    st.lists(elements(), min_size=2, max_size=3, unique_by=str).map(lambda several: [*several, several[0]]),
    st.tuples(elements(), times_failing, st.integers(0, 2)).map(
        lambda drawn: [drawn[0], {**drawn[0], "shaken_by": f"{SHAKES}{drawn[1]}:{drawn[2]}"}]
    ),
    st.lists(st.sampled_from(["WO-1", "WO-2"]), min_size=2, max_size=3).map(
        lambda keys: [_failing(number, key) for number, key in enumerate(keys)]
    ),
    st.sampled_from([b"rubbish", b"[]", b"17", b"\xff"]),
)


def is_sound(sent: Sent, index: int) -> bool:
    """Whether a part is read in the end, as every cause but itself is mended."""
    if index == WHOLE_BODY:
        return sent.delivery.body == b"[]"
    return orjson.loads(sent.elements[index])["occurred_at"][-1:] not in {"k", "r"}
