"""The strip shows every stop, and tells what nobody knows from what was up."""

from datetime import UTC, datetime, timedelta

from handlers.rules.downtime import Segment
from handlers.rules.reliability import Reliability
from handlers.rules.reporting import AssetSums
from handlers.store.read_report import Told
from worker.report.strips import NOT_REQUIRED, PLANNED, UNKNOWN, UNPLANNED, UP, cells

START = datetime(2026, 3, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def told(
    *stops: tuple[float, float, bool | None],
    known: tuple[float, float] | None = (0, 10),
    required: tuple[float, float] = (0, 10),
) -> Told:
    """An asset in a period of ten days."""
    return Told(
        sums=AssetSums(
            connection="c",
            key="a",
            customer="c",
            zone="UTC",
            since=day(0),
            until=day(10),
            told=Reliability(),
            observed_from=None if known is None else day(known[0]),
            data_as_of=None if known is None else day(known[1]),
        ),
        parts=(),
        segments=tuple(Segment(day(start), day(end), planned, True, "", False) for start, end, planned in stops),
        required=(day(required[0]), day(required[1])),
    )


def drawn(asset: Told) -> str:
    letters = {UP: "u", UNKNOWN: "?", PLANNED: "p", UNPLANNED: "x", NOT_REQUIRED: "."}
    return "".join(letters[each] for each in cells(asset, 10))


def test_each_cell_is_what_happened_in_it() -> None:
    assert drawn(told((2, 4, True), (6, 7, False))) == "uuppuuxuuu"


def test_a_stop_of_a_second_is_seen_and_an_unplanned_one_covers_a_planned_one() -> None:
    assert drawn(told((2.5, 2.50001, False), (2, 4, True), (9.9, 10, None))) == "uuxpuuuuux"


def test_silence_is_not_told_as_up_and_a_stop_told_later_is_a_stop() -> None:
    assert drawn(told((1, 2, False), known=(3, 7.5))) == "?x?uuuu???"
    assert drawn(told(known=None)) == "?" * 10
    assert drawn(told(known=(-50, -20))) == "?" * 10


def test_what_was_not_required_is_nothing() -> None:
    assert drawn(told((4, 5, True), required=(3, 8))) == "...upuuu.."
    assert drawn(told(required=(10, 10))) == "." * 10
    assert drawn(told(required=(2.5, 10))) == "..uuuuuuuu"
