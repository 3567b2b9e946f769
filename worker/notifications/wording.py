"""What a message says: codes, names, counts, times and the command to run; nothing of any event."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from handlers.rules.durations import write_duration
from handlers.rules.notices import Kind, Message, Notice
from handlers.rules.times import kept_instant
from worker.console import links

LISTED: Final = 20
"""Things that a message tells one by one; the others are counted."""
NAMED: Final = 3
"""Connections that a line names; the others are counted."""
TITLES: Final[Mapping[Kind, str]] = {
    "dead_letters": "dead letters",
    "auth_required": "connection to be authorised again",
    "silent": "silent connection",
    "schedule": "failing schedule",
    "canary": "canary missing",
}
TEST: Final = "This is a test: whoever reads it will be told."


def content(message: Message, installation: str, console_url: str | None) -> dict[str, Any]:
    """A message as it is kept and sent.

    Args:
        message: what is told.
        installation: whose message it is.
        console_url: where people find the console; None for no links.
    """
    standing = [_entry(each, console_url) for each in message.standing[:LISTED]]
    over = [_entry(each, console_url) for each in message.over[:LISTED]]
    more = len(message.standing) - len(standing) + len(message.over) - len(over)
    return {
        "installation": installation,
        "subject": f"[{installation}] {_headline(message)}",
        "standing": standing,
        "resolved": over,
        "more": more,
        "passed": message.passed,
    }


def trial(installation: str) -> dict[str, Any]:
    """What is sent to see whether it arrives."""
    told = {"installation": installation, "subject": f"[{installation}] test", "test": True}
    return {**told, "standing": [], "resolved": [], "more": 0, "passed": 0}


def text(told: Mapping[str, Any]) -> str:
    """A message for people."""
    parts = [told["subject"], ""]
    if told.get("test"):
        parts.append(TEST)
    for each in told["standing"]:
        again = " (told before)" if each["again"] else ""
        parts += [f"* {each['summary']}{again}", f"  {each['command']}", *([f"  {each['url']}"] if each["url"] else [])]
    parts += [f"* over: {each['summary']}" for each in told["resolved"]]
    if told["more"]:
        parts.append(f"* and {told['more']} more: maintenworks notifications list --standing")
    if told["passed"]:
        parts.append(f"* {told['passed']} other{'s' if told['passed'] > 1 else ''} came and went untold")
    return "\n".join(parts) + "\n"


def summary(notice: Notice) -> str:
    """One thing, in a line."""
    return _SUMMARIES[notice.kind](notice)


def _entry(notice: Notice, console_url: str | None) -> dict[str, Any]:
    path, command = _WHERE[notice.kind](notice.subject)
    return {
        "kind": notice.kind,
        "subject": notice.subject,
        "since": kept_instant(notice.since),
        "count": notice.count,
        **{name: value for name, value in notice.about.items() if name in {"code", "connections", "expect_every_s"}},
        # A notice in a message is as it was before it was told.
        "again": notice.told_at is not None,
        "summary": summary(notice),
        "command": f"maintenworks {command}",
        "url": None if console_url is None else f"{console_url}{path}",
    }


def _headline(message: Message) -> str:
    if not message.standing:
        return f"over: {summary(message.over[0])}" + _others(len(message.over) - 1)
    return summary(message.standing[0]) + _others(len(message.standing) + len(message.over) - 1)


def _others(count: int) -> str:
    return f", and {count} more" if count else ""


def _letters(notice: Notice) -> str:
    about = notice.about
    open_ = f"{notice.count} open" if notice.count > 1 else "1 open"
    owners = _names(about.get("connections", ()))
    return f"dead letters: {about.get('code')}, {open_}, of {owners}, since {_at(notice.since)} ({notice.subject})"


def _silent(notice: Notice) -> str:
    expected = notice.about.get("expect_every_s")
    every = f", expected every {write_duration(timedelta(seconds=expected))}" if isinstance(expected, int) else ""
    return f"{notice.subject}: silent since {_at(notice.since)}{every}"


_SUMMARIES: Final[Mapping[Kind, Callable[[Notice], str]]] = {
    "dead_letters": _letters,
    "auth_required": lambda each: f"{each.subject}: auth_required since {_at(each.since)}",
    "silent": _silent,
    "schedule": lambda each: f"schedule {each.subject} fails: {each.about.get('code')}, since {_at(each.since)}",
    "canary": lambda each: f"no canary came through since {_at(each.since)}",
}
_WHERE: Final[Mapping[Kind, Callable[[str], tuple[str, str]]]] = {
    "dead_letters": lambda subject: (
        links.to("/dead-letters", fingerprint=subject),
        f"dead-letters list --fingerprint {subject}",
    ),
    "auth_required": lambda subject: (links.connection(subject), f"get connections {subject}"),
    "silent": lambda subject: (links.connection(subject), f"events list --connection {subject} --limit 5"),
    "schedule": lambda _: ("/", "doctor"),
    "canary": lambda _: ("/", "doctor"),
}


def _names(names: Any) -> str:
    told = [str(each) for each in names] if isinstance(names, Sequence) and not isinstance(names, str) else []
    rest = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return ", ".join(told[:NAMED]) + rest


def _at(moment: datetime) -> str:
    return kept_instant(moment.replace(microsecond=0))
