"""What pages show, made from what was read; and the console's short memory."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from worker.console import charts, links
from worker.console.rendering import ago, brief, environment, exact, heading, seconds, statics, visible, when, words
from worker.console.statics import FOLDER
from worker.console.views import fields, payload
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
    "body",
    [
        r'{"\u00fc\u00DF":"\\u00fc \\\u00fc \u0022 \u005c \ud83d\ude00 \u202e"}',
        '{"a":1.50,"b":"x\u202ey\\u0000","n":[]}',
        '{"a":1,"a":12345678901234567890}',
        '"\u0085"',
        "[1,\r\n2]",
    ],
)
def test_a_form_gives_json_back_that_means_the_same_and_hides_nothing(body: str) -> None:
    text = payload.editable(body.encode())
    assert text is not None
    assert all(each.isprintable() or each == "\n" for each in text)
    read = {"parse_float": str, "parse_int": str, "object_pairs_hook": list}
    returned = payload.edited(text.replace("\n", "\r\n")).decode()
    assert json.loads(returned, **read) == json.loads(body, **read)  # type: ignore[arg-type]  # hooks of any kind


def test_what_can_be_seen_is_edited_as_it_is_read() -> None:
    assert payload.editable(rb'{"t":"Riemen pr\u00fcfen"}') == '{\n  "t": "Riemen prüfen"\n}'


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
        (0, "0 s"),
        (0.0123, "12 ms"),
        (3.21, "3.2 s"),
        (42, "42 s"),
        (60, "1 min"),
        (75, "1 min 15 s"),
        (900, "15 min"),
        (7_260, "2 h 1 min"),
        (93_600, "1 d 2 h"),
        (2_592_000, "30 d"),
        (-5, "-5 s"),
        (None, "\N{EM DASH}"),
        (timedelta(seconds=2), "2 s"),
    ],
)
def test_durations_are_told_in_a_unit_or_two(value: float | timedelta | None, text: str) -> None:
    assert seconds(value) == text


def test_moments_are_told_in_utc_and_by_their_age() -> None:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert when(at) == '<time datetime="2026-03-01T09:30:00Z">2026-03-01 09:30:00</time>'
    assert when("2026-03-01T09:30:00Z") == when(at)
    assert when(None) == when("2026-03-01") == "\N{EM DASH}"
    ages = {0: "just now", 30.7: "30 s ago", -30: "in 30 s", 155: "2 min ago", 3_725: "1 h 2 min ago"}
    assert {each: ago(at, at + timedelta(seconds=each)) for each in ages} == ages


def test_slugs_are_told_in_words_and_the_names_of_fields_as_headings() -> None:
    assert [words(each) for each in ("missing_field", "malformed_json", "pm_plan", None)] == [
        "missing field",
        "malformed JSON",
        "PM plan",
        "",
    ]
    names = ("asset_ref", "asset_refs", "due_at", "pm_plan_ref", "")
    assert [heading(each) for each in names] == ["Asset", "Assets", "Due at", "PM plan", ""]


def test_our_own_ids_are_cut_in_their_middle_and_others_are_not() -> None:
    assert brief("0199a3c4-7d52-7a10-9c3e-5b1f0c6d2e44/3") == "0199a3c4\N{HORIZONTAL ELLIPSIS}0c6d2e44/3"
    assert brief("evt-7") == "evt-7"


def test_files_are_served_under_the_hash_of_what_they_hold() -> None:
    names = {each.name for each in FOLDER.iterdir()}
    assert {"app.css", "app.js", "icon.svg"} <= names
    for vendored in ("htmx-4.0.1", "uplot-1.6.32"):
        assert {f"{vendored}.min.js", f"{vendored}.LICENSE.txt"} <= names
    assert re.fullmatch("/static/[0-9a-f]{12}/app.css", statics().url("app.css"))
