"""A frame for a terminal. Pure: it gives what rich prints."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from handlers.rules.today import GROUPS
from worker.telemetry import printable
from worker.top.frame import Connected, Frame
from worker.top.spark import sparkline

NOTHING: Final = "-"
LATE_SECONDS: Final = 60.0
"""The freshness objective: what takes longer is late."""
LATE_PERIODS: Final = 3
"""After so many periods without a success a schedule is late; of one that is due every second, after ten of them."""
SHORTEST_PERIOD: Final = 10.0
MOST_CONNECTIONS: Final = 12
"""Lines of a frame; those that somebody should look at come first."""
SPARK_COLUMNS: Final = 60
TOLD: Final = {"down": "down now", "overdue": "overdue", "due": "due today", "in_progress": "in progress"}
GOOD: Final = frozenset({None, "online"})
_BAD, _WARN, _DIM = "bold red", "yellow", "dim"


def drawn(frame: Frame) -> RenderableType:
    """The whole frame."""
    return Group(*_parts(frame))


def _parts(frame: Frame) -> Iterator[RenderableType]:
    yield Text(f"maintenworks  {frame.at:%Y-%m-%d %H:%M:%S}Z", style="bold")
    for part, why in frame.away.items():
        yield Text(printable(f"{part}: {why}").replace("\n", " "), style=_BAD)
    yield _flow(frame)
    yield Text(sparkline(frame.throughput, SPARK_COLUMNS) or NOTHING, style="cyan")
    yield _today(frame)
    if frame.lanes is not None:
        yield _queues(frame)
    yield _letters(frame)
    if frame.connections:
        yield _connections(frame.connections, frame.at)
    if frame.schedules:
        yield _schedules(frame)


def _flow(frame: Frame) -> Text:
    unit = "webhooks" if frame.counted else "events"
    text = Text("accepted ")
    text.append(f"{_rate(frame.accepted)} {unit}/s", "bold").append("   committed ")
    text.append(f"{_rate(frame.committed)} events/s", "bold").append("   end to end ")
    text.append(length(frame.median), "bold").append(" median, ")
    style = _BAD if (frame.high or 0) > LATE_SECONDS else "bold"
    return text.append(length(frame.high), style).append(" 95th   retrying ").append(_number(frame.retrying), "bold")


def _today(frame: Frame) -> Text:
    if frame.today is None:
        return Text(f"today: {NOTHING}")
    text = Text("today: ")
    for at, group in enumerate(GROUPS):
        style = _BAD if group in {"down", "overdue"} and frame.today[group] else ""
        text.append(", " if at else "").append(f"{frame.today[group]:,} {TOLD[group]}", style)
    return text


def _queues(frame: Frame) -> Table:
    table = _table("queue", numbers=("ready", "in flight", "oldest"))
    for lane in frame.lanes or ():
        age = None if lane.oldest_age is None else lane.oldest_age.total_seconds()
        style = _BAD if (age or 0) > LATE_SECONDS else ""
        table.add_row(lane.lane, f"{lane.ready:,}", f"{lane.in_flight:,}", Text(length(age), style))
    return table


def _letters(frame: Frame) -> Text:
    if frame.letters is None:
        return Text(f"dead letters: {NOTHING}")
    if not frame.letters:
        return Text("dead letters: none open", style=_DIM)
    most = sorted(frame.letters.items(), key=lambda each: (-each[1], each[0]))
    named = ", ".join(f"{printable(code)} {count:,}" for code, count in most)
    return Text(f"dead letters: {sum(frame.letters.values()):,} open: {named}", style=_BAD)


def _connections(connections: Sequence[Connected], now: datetime) -> RenderableType:
    table = _table("connection", "state", "health", numbers=("last event",))
    shown = sorted(connections, key=lambda each: not _is_unwell(each))[:MOST_CONNECTIONS]
    for each in shown:
        ago = None if each.last_at is None else (now - each.last_at).total_seconds()
        last = Text(NOTHING if ago is None else f"{length(ago)} ago", _BAD if each.is_silent else "")
        if each.is_silent:
            last.append(", silent")
        health = Text(printable(each.health or NOTHING), "" if each.health in GOOD else _BAD)
        table.add_row(Text(printable(each.id)), Text(each.state, "" if each.state == "active" else _WARN), health, last)
    left = len(connections) - len(shown)
    return Group(table, Text(f"and {left:,} more connections", style=_DIM)) if left else table


def _is_unwell(each: Connected) -> bool:
    return each.is_silent or each.health not in GOOD or each.state != "active"


def _schedules(frame: Frame) -> Table:
    table = _table("schedule", numbers=("every", "last success", "errors"))
    for each in frame.schedules or ():
        ago = None if not each.last else frame.at.timestamp() - each.last
        late = ago is None or ago > LATE_PERIODS * max(each.period, SHORTEST_PERIOD)
        last = Text(NOTHING if ago is None else f"{length(max(0.0, ago))} ago", _WARN if late else "")
        table.add_row(each.name, length(each.period), last, f"{each.errors:,}")
    return table


def _table(*texts: str, numbers: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _rate(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.1f}"


def _number(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def length(seconds: float | None) -> str:
    """A length of time in its greatest unit: `12 ms`, `3.4 s`, `5 min`, `2 h`, `3 d`."""
    if seconds is None:
        return NOTHING
    for unit, size, limit in (("ms", 0.001, 1.0), ("s", 1.0, 120.0), ("min", 60.0, 7_200.0), ("h", 3_600.0, 172_800.0)):
        if seconds < limit:
            places = 1 if unit == "s" and seconds < 10 else 0  # noqa: PLR2004  # one digit, and one behind the point
            return f"{seconds / size:.{places}f} {unit}"
    return f"{seconds / 86_400:,.0f} d"
