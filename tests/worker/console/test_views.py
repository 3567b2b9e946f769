"""What pages show, made from what was read; and the console's short memory."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from handlers.errors import TransientError
from handlers.store.read_letters import Group
from handlers.store.read_pace import Pace, pace
from tests.worker.cli.plant import NOW, Plant, event
from worker.acts import new_id
from worker.console import charts, counts, links
from worker.console.counts import Counts
from worker.console.pulse import BEATS, CAUSES_EVERY, Beat, Pulse, Sources
from worker.console.rendering import ago, brief, environment, exact, seconds, statics, visible, when
from worker.console.statics import FOLDER
from worker.console.views import fields, payload, vitals
from worker.queue import LaneState
from worker.redaction import redacted


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("$.a", '"a": 1,'),
        ("$.list[1].b", '"b": 2'),
        ("$.list[1].missing", "{"),
        ("$.list[0]", '"x",'),
        ('$["odd.name"]', '"odd.name": null'),
        ("$.nowhere.at.all", "{"),
        ("$", "{"),
    ],
)
def test_the_line_that_an_error_is_about_is_marked_or_the_innermost_around_it(path: str, line: str) -> None:
    body = json.dumps({"a": 1, "list": ["x", {"b": 2}], "odd.name": None}).encode()
    (marked,) = [each.text for each in payload.lines(redacted(body), path) if each.is_at]
    assert marked.strip() == line


def test_without_a_path_no_line_is_marked() -> None:
    assert not any(each.is_at for each in payload.lines('{\n  "a": 1\n}', None))
    assert payload.lines("", "$.a") == []


def test_the_path_inside_of_an_element_has_not_its_place() -> None:
    assert payload.own_path("$[3].data.key", is_part=True) == "$.data.key"
    assert payload.own_path("$[3].data.key", is_part=False) == "$[3].data.key"


@pytest.mark.parametrize(
    "body", ['{"a":1.50,"b":"x\u202ey\\u0000","n":[]}', '{"a":1,"a":12345678901234567890}', '"\u0085"', "[1,\r\n2]"]
)
def test_a_form_gives_json_back_that_means_the_same_and_hides_nothing(body: str) -> None:
    text = payload.editable(body.encode())
    assert text is not None
    assert all(each.isprintable() or each == "\n" for each in text)
    read = {"parse_float": str, "parse_int": str, "object_pairs_hook": list}
    returned = payload.edited(text.replace("\n", "\r\n")).decode()
    assert json.loads(returned, **read) == json.loads(body, **read)  # type: ignore[arg-type]  # hooks of any kind


@pytest.mark.parametrize("body", [b"\xff\xfe", b"not json\r\n", b"not json \x00", b"x\x1b[31m", b"[" * 300_000])
def test_what_a_form_would_change_is_not_edited_in_one(body: bytes) -> None:
    assert payload.editable(body) is None


def test_what_is_no_json_and_plain_is_edited_as_it_is() -> None:
    assert payload.editable(b'{"id": 1') == '{"id": 1'


def test_fields_of_a_type_are_those_of_its_record() -> None:
    found = {each.name: each for each in fields.of_type("work_order.updated")}
    assert found["is_deleted"].type == "boolean"
    assert "Ref" in found["asset_ref"].type
    assert fields.of_type("meter.reset")[0].name == "kind"
    assert fields.of_type("meter.reset") == fields.of_type("meter_reading.recorded")
    assert fields.of_type("nobody.knows") == fields.of_type(None) == []


def test_a_line_is_drawn_with_gaps_and_says_what_it_shows() -> None:
    drawn = charts.sparkline([1, None, 2, 4], 'now <4>, "at most" 4\a')
    assert drawn.count("<polyline") == 2
    assert 'points="53.3' not in drawn.split("<polyline")[1]
    assert 'aria-label="now &lt;4&gt;, &#34;at most&#34; 4\\x07"' in drawn
    assert "style=" not in drawn
    assert re.findall(r'<polyline points="([^"]+)"', drawn)[1] == "106.7,18.0 160.0,2.0"


def test_a_line_of_nothing_is_empty_and_one_of_zeros_is_flat() -> None:
    assert "<polyline" not in charts.sparkline([], "none")
    assert "<polyline" not in charts.sparkline([None, None], "none")
    assert set(re.findall(r",([0-9.]+)", charts.sparkline([0, 0], "flat").split("polyline")[1])) == {"34.0"}


def test_a_bar_is_full_by_its_share() -> None:
    widths = [re.findall(r'width="([0-9.]+)"', charts.share_bar(share, "x", "bad"))[1] for share in (-1, 0.25, 7)]
    assert widths == ["0", "30", "120"]


@pytest.mark.parametrize(
    "given", ["//evil.example", "/\\evil.example", "https://evil.example/", "events", "", None, "/a\n"]
)
def test_nobody_is_sent_on_to_another_server(given: str | None) -> None:
    assert links.local(given) == "/"


def test_addresses_hold_ids_in_their_query_and_leave_out_what_is_none() -> None:
    assert links.local("/events?type=a") == "/events?type=a"
    assert links.event("a/../b?&#", None) == "/events/show?id=a%2F..%2Fb%3F%26%23"
    assert links.record("asset", "c", "k") == "/assets/show?connection=c&key=k"
    assert links.record("vendor", "c", "k") == "/records/show?kind=vendor&connection=c&key=k"
    assert links.record("connection", "c", "c") == "/connections/show?id=c"
    asked = {"type": "a", "cursor": "z"}
    assert links.changed("/events?type=a&cursor=z", asked, {"cursor": "y"}) == "/events?type=a&cursor=y"
    assert links.changed("/events?type=a&cursor=z", asked, {"type": None, "by": "x"}) == "/events?by=x"


def test_what_stands_on_a_page_is_escaped_and_seen() -> None:
    made = environment().from_string("{{ a }}|{{ b }}|{{ c|exact }}").render(a="<\x1b\u202e>", b=None, c="<\u202e>")
    assert made == "&lt;\\x1b\\u202e&gt;||&lt;\u202e&gt;"
    assert visible(3) == 3
    assert exact("\t<") == "\t&lt;"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ms"),
        (0.0123, "12 ms"),
        (3.21, "3.2 s"),
        (42, "42 s"),
        (60, "1 min"),
        (75, "1 min 15 s"),
        (900, "15 min"),
        (7_260, "2 h 1 min"),
        (259_200, "3.0 d"),
        (-5, "-5.0 s"),
        (None, "\N{EM DASH}"),
        (timedelta(seconds=2), "2.0 s"),
    ],
)
def test_durations_are_told_in_a_unit_or_two(value: float | timedelta | None, text: str) -> None:
    assert seconds(value) == text


def test_moments_are_told_in_utc_and_by_their_age() -> None:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert when(at) == '<time datetime="2026-03-01T09:30:00Z">2026-03-01 09:30:00</time>'
    assert when("2026-03-01T09:30:00Z") == when(at)
    assert when(None) == when("2026-03-01") == "\N{EM DASH}"
    assert [ago(at, at + timedelta(seconds=each)) for each in (0, 30, -30)] == ["just now", "30 s ago", "in 30 s"]


def test_our_own_ids_are_cut_in_their_middle_and_others_are_not() -> None:
    assert brief("0199a3c4-7d52-7a10-9c3e-5b1f0c6d2e44/3") == "0199a3c4\N{HORIZONTAL ELLIPSIS}0c6d2e44/3"
    assert brief("evt-7") == "evt-7"


def test_files_are_served_under_the_hash_of_what_they_hold() -> None:
    names = {each.name for each in FOLDER.iterdir()}
    assert {"app.css", "app.js", "icon.svg"} <= names
    for vendored in ("htmx-4.0.1", "uplot-1.6.32"):
        assert {f"{vendored}.min.js", f"{vendored}.LICENSE.txt"} <= names
    assert re.fullmatch("/static/[0-9a-f]{12}/app.css", statics().url("app.css"))


GROUP = Group("f", 1, 1, "missing_field", "m", NOW, NOW)


class Installation:
    """What a pulse reads, as a test says it."""

    def __init__(self) -> None:
        self.now = NOW
        self.counted: Counts | None = None
        self.lanes: Sequence[LaneState] | None = (LaneState("live", 3, 2, timedelta(seconds=4)),)
        self.letters: Mapping[str, int] = {"missing_field": 4}
        self.asked: list[str] = []
        self.pulse = Pulse(
            Sources(self._lanes, self._stored, lambda: self.counted, self._paced, self._causes), self._clock
        )

    def beat(self, after: float = 5) -> Beat:
        self.now += timedelta(seconds=after)
        self.pulse.beat()
        found = self.pulse.last()
        assert found is not None
        return found

    def _clock(self) -> datetime:
        return self.now

    def _lanes(self) -> Sequence[LaneState]:
        if self.lanes is None:
            raise TransientError("broker_unavailable", "away")
        return self.lanes

    def _stored(self) -> tuple[int, Mapping[str, int]]:
        return 7, self.letters

    def _paced(self, since: datetime, until: datetime) -> Pace:
        self.asked.append("pace")
        assert until - since == timedelta(seconds=5)
        return Pace(2.0, 3.0, [0.1, 0.2, 9.0])

    def _causes(self) -> Sequence[Group]:
        self.asked.append("causes")
        return [GROUP]


def told(accepted: float, lags: tuple[tuple[float, float], ...] = ()) -> Counts:
    return Counts(accepted, accepted / 10, accepted * 2, accepted / 5, lags, ())


def test_a_beat_is_the_difference_of_what_was_counted_by_the_seconds_between() -> None:
    house = Installation()
    house.counted = told(100, ((0.1, 10), (1.0, 10), (float("inf"), 10)))
    first = house.beat()
    assert (first.accepted, first.high) == (None, None)
    house.counted = told(150, ((0.1, 30), (1.0, 50), (float("inf"), 50)))
    beat = house.beat()
    assert (beat.accepted, beat.refused, beat.processed, beat.buried) == (10, 1, 20, 2)
    assert beat.median == pytest.approx(0.1)
    assert beat.high == pytest.approx(0.91)
    assert (beat.oldest, beat.waiting, beat.retrying, beat.open) == (4, 5, 7, 4)
    house.counted = told(20)
    assert house.beat().accepted is None  # a process began anew


def test_where_no_counters_are_shared_the_database_tells_the_pace() -> None:
    house = Installation()
    assert house.beat().accepted is None
    beat = house.beat()
    assert (beat.accepted, beat.processed, beat.refused, beat.median, beat.high) == (2, 3, None, 0.2, 9)


def test_what_is_away_is_left_out_of_a_beat() -> None:
    house = Installation()
    house.lanes = None
    beat = house.beat()
    assert (beat.lanes, beat.oldest, beat.waiting, beat.open) == (None, None, None, 4)


def test_causes_are_read_seldom_and_not_at_all_while_none_is_open() -> None:
    house = Installation()
    for _ in range(2 * CAUSES_EVERY):
        assert list(house.beat().causes or ()) == [GROUP]
    assert house.asked.count("causes") in {2, 3}
    house.letters = {}
    assert house.beat().causes == ()


def test_half_an_hour_is_remembered() -> None:
    house = Installation()
    for _ in range(BEATS + 3):
        house.beat()
    assert len(house.pulse.beats()) == BEATS
    shown = vitals.vitals(house.pulse.beats())
    assert {each.title: each.figure for each in shown}["Open dead letters"] == "4"
    assert all(len(each.values) == vitals.SHOWN for each in shown)
    assert "the last 15 minutes: now 3.0/s, at most 3.0/s" in shown[1].label
    assert not vitals.is_stale(house.pulse.beats(), house.now)
    assert vitals.is_stale(house.pulse.beats(), house.now + timedelta(minutes=1))
    assert vitals.vitals([])[0].figure == "\N{EM DASH}"


def test_the_pulse_beats_at_once_and_stops() -> None:
    house = Installation()
    with house.pulse.beating():
        while not house.pulse.beats():
            pass
    assert house.pulse.beats()[0].retrying == 7


def test_counts_are_summed_over_connections_types_and_processes() -> None:
    registry = CollectorRegistry()
    received = Counter("maintenworks_webhooks_received", "", ["connection", "outcome"], registry=registry)
    ended = Counter("maintenworks_events_processed", "", ["connection", "type", "outcome"], registry=registry)
    lag = Histogram("maintenworks_event_end_to_end_seconds", "", buckets=(0.1, 1), registry=registry)
    last = Gauge("maintenworks_schedule_last_success_timestamp_seconds", "", ["schedule"], registry=registry)
    period = Gauge("maintenworks_schedule_period_seconds", "", ["schedule"], registry=registry)
    for connection in ("a", "b"):
        received.labels(connection, "accepted").inc(3)
        received.labels(connection, "wrong_signature").inc()
        ended.labels(connection, "x", "applied").inc(2)
        ended.labels(connection, "other", "dead_letter").inc()
    lag.observe(0.5)
    last.labels("due_rows").set(9)
    period.labels("due_rows").set(1)
    found = counts.added_up(registry.collect())
    assert found[:4] == (6, 2, 4, 2)
    assert found.lags == [(0.1, 0), (1.0, 1), (float("inf"), 1)]
    assert found.schedules == [("due_rows", 9, 1, 0)]
    assert counts.shared() is None
    assert counts.own().lags
    assert counts.quantile(0.5, found, found) is None


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    found = Plant(tmp_path, f"sqlite:///{tmp_path / 'm.db'}")
    yield found
    found.database.close()


def test_the_database_tells_what_came_and_ended_just_now(plant: Plant) -> None:
    """Deliveries with ids as receivers give them; those of a minute before are not counted as having come."""
    ids = [new_id(NOW - timedelta(seconds=30)), *(new_id(NOW) for _ in range(4))]
    plant._ids = (each for each in ids)
    plant.send(*(event("asset.created", f"A-{n}", "08:00") for n in range(5)))
    found = pace(plant.database, NOW - timedelta(seconds=5), NOW + timedelta(seconds=5))
    assert (found.came, found.ended, found.lags) == (0.5, 0.5, [0.0] * 5)
    assert pace(plant.database, NOW + timedelta(minutes=5), NOW + timedelta(minutes=6)).lags == []
