"""The downtime algebra of one asset: from reported spans to who owns which instant, and to effective outages.

The rules are ours, after GADS' rule for deratings extended to stops (`reference/kpi.md` 3.3), all times half-open:

1. A span is *impossible* when it ends before it starts, or ends without a start: left out, and told by `anomaly`.
2. Spans are cut at the horizon; one that starts at or after it is not seen; an open one ends there.
3. Every instant has one owner: of the spans that hold it the one that started first, until its end. On equal start
   unplanned wins; then a failure over none, the longer over the shorter, the lower `ref`.
4. An *outage* is a maximal union of spans that overlap (share an instant) or touch (one ends where the other starts),
   whatever their class; the hours inside stay with the class of their owner. Two spans touch only if both are exact:
   midnights made from plain dates meet by construction, not by observation.
5. A zero-length span holds the one instant at which it stands: 0 h, but an event.
6. A failure *owns* something if it owns a stretch of time or, of zero length, if no earlier owner holds its instant.
   An outage is *effective*, and counts as one failure, if some failure owns something in it and did not already make
   an earlier outage effective (a reopened order fails once). So a failure wholly inside planned work (or inside any
   stop that is none) is reported and not effective; one that runs past it, or touches it, is effective once.
7. An effective failure falls where its whole outage starts, even where planned work began it; a reported failure
   where its own first span starts.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec


class Span(msgspec.Struct, frozen=True):
    """One reported stretch of down time of one asset; void ones are never made.

    Attributes:
        started_at: when it began (UTC); None where nobody said.
        ended_at: when it ended (UTC, itself excluded); None while it lasts.
        planned: None is unknown, counted as unplanned; the segments it owns say so.
        failure: it is a failure event (its default already decided).
        day_precision: its times are midnights made from plain dates.
        ref: whose it is. Spans of one non-empty ref are spells of one record and at most one failure.
    """

    started_at: datetime | None
    ended_at: datetime | None
    planned: bool | None = False
    failure: bool = True
    day_precision: bool = False
    ref: str = ""


class Segment(msgspec.Struct, frozen=True):
    """A stretch of the timeline with one owner; segments never overlap.

    Attributes:
        started_at: from here (UTC).
        ended_at: to here, itself excluded; equal to the start for an event of 0 h.
        planned: the owner's class; None is unknown and counts as unplanned.
        failure: whether the owner is a failure.
        ref: the owner's.
        open: the horizon ended it, not its owner's own end.
    """

    started_at: datetime
    ended_at: datetime
    planned: bool | None
    failure: bool
    ref: str
    open: bool


class Outage(msgspec.Struct, frozen=True):
    """A maximal union of overlapping or touching spans.

    Attributes:
        started_at: its first instant (UTC).
        ended_at: its end, itself excluded.
        effective: it counts as one failure, where it starts.
        segments: who owned it, oldest first.
    """

    started_at: datetime
    ended_at: datetime
    effective: bool
    segments: tuple[Segment, ...]


class _Cut(msgspec.Struct, frozen=True):
    start: datetime
    end: datetime
    span: Span
    open: bool


class _Union(msgspec.Struct):
    """An outage as it grows: `exact_end` says that a span without day precision ends at its end."""

    start: datetime
    end: datetime
    exact_end: bool
    segments: list[Segment]


def timeline(spans: Iterable[Span], horizon: datetime) -> list[Segment]:
    """Who owned which stretch of an asset's down time, oldest first.

    Args:
        spans: the asset's, in any order.
        horizon: where knowledge ends: the earlier of as-of and decommissioning.
    """
    return [segment for outage in outages(spans, horizon) for segment in outage.segments]


def outages(spans: Iterable[Span], horizon: datetime) -> list[Outage]:
    """The outages of an asset, oldest first, each with its owners and whether it counts as a failure.

    Args:
        spans: the asset's, in any order.
        horizon: where knowledge ends: the earlier of as-of and decommissioning.
    """
    unions: list[_Union] = []
    for start, group in itertools.groupby(_cut(spans, horizon), key=_start_of):
        together = list(group)
        if not unions or not _joins(unions[-1], start, together):
            unions.append(_Union(start=start, end=start, exact_end=False, segments=[]))
        for cut in together:
            _add(unions[-1], cut)
    counted: set[str] = set()
    return [
        Outage(union.start, union.end, effective=_fails_anew(union.segments, counted), segments=tuple(union.segments))
        for union in unions
    ]


def reported_failures(spans: Iterable[Span], horizon: datetime) -> list[datetime]:
    """When each reported failure started, oldest first: one a record, however many spells it has.

    Args:
        spans: the asset's, in any order.
        horizon: failures that start at or after it are not seen.
    """
    first: dict[str, datetime] = {}
    single = []
    for cut in _seen(spans, horizon):
        ref = cut.span.ref
        if cut.span.failure and not ref:
            single.append(cut.start)
        elif cut.span.failure:
            first[ref] = min(first.get(ref, cut.start), cut.start)
    return sorted([*first.values(), *single])


def anomaly(span: Span) -> str | None:
    """Why a span is impossible: `end_before_start` or `end_without_start`; None where it is not.

    A span with neither time is no anomaly: nothing is known of it yet.
    """
    if span.ended_at is None:
        return None
    if span.started_at is None:
        return "end_without_start"
    return "end_before_start" if span.ended_at < span.started_at else None


def _cut(spans: Iterable[Span], horizon: datetime) -> list[_Cut]:
    """The possible spans that start before the horizon, cut there, in order of precedence (rule 3)."""
    return sorted(_seen(spans, horizon), key=lambda cut: _precedence(cut, horizon))


def _seen(spans: Iterable[Span], horizon: datetime) -> Iterator[_Cut]:
    for span in spans:
        if span.started_at is None or span.started_at >= horizon or anomaly(span) is not None:
            continue
        is_open = span.ended_at is None or span.ended_at > horizon
        end = horizon if span.ended_at is None else min(span.ended_at, horizon)
        yield _Cut(span.started_at, end, span, open=is_open)


def _precedence(cut: _Cut, horizon: datetime) -> tuple[datetime, bool, bool, timedelta, str, bool, bool]:
    """Lower owns. The last two decide nothing but which of two otherwise equal spans is shown as the owner."""
    span = cut.span
    remaining = horizon - cut.end
    return (cut.start, span.planned is True, not span.failure, remaining, span.ref, span.planned is None, cut.open)


def _start_of(cut: _Cut) -> datetime:
    return cut.start


def _joins(union: _Union, start: datetime, group: Sequence[_Cut]) -> bool:
    """Whether spans that all start at one instant, and so overlap each other, belong to the outage before them."""
    if start < union.end:
        return True
    return start == union.end and union.exact_end and any(not cut.span.day_precision for cut in group)


def _add(union: _Union, cut: _Cut) -> None:
    """Takes the next span in order of precedence into an outage: it owns what nobody before it holds."""
    owned_from = max(cut.start, union.end)
    held = bool(union.segments) and union.segments[-1].started_at == cut.start
    owns_its_instant = cut.start == cut.end == owned_from and not held
    if cut.end > owned_from or owns_its_instant:
        segment = Segment(owned_from, cut.end, cut.span.planned, cut.span.failure, cut.span.ref, cut.open)
        union.segments.append(segment)
    if cut.end > union.end:
        union.end, union.exact_end = cut.end, not cut.span.day_precision
    elif cut.end == union.end:
        union.exact_end = union.exact_end or not cut.span.day_precision


def _fails_anew(segments: Iterable[Segment], counted: set[str]) -> bool:
    """Whether some owner's failure is not yet in `counted`, to which all of them are added."""
    failures = [segment.ref for segment in segments if segment.failure]
    anew = any(ref == "" or ref not in counted for ref in failures)
    counted.update(failures)
    return anew
