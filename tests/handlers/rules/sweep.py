"""An independent oracle for the downtime algebra: one look at every second, and outages as a graph of spans.

It shares no code with the rules and knows no sorting: an instant's owner is the best of all that hold it, and spans
hang together by the definition of overlapping and touching, closed by brute force.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st

from handlers.rules.downtime import Span

START = datetime(2026, 3, 1, tzinfo=UTC)
LAST = 16
"""Times are drawn from 0 to this many seconds: small, so that starts and ends often meet."""
TIMES = st.integers(0, LAST)

untimed = settings(deadline=None)
"""How long an example takes says something of the machine alone."""


def at(seconds: int) -> datetime:
    """A small number of seconds as a time."""
    return START + timedelta(seconds=seconds)


def span_lists(max_size: int = 7) -> st.SearchStrategy[list[Span]]:
    """Possible and impossible spans, exact and dated, alone and as spells of one record."""
    times = TIMES.map(at)
    return st.lists(
        st.builds(
            Span,
            started_at=st.one_of(times, times, times, st.none()),
            ended_at=st.one_of(times, times, times, st.none()),
            planned=st.sampled_from((False, True, None)),
            failure=st.booleans(),
            day_precision=st.sampled_from((False, False, True)),
            ref=st.sampled_from(("", "", "A", "B")),
        ),
        max_size=max_size,
    )


@dataclass(frozen=True)
class Cut:
    """A possible span in whole seconds, cut at the horizon."""

    start: int
    end: int
    span: Span

    @property
    def rank(self) -> tuple[int, bool, bool, int, str]:
        """Lower wins an instant that both hold."""
        return (self.start, self.span.planned is True, not self.span.failure, -self.end, self.span.ref)

    def instants(self) -> set[int]:
        """The seconds it holds; of zero length, the one at which it stands."""
        return set(range(self.start, self.end)) or {self.start}


@dataclass(frozen=True)
class Swept:
    """What the sweep found in a window."""

    planned_s: int
    unplanned_s: int
    reported: int
    effective: int


def sweep(spans: Sequence[Span], since: int, until: int, horizon: int) -> Swept:
    """Looks at every second of the window, and at every pair of spans."""
    cuts = _cuts(spans, horizon)
    owners = [_owner(second, cuts) for second in range(since, min(until, horizon))]
    failing = [cut for cut in cuts if cut.span.failure]
    names = {cut.span.ref for cut in failing if cut.span.ref}
    firsts = [min(cut.start for cut in failing if cut.span.ref == name) for name in names]
    starts = firsts + [cut.start for cut in failing if not cut.span.ref]
    return Swept(
        planned_s=sum(owner is not None and owner.span.planned is True for owner in owners),
        unplanned_s=sum(owner is not None and owner.span.planned is not True for owner in owners),
        reported=sum(since <= start < until for start in starts),
        effective=sum(since <= start < until for start in _effective_starts(cuts)),
    )


def down_seconds(spans: Sequence[Span], horizon: int) -> set[int]:
    """Every second that any possible span holds."""
    return {second for cut in _cuts(spans, horizon) for second in range(cut.start, cut.end)}


def _seconds(time: datetime) -> int:
    return round((time - START).total_seconds())


def _cuts(spans: Sequence[Span], horizon: int) -> list[Cut]:
    cuts = []
    for span in spans:
        if span.started_at is None:
            continue
        start = _seconds(span.started_at)
        end = horizon if span.ended_at is None else _seconds(span.ended_at)
        if start < horizon and (span.ended_at is None or start <= end):
            cuts.append(Cut(start, min(end, horizon), span))
    return cuts


def _owner(second: int, cuts: Sequence[Cut]) -> Cut | None:
    return min((cut for cut in cuts if cut.start <= second < cut.end), key=lambda cut: cut.rank, default=None)


def _owns_something(cut: Cut, cuts: Sequence[Cut]) -> bool:
    if cut.start == cut.end:
        return not any(cut.start in other.instants() and other.rank < cut.rank for other in cuts)
    owners = [_owner(second, cuts) for second in range(cut.start, cut.end)]
    return any(owner is not None and owner.rank == cut.rank for owner in owners)


def _meet(one: Cut, other: Cut) -> bool:
    if one.instants() & other.instants():
        return True
    exact = not one.span.day_precision and not other.span.day_precision
    return exact and (one.end == other.start or other.end == one.start)


def _unions(cuts: Sequence[Cut]) -> list[list[Cut]]:
    left = list(cuts)
    unions = []
    while left:
        union = [left.pop()]
        while near := [cut for cut in left if any(_meet(cut, member) for member in union)]:
            union += near
            left = [cut for cut in left if not any(cut is taken for taken in near)]
        unions.append(union)
    return sorted(unions, key=lambda union: (min(cut.start for cut in union), max(cut.end for cut in union)))


def _effective_starts(cuts: Sequence[Cut]) -> list[int]:
    """Starts of the unions in which a failure owns something that did not own anything in an earlier union."""
    starts = []
    seen: set[str] = set()
    for union in _unions(cuts):
        refs = [cut.span.ref for cut in union if cut.span.failure and _owns_something(cut, cuts)]
        if any(ref == "" or ref not in seen for ref in refs):
            starts.append(min(cut.start for cut in union))
        seen.update(refs)
    return starts
