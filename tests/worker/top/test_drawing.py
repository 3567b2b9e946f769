"""What `top` draws: every part of a frame, whatever of it could not be read, and nothing that a terminal obeys."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from rich.console import Console

from worker.console.counts import Schedule
from worker.queue import LaneState
from worker.top.drawing import MOST_CONNECTIONS, drawn, length
from worker.top.frame import Connected, Frame
from worker.top.spark import sparkline

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
FRAME = Frame(
    at=NOW,
    counted=True,
    accepted=1234.5,
    committed=1200.0,
    median=0.012,
    high=75.0,
    throughput=[0, 600, None, 1200],
    lanes=[LaneState("live", 40, 2, timedelta(seconds=3.4)), LaneState("heavy", 0, 0, None)],
    retrying=7,
    letters={"missing_field": 3, "wrong_type": 12},
    connections=[
        Connected(id="fine", state="active", health="online", last_at=NOW - timedelta(seconds=2), is_silent=False),
        Connected(id="shut", state="active", health="auth_required", last_at=None, is_silent=False),
        Connected(id="mute", state="active", health=None, last_at=NOW - timedelta(hours=5), is_silent=True),
    ],
    schedules=[Schedule("due_rows", NOW.timestamp() - 1, 1.0, 0), Schedule("canary", 0, 60.0, 4)],
    today={"down": 2, "overdue": 1, "due": 5, "in_progress": 3},
    away={},
)


@dataclass
class _Shown:
    lines: list[str]

    def line(self, *words: str) -> str:
        """The one line that has all of these words."""
        (found,) = [each for each in self.lines if all(word in each for word in words)]
        return found


def _shown(**changed: Any) -> _Shown:
    out = io.StringIO()
    Console(file=out, width=120, highlight=False).print(drawn(msgspec.structs.replace(FRAME, **changed)))
    return _Shown(out.getvalue().splitlines())


def test_a_frame_shows_everything() -> None:
    shown = _shown()
    assert shown.line("accepted").split("   ") == [
        "accepted 1,234.5 webhooks/s",
        "committed 1,200.0 events/s",
        "end to end 12 ms median, 75 s 95th",
        "retrying 7",
    ]
    assert "▁▅ █" in [line.rstrip() for line in shown.lines]
    assert shown.line("today:") == "today: 2 down now, 1 overdue, 5 due today, 3 in progress"
    assert shown.line("live").split() == ["live", "40", "2", "3.4", "s"]
    assert shown.line("dead letters") == "dead letters: 15 open: wrong_type 12, missing_field 3"
    assert shown.line("mute").split() == ["mute", "active", "-", "5", "h", "ago,", "silent"]
    assert shown.line("canary").split() == ["canary", "60", "s", "-", "4"]


def test_what_could_not_be_read_is_said_and_the_rest_is_shown() -> None:
    nothing = dict.fromkeys(("accepted", "committed", "median", "high", "lanes", "retrying", "letters", "today"))
    shown = _shown(**nothing, connections=None, schedules=None, throughput=[], away={"database": "it is\x1b[2J\naway"})
    assert shown.line("database") == "database: it is\\x1b[2J away"
    assert shown.line("accepted").startswith("accepted - webhooks/s   committed - events/s")
    assert shown.line("dead letters") == "dead letters: -"


def test_of_many_connections_those_that_need_somebody_come_first() -> None:
    fine = [msgspec.structs.replace(FRAME.connections[0], id=f"fine-{at}") for at in range(40)]  # type: ignore[index]  # it has some
    shown = _shown(connections=[*fine, FRAME.connections[1]])  # type: ignore[index]  # likewise
    listed = [line.split()[0] for line in shown.lines if line.startswith(("fine", "shut"))]
    assert listed == ["shut", *(f"fine-{at}" for at in range(MOST_CONNECTIONS - 1))]
    assert shown.line("more connections") == "and 29 more connections"


def test_a_frame_as_json_has_the_same_members_whatever_is_away() -> None:
    whole = FRAME.row()
    bare = msgspec.structs.replace(FRAME, lanes=None, letters=None, connections=None, schedules=None, today=None).row()
    assert whole.keys() == bare.keys()
    assert whole["queues"][0] == {"queue": "live", "ready": 40, "in_flight": 2, "oldest_age_s": 3.4}
    assert whole["schedules"][1]["last_success_timestamp"] is None


@pytest.mark.parametrize(
    ("values", "width", "drawn_"),
    [([], 10, ""), ([0, 0], 10, "▁▁"), ([1, 0.001, 8], 2, "▂█"), ([None, 4], 10, " █"), ([3, 3, 3], 0, "")],
)
def test_a_sparkline_shows_the_newest_values_against_their_greatest(
    values: list[float | None], width: int, drawn_: str
) -> None:
    assert sparkline(values, width) == drawn_


def test_lengths_have_the_unit_that_fits() -> None:
    assert [length(each) for each in (None, 0.0123, 3.44, 75, 300, 9_000, 200_000)] == [
        "-",
        "12 ms",
        "3.4 s",
        "75 s",
        "5 min",
        "2 h",
        "2 d",
    ]
