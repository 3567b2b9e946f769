"""When people are told of what was found: at once but together, not again and again, and when it is over.

Pure: what was known, what is found now and the time go in; what is known then, and perhaps a message, come out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

import msgspec

from handlers.events import Json

Kind: TypeAlias = Literal["dead_letters", "auth_required", "silent", "schedule", "canary"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""What may be found, in the order in which it is told."""
Key: TypeAlias = tuple[str, str]
"""Kind and subject."""
HOUR: Final = timedelta(hours=1)


class Policy(msgspec.Struct, frozen=True):
    """How people want to be told.

    Attributes:
        group_for: after the first thing to tell, for so long others are waited for, to go with it.
        quiet_for: what was told and is over is told again after so long at the earliest.
        remind_after: what still stands is told again after so long, if it was seen since.
        settle_for: what is gone for so long is over.
        most_per_hour: messages in any hour.
    """

    group_for: timedelta = timedelta(seconds=30)
    quiet_for: timedelta = timedelta(hours=1)
    remind_after: timedelta = timedelta(hours=24)
    settle_for: timedelta = timedelta(minutes=5)
    most_per_hour: int = 12


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stands at this moment.

    Attributes:
        kind: of what kind.
        subject: which one of them: a fingerprint, a connection, a schedule.
        since: when it began.
        seen_at: the newest sign of it; None for what lasts.
        count: how many there are of it.
        about: what else is said of it, nothing of it from a payload.
    """

    kind: Kind
    subject: str
    since: datetime
    seen_at: datetime | None = None
    count: int = 1
    about: Mapping[str, Json] = {}

    @property
    def key(self) -> Key:
        """Which one it is."""
        return self.kind, self.subject


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as it is remembered.

    Attributes:
        kind: of the finding; `subject`, `since`, `seen_at`, `count` and `about` likewise.
        noticed_at: when it was noticed; anew, if it had been over.
        gone_at: since when it is not found any more.
        told_at: when it was last told.
        is_told: people were told that it stands, and not yet that it is over.
    """

    kind: Kind
    subject: str
    since: datetime
    seen_at: datetime
    count: int
    about: Mapping[str, Json]
    noticed_at: datetime
    gone_at: datetime | None = None
    told_at: datetime | None = None
    is_told: bool = False

    @property
    def key(self) -> Key:
        """Which one it is."""
        return self.kind, self.subject

    def due_at(self, policy: Policy) -> datetime | None:
        """From when on there is something to tell: that it stands, stands still, or is over; None for nothing."""
        if self.gone_at is not None:
            return self.gone_at + policy.settle_for if self.is_told else None
        if self.told_at is None:
            return self.noticed_at
        if not self.is_told:
            return max(self.noticed_at, self.told_at + policy.quiet_for)
        return self.told_at + policy.remind_after if self.seen_at > self.told_at else None

    @property
    def passed(self) -> bool:
        """Whether it went before anybody was told of it."""
        return (
            self.gone_at is not None and not self.is_told and (self.told_at is None or self.noticed_at > self.told_at)
        )


class Message(NamedTuple):
    """What is told at once.

    Attributes:
        standing: what stands; `told_at` of one that had been told before says when.
        over: what does not any more.
        passed: how many things came and went since the last message without being told.
    """

    standing: tuple[Notice, ...]
    over: tuple[Notice, ...]
    passed: int


class Decision(NamedTuple):
    """What a look comes to.

    Attributes:
        notices: all that is remembered from now on.
        message: what is told now; None for nothing.
    """

    notices: Mapping[Key, Notice]
    message: Message | None


def decide(
    known: Iterable[Notice], found: Iterable[Finding], made: Collection[datetime], policy: Policy, now: datetime
) -> Decision:
    """Decides what to remember, and whether to tell something now.

    Args:
        known: all that is remembered.
        found: all that stands; each key once.
        made: when the messages of the last hour at least were made.
        policy: how people want to be told.
        now: the time.
    """
    notices = _noted(known, found, policy, now)
    due = {each.key: at for each in notices.values() if (at := each.due_at(policy)) is not None and at <= now}
    spent = sum(at > now - HOUR for at in made)
    if not due or now < min(due.values()) + policy.group_for or spent >= policy.most_per_hour:
        return Decision(notices, None)
    standing = _in_order(notices[key] for key in due if notices[key].gone_at is None)
    over = _in_order(notices[key] for key in due if notices[key].gone_at is not None)
    passed = [key for key, each in notices.items() if each.passed]
    told = {each.key: msgspec.structs.replace(each, is_told=True, told_at=now) for each in standing}
    told |= {each.key: msgspec.structs.replace(each, is_told=False) for each in over}
    left = {key: each for key, each in {**notices, **told}.items() if key not in passed}
    return Decision(left, Message(standing, over, len(passed)))


def _noted(known: Iterable[Notice], found: Iterable[Finding], policy: Policy, now: datetime) -> dict[Key, Notice]:
    """What is remembered once what is found has been looked at."""
    notices = {each.key: each for each in known}
    present = {each.key: each for each in found}
    noted = {key: _seen(notices.get(key), each, now) for key, each in present.items()}
    for key, each in notices.items():
        if key in present:
            continue
        gone = each if each.gone_at is not None else msgspec.structs.replace(each, gone_at=now)
        if gone.is_told or not _forgotten(gone, policy, now):
            noted[key] = gone
    return noted


def _seen(known: Notice | None, finding: Finding, now: datetime) -> Notice:
    # What comes and goes has been waiting to be told since it first came.
    was_over = known is not None and known.gone_at is not None and not known.is_told and not known.passed
    return Notice(
        kind=finding.kind,
        subject=finding.subject,
        since=finding.since,
        seen_at=finding.seen_at or now,
        count=finding.count,
        about=finding.about,
        noticed_at=now if known is None or was_over else known.noticed_at,
        told_at=None if known is None else known.told_at,
        is_told=known is not None and known.is_told,
    )


def _forgotten(gone: Notice, policy: Policy, now: datetime) -> bool:
    """Whether nothing has to be known of it any more: neither when it was told nor that it came and went."""
    since = gone.gone_at if gone.passed else gone.told_at
    assert since is not None, "what was told has a time, and so has what is gone"
    return now >= since + (policy.remind_after if gone.passed else policy.quiet_for)


def _in_order(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    return tuple(sorted(notices, key=lambda each: (KINDS.index(each.kind), each.since, each.subject)))


def of_kinds(message: Message, kinds: Sequence[Kind]) -> Message | None:
    """The part of a message that is of some kinds; None where nothing is left of it."""
    standing = tuple(each for each in message.standing if each.kind in kinds)
    over = tuple(each for each in message.over if each.kind in kinds)
    return Message(standing, over, message.passed) if standing or over else None
