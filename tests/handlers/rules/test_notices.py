"""When people are told: once, together, within a budget; and of the end of what they know of."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.rules.notices import HOUR, Finding, Key, Message, Notice, Policy, decide, of_kinds

START = datetime(2026, 3, 1, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
POLICY = Policy()
STEP = timedelta(seconds=20)
SUBJECTS = ("a", "b", "c", "d")


def _found(*subjects: str, seen_at: datetime | None = None) -> list[Finding]:
    return [
        Finding(kind="dead_letters" if seen_at else "silent", subject=each, since=START, seen_at=seen_at)
        for each in subjects
    ]


class _Told:
    """Somebody who looks, and remembers what was told when."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.now = START
        self.known: list[Notice] = []
        self.messages: list[tuple[datetime, Message]] = []

    def look(self, *found: Finding, after: timedelta = STEP) -> Message | None:
        self.now += after
        made = [at for at, _ in self.messages]
        remembered, message = decide(self.known, found, made, self.policy, self.now)
        self.known = list(remembered.values())
        if message is not None:
            self.messages.append((self.now, message))
        return message


def _subjects(message: Message | None) -> list[str]:
    assert message is not None
    return [each.subject for each in message.standing]


def test_what_comes_within_the_window_goes_together() -> None:
    told = _Told()
    assert told.look(*_found("a")) is None
    assert told.look(*_found("a", "b"), after=POLICY.group_for - SECOND) is None
    assert _subjects(told.look(*_found("a", "b"), after=SECOND)) == ["a", "b"]


def test_what_stands_is_told_again_only_after_a_day_and_only_if_it_was_seen_since() -> None:
    told, seen = _Told(), START + SECOND
    told.look(*_found("a", seen_at=seen))
    assert told.look(*_found("a", seen_at=seen), after=MINUTE) is not None
    assert told.look(*_found("a", seen_at=told.now + MINUTE), after=23 * HOUR) is None
    message = told.look(*_found("a", seen_at=told.now), after=2 * HOUR)
    assert message is not None
    assert message.standing[0].told_at is not None  # and that it had been told before is known
    assert told.look(*_found("a", seen_at=told.now - MINUTE), after=timedelta(days=9)) is None


def test_the_end_is_told_once_it_has_settled_and_a_moments_absence_is_no_end() -> None:
    told = _Told()
    told.look(*_found("a"))
    told.look(*_found("a"), after=MINUTE)
    assert told.look() is None
    assert told.look(*_found("a"), after=POLICY.settle_for) is None
    told.look()
    told.look(after=POLICY.settle_for)
    message = told.look(after=POLICY.group_for)
    assert message is not None
    assert [each.subject for each in message.over] == ["a"]
    assert told.look(after=HOUR) is None
    assert told.known == []


def test_what_comes_back_is_told_again_but_not_before_the_quiet_time_is_over() -> None:
    told = _Told()
    told.look(*_found("a"))
    told.look(*_found("a"), after=MINUTE)
    first = told.now
    told.look()
    told.look(after=POLICY.settle_for + POLICY.group_for)
    assert told.look(*_found("a"), after=MINUTE) is None
    while len(told.messages) < 3:
        told.look(*_found("a"))
    assert told.now - first >= POLICY.quiet_for
    assert _subjects(told.messages[-1][1]) == ["a"]


def test_what_goes_before_anybody_was_told_is_counted_in_the_next_message() -> None:
    told = _Told()
    told.look(*_found("a", "b"), after=SECOND)
    told.look(*_found("c"), after=SECOND)
    message = told.look(*_found("c"), after=MINUTE)
    assert _subjects(message) == ["c"]
    assert message is not None
    assert message.passed == 2
    assert {each.subject for each in told.known} == {"c"}


def test_what_comes_and_goes_again_and_again_waits_from_its_first_time() -> None:
    told = _Told()
    for present in (("a",), (), ("a",), ()):
        assert told.look(*_found(*present), after=POLICY.group_for / 4) is None
    assert _subjects(told.look(*_found("a"), after=POLICY.group_for / 4)) == ["a"]


def test_beyond_the_budget_of_an_hour_everything_waits_for_the_next_message() -> None:
    told = _Told(Policy(group_for=timedelta(0), most_per_hour=2))
    assert told.look(*_found("a")) is not None
    assert told.look(*_found("a", "b")) is not None
    assert told.look(*_found("a", "b", "c")) is None
    assert told.look(*_found("a", "b", "c", "d"), after=MINUTE) is None
    assert _subjects(told.look(*_found("a", "b", "c", "d"), after=HOUR)) == ["c", "d"]


def test_a_channel_gets_only_what_it_asked_for() -> None:
    told = _Told(Policy(group_for=timedelta(0)))
    message = told.look(*_found("a"), *_found("b", seen_at=START))
    assert message is not None
    assert _subjects(of_kinds(message, ["dead_letters"])) == ["b"]
    assert of_kinds(message, ["canary"]) is None


LOOKS = st.lists(st.tuples(st.sets(st.sampled_from(SUBJECTS)), st.integers(1, 4_000)), max_size=60)
POLICIES = st.builds(
    Policy,
    group_for=st.sampled_from([timedelta(0), 30 * SECOND, 5 * MINUTE]),
    quiet_for=st.sampled_from([timedelta(0), 10 * MINUTE, HOUR]),
    remind_after=st.sampled_from([HOUR, 24 * HOUR]),
    settle_for=st.sampled_from([timedelta(0), 5 * MINUTE]),
    most_per_hour=st.integers(1, 4),
)


@settings(max_examples=150, deadline=None)
@given(looks=LOOKS, policy=POLICIES)
def test_whatever_happens_people_are_told_within_their_limits_and_never_left_with_what_is_not_so(
    looks: list[tuple[set[str], int]], policy: Policy
) -> None:
    told = _Told(policy)
    for present, seconds in looks:
        told.look(*_found(*sorted(present)), after=timedelta(seconds=seconds))
    # Then nothing happens any more, for long enough.
    standing = looks[-1][0] if looks else set()
    for _ in range(4):
        told.look(*_found(*sorted(standing)), after=HOUR + policy.settle_for)

    made = [at for at, _ in told.messages]
    for at in made:
        assert sum(at - HOUR < other <= at for other in made) <= policy.most_per_hour
    ends: dict[Key, list[tuple[str, datetime]]] = defaultdict(list)
    for at, message in told.messages:
        for each in message.standing:
            ends[each.key].append(("stands", at))
        for each in message.over:
            ends[each.key].append(("over", at))
    for told_of in ends.values():
        for (before, was), (after, now) in pairwise(told_of):
            if after == "over":
                assert before == "stands"
            else:
                assert now - was >= (policy.remind_after if before == "stands" else timedelta(0))
        tellings = [at for what, at in told_of if what == "stands"]
        assert all(b - a >= min(policy.quiet_for, policy.remind_after) for a, b in pairwise(tellings))
        assert told_of[0][0] == "stands"
    # What people think in the end is so.
    believed = {key[1] for key, told_of in ends.items() if told_of[-1][0] == "stands"}
    assert believed == standing
