"""Down time by cause adds up to the down time of the figures, whatever overlaps what."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from handlers.rules.causes import Share, pooled, stops
from handlers.rules.downtime import Span
from handlers.rules.figures import figures

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hour: float) -> datetime:
    return NOON + hour * HOUR


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start, length = draw(st.integers(-20, 20)), draw(st.integers(0, 15))
    return Span(
        at(start),
        draw(st.sampled_from([at(start + length), None])),
        planned=draw(st.sampled_from([True, False, None])),
        failure=draw(st.booleans()),
        day_precision=draw(st.booleans()),
        ref=draw(st.sampled_from(["", "a", "b", "c"])),
    )


@given(st.lists(spans(), max_size=8), st.integers(-15, 15), st.integers(1, 20), st.integers(0, 25))
def test_causes_add_up_to_the_figures(held: list[Span], start: int, length: int, known: int) -> None:
    since, as_of = at(start), at(known)
    until = min(at(start + length), as_of)

    found = stops(held, since, until, as_of)

    told = figures(held, since, at(start + length), as_of)
    shares = found.shares.values()
    assert sum((each.planned for each in shares), timedelta()) == told.planned_downtime
    assert sum((each.unplanned for each in shares), timedelta()) == told.unplanned_downtime
    assert sum(each.failures for each in shares) == told.failures_effective
    assert sum((each.ended_at - each.started_at for each in found.segments), timedelta()) == told.downtime


def test_an_hour_is_the_causes_that_owned_it_and_a_failure_its_first_failing_owners() -> None:
    """Planned 12 to 16, a failure within it and past its end to 18, another from 17 to 20."""
    held = [
        Span(at(0), at(4), planned=True, failure=False, ref="plan"),
        Span(at(2), at(6), ref="seal"),
        Span(at(5), at(8), ref="motor"),
    ]

    found = stops(held, at(-12), at(12), at(12))

    assert found.shares == {
        "plan": Share(planned=4 * HOUR),
        "seal": Share(unplanned=2 * HOUR, failures=1),
        "motor": Share(unplanned=2 * HOUR),
    }


def test_an_order_that_failed_before_is_not_why_a_later_outage_counts() -> None:
    """The order's second spell runs into another stop that fails: that one made the outage count."""
    held = [
        Span(at(0), at(1), ref="order"),
        Span(at(4), at(6), ref="order"),
        Span(at(5), at(7), ref="other"),
    ]

    found = stops(held, at(-12), at(12), at(12))

    assert {ref: share.failures for ref, share in found.shares.items()} == {"order": 1, "other": 1}


def test_shares_of_one_cause_are_pooled() -> None:
    share = Share(planned=HOUR, unplanned=2 * HOUR, failures=1)

    assert pooled([("a", share), (None, share), ("a", share)]) == {
        "a": Share(planned=2 * HOUR, unplanned=4 * HOUR, failures=2),
        None: share,
    }
