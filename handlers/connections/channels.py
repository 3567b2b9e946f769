"""The text of `notifications.toml` into who is told of what and how, with every mistake at once.

name = "plant north"
console_url = "https://ops.example.com"
group_for = "30s"
quiet_for = "1h"
remind_after = "24h"
most_per_hour = 12

[webhooks.on-call]
url = "https://hooks.example.com/maintenworks"   # or env:NAME, file:PATH, where it holds a token
secret = "env:ON_CALL_SECRET"                     # signs as Standard Webhooks
kinds = ["dead_letters", "auth_required"]         # all of them otherwise

[mail.team]
host = "smtp.example.com"
tls = "starttls"                                  # or implicit, none
user = "maintenworks"
password = "file:/run/secrets/smtp"
from = "maintenworks@example.com"
to = ["maintenance@example.com"]
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from handlers.connections.channel import PORTS, Channel, Mail, Notifications, Webhook
from handlers.connections.fields import Fields, kind_of
from handlers.connections.parsing import read_toml
from handlers.connections.problems import Problems
from handlers.connections.providers import load
from handlers.connections.signing import read_reference
from handlers.errors import ConfigurationError
from handlers.rules.notices import KINDS, Kind, Policy

WEBHOOKS, MAIL = "webhooks", "mail"
MOST_RECIPIENTS: Final = 50

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""A channel's name is a label of a metric."""
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
"""The addresses that HTML's e-mail input takes, which are those that mail servers take unquoted."""
_TOP: Final = ("name", "console_url", "group_for", "quiet_for", "remind_after", "settle_for", "most_per_hour")
_LONGEST: Final = timedelta(days=30)
_MOST_PER_HOUR: Final = 1_000
_PORT_MOST: Final = 65_535
_NO_CONSOLE: Final = 'is no address; write one like "https://ops.example.com"'
_NO_HOOK: Final = (
    'is no address; write one like "https://hooks.example.com/maintenworks", or "env:NAME" where it is kept'
)


def parse_notifications(text: str, name: str) -> Notifications:
    """Reads the file.

    Args:
        text: of the file; a byte order mark is none of it.
        name: the file, as the messages call it.

    Raises:
        ConfigurationError: one line a problem, `FILE:LINE: mail.NAME.FIELD: what is wrong; how to mend it`.
    """
    problems = Problems(name, text)
    top = Fields(read_toml(text, name), (), problems)
    top.only((*_TOP, WEBHOOKS, MAIL))
    channels: dict[str, Channel] = {}
    for kind, read in ((WEBHOOKS, _webhook), (MAIL, _mail)):
        for each, fields in _tables(top, kind):
            found = read(each, fields)
            if each in channels:
                top.wrong(kind, "is the name of a webhook too; rename one of the two", each)
            elif found is not None:
                channels[each] = found
    console_url = _web_address(top, "console_url", top.any("console_url", str), _NO_CONSOLE)
    at = None if console_url is None else console_url.rstrip("/")
    told = Notifications(top.text("name"), at, _policy(top), channels)
    if problems.told():
        raise ConfigurationError(problems.told())
    return told


def _policy(top: Fields) -> Policy:
    standard = Policy()
    lengths = {
        each: top.duration(each, timedelta(0), _LONGEST)
        for each in ("group_for", "quiet_for", "remind_after", "settle_for")
    }
    most = _number(top, "most_per_hour", _MOST_PER_HOUR)
    return Policy(
        **{each: getattr(standard, each) if length is None else length for each, length in lengths.items()},
        most_per_hour=standard.most_per_hour if most is None else most,
    )


def _tables(top: Fields, kind: str) -> Iterator[tuple[str, Fields]]:
    for name, values in top.any(kind, dict, or_else={}).items():
        if not _ID.fullmatch(name):
            top.wrong(kind, "is no name; use up to 64 letters, digits and . _ -, a letter or digit first", name)
        elif not isinstance(values, dict):
            top.wrong(kind, f"is {kind_of(values)}; write [{kind}.{name}]", name)
        else:
            yield name, top.inner(values, kind, name)


def _webhook(name: str, fields: Fields) -> Webhook | None:
    fields.only(("url", "secret", "kinds"))
    if "url" not in fields:
        fields.wrong("url", "is missing; write where to post")
    text = fields.any("url", str)
    kept = text is not None and text.partition(":")[0] in load()
    url = read_reference(fields, "url") if kept else _web_address(fields, "url", text, _NO_HOOK)
    secret, kinds = read_reference(fields, "secret"), _kinds(fields)
    return None if url is None or secret is None else Webhook(name=name, kinds=kinds, url=url, secret=secret)


def _mail(name: str, fields: Fields) -> Mail | None:
    fields.only(("host", "port", "tls", "ca_file", "user", "password", "from", "to", "kinds"))
    host, tls = fields.text("host"), fields.one_of("tls", tuple(PORTS), "starttls")
    if "host" not in fields:
        fields.wrong("host", "is missing; name the server that takes mail")
    password = read_reference(fields, "password") if "password" in fields else None
    user = fields.text("user")
    if ("user" in fields) != ("password" in fields):
        fields.wrong("user" if "user" in fields else "password", "goes with the other: write both user and password")
    if "password" in fields and tls == "none":
        fields.wrong("tls", 'would send the password in the clear; write "starttls" or "implicit"')
    sender, to, kinds = _mail_address(fields, fields.text("from"), "from"), _recipients(fields), _kinds(fields)
    if "from" not in fields:
        fields.wrong("from", "is missing; write the address that it comes from")
    port = _number(fields, "port", _PORT_MOST)
    if host is None or sender is None or not to:
        return None
    return Mail(
        name=name,
        kinds=kinds,
        host=host,
        port=port or PORTS[tls],
        tls=tls,
        ca_file=fields.text("ca_file"),
        user=user,
        password=password,
        sender=sender,
        to=to,
    )


def _recipients(fields: Fields) -> tuple[str, ...]:
    given = fields.any("to", list, or_else=[])
    if not 1 <= len(given) <= MOST_RECIPIENTS:
        fields.wrong("to", f"has no recipients, or over {MOST_RECIPIENTS}; write a list of addresses")
        return ()
    found = (_mail_address(fields, each, "to", at) for at, each in enumerate(given))
    return tuple(each for each in found if each is not None)


def _mail_address(fields: Fields, value: object, name: str, *inside: int) -> str | None:
    if isinstance(value, str) and _ADDRESS.fullmatch(value):
        return value
    if value is not None:
        fields.wrong(name, 'is no mail address; write one like "team@example.com"', *inside)
    return None


def _kinds(fields: Fields) -> tuple[Kind, ...]:
    given = fields.any("kinds", list)
    for at, each in enumerate(given or ()):
        if each not in KINDS:
            fields.wrong("kinds", f"is none of {', '.join(KINDS)}", at)
    if given == []:
        fields.wrong("kinds", "is empty; drop it for all of them, or drop the channel")
    return KINDS if given is None else tuple(each for each in KINDS if each in given)


def _number(fields: Fields, name: str, most: int) -> int | None:
    value = fields.any(name, int)
    if value is not None and not 1 <= value <= most:
        fields.wrong(name, f"is no number from 1 to {most}")
        return None
    return None if value is None else int(value)


def _web_address(fields: Fields, name: str, text: str | None, problem: str) -> str | None:
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        usable = usable and parts.username is None and text.isprintable() and " " not in text
    except ValueError:
        usable = False
    if not usable:
        fields.wrong(name, problem)
    return text if usable else None
