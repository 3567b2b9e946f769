"""The overview's figures, each with its last quarter of an hour as a line. Pure."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from worker.console.pulse import EVERY_SECONDS, Beat
from worker.console.rendering import NOTHING, number, seconds

SHOWN: Final = 180
"""Beats of a sparkline: a quarter of an hour."""
LATE_SECONDS: Final = 60.0
"""The freshness objective: what takes longer is late."""
STALE_SECONDS: Final = 30.0
"""Without a beat for so long the figures are old."""

Value = float | None


class Vital(NamedTuple):
    """One figure.

    Attributes:
        title: for people.
        figure: the newest value.
        note: what stands below it.
        class_: `warn` or `bad` where somebody should look, else empty.
        values: the last ones, the oldest first.
        href: where more of it is; None for nowhere.
        label: what its line shows, for those who cannot see it.
    """

    title: str
    figure: str
    note: str
    class_: str
    values: Sequence[Value]
    href: str | None
    label: str


def vitals(beats: Sequence[Beat]) -> list[Vital]:
    """The figures, as of the newest beat."""
    last = beats[-1] if beats else Beat(datetime.now(UTC))
    oldest, letters, retrying = last.oldest or 0, last.open or 0, last.retrying or 0
    return [
        _vital(beats, "Accepted", lambda beat: beat.accepted, _a_second, "webhooks a second"),
        _vital(beats, "Worked on", lambda beat: beat.processed, _a_second, "events a second"),
        _vital(
            beats,
            "End to end",
            lambda beat: beat.high,
            seconds,
            "none came just now" if last.high is None else f"p95; median {seconds(last.median)}",
            class_=_class(last.high or 0, LATE_SECONDS),
        ),
        _vital(
            beats,
            "Oldest in a queue",
            lambda beat: beat.oldest,
            seconds,
            f"{number(last.waiting)} messages in all",
            class_=_class(oldest, LATE_SECONDS),
        ),
        _vital(
            beats,
            "Retrying",
            lambda beat: beat.retrying,
            number,
            "events wait for it",
            class_="warn" if retrying else "",
        ),
        _vital(
            beats,
            "Open dead letters",
            lambda beat: beat.open,
            number,
            _kinds(len(last.letters)) if last.letters else "nothing waits for you",
            class_="bad" if letters else "",
            href="/dead-letters",
        ),
        _vital(
            beats,
            "Refused",
            lambda beat: beat.refused,
            _a_second,
            "requests a second",
            href="/connections",
        ),
    ]


def series(beats: Sequence[Beat], *values: Callable[[Beat], Value]) -> list[tuple[int, str, list[Value]]]:
    """Rows of a series: the moment in seconds, as text, and values."""
    return [
        (
            int(beat.at.timestamp()),
            f"{beat.at:%H:%M:%S}",
            [None if (got := read(beat)) is None else round(got, 3) for read in values],
        )
        for beat in beats
    ]


def throughput(beats: Sequence[Beat]) -> list[tuple[int, str, list[Value]]]:
    """What was accepted and what was worked on."""
    return series(beats, lambda beat: beat.accepted, lambda beat: beat.processed)


def lag(beats: Sequence[Beat]) -> list[tuple[int, str, list[Value]]]:
    """How long events took, and how long the oldest message has waited."""
    return series(beats, lambda beat: beat.median, lambda beat: beat.high, lambda beat: beat.oldest)


def is_stale(beats: Sequence[Beat], now: datetime) -> bool:
    """Whether the newest beat is so old that something is wrong with the console itself."""
    return bool(beats) and (now - beats[-1].at).total_seconds() > STALE_SECONDS


def _vital(
    beats: Sequence[Beat],
    title: str,
    read: Callable[[Beat], Value],
    told: Callable[[Value], str],
    note: str,
    *,
    class_: str = "",
    href: str | None = None,
) -> Vital:
    values = [read(beat) for beat in beats[-SHOWN:]]
    known = [each for each in values if each is not None]
    newest = values[-1] if values else None
    minutes = len(values) * EVERY_SECONDS / 60
    label = f"{title}, the last {minutes:.0f} minutes: now {told(newest)}, at most {told(max(known, default=None))}"
    return Vital(title, told(newest), note, class_, values, href, label)


def _kinds(count: int) -> str:
    return f"of {count} kinds of error" if count > 1 else "of one kind of error"


def _a_second(value: Value) -> str:
    if value is None:
        return NOTHING
    return f"{value:,.1f}/s" if value < 100 else f"{value:,.0f}/s"  # noqa: PLR2004  # digits shown


def _class(value: float, late: float) -> str:
    return "bad" if value > late else "warn" if value > late / 4 else ""
