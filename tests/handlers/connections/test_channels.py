"""`notifications.toml`: what it says, what is wrong with it and how to mend that, and that it is read again."""

from datetime import timedelta
from pathlib import Path

import pytest

from handlers.connections.channel import Mail, Webhook
from handlers.connections.channels import parse_notifications
from handlers.connections.connection import SecretRef
from handlers.connections.notification_file import NotificationFile
from handlers.errors import ConfigurationError
from handlers.rules.notices import KINDS, Policy

GOOD = """
name = "plant north"
console_url = "https://ops.example.com/"
group_for = "2min"
most_per_hour = 3
[webhooks.on-call]
url = "https://hooks.example.com/x?y=1"
secret = "env:ON_CALL"
kinds = ["silent", "dead_letters"]
[mail.team]
host = "smtp.example.com"
tls = "implicit"
user = "mw"
password = "file:smtp"
from = "mw@example.com"
to = ["a@example.com", "b@example.com"]
"""


def test_a_file_says_who_is_told_what_and_when() -> None:
    told = parse_notifications(GOOD, "n")
    assert told.policy == Policy(group_for=timedelta(minutes=2), most_per_hour=3)
    assert (told.name, told.console_url) == ("plant north", "https://ops.example.com")
    assert told.channels == {
        "on-call": Webhook(
            name="on-call",
            kinds=("dead_letters", "silent"),
            url="https://hooks.example.com/x?y=1",
            secret=SecretRef(text="env:ON_CALL"),
        ),
        "team": Mail(
            name="team",
            kinds=KINDS,
            host="smtp.example.com",
            port=465,
            tls="implicit",
            ca_file=None,
            user="mw",
            password=SecretRef(text="file:smtp"),
            sender="mw@example.com",
            to=("a@example.com", "b@example.com"),
        ),
    }


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"2min"', '"2 weeks"', "n:4: group_for: is no length of time; write it like 90s, 30min, 24h or 7d"),
        ('"2min"', '"31d"', "n:4: group_for: is not between 0s and 30d"),
        ("most_per_hour = 3", "most_per_hour = 0", "n:5: most_per_hour: is no number from 1 to 1000"),
        ("group_for", "groupfor", "n:4: groupfor: is no field here; did you mean group_for?"),
        ("https://ops", "ops", 'n:3: console_url: is no address; write one like "https://ops.example.com"'),
        ("https://hooks", "ftp://hooks", 'n:7: webhooks.on-call.url: is no address; write one like "https://hooks'),
        ("//hooks", "//me:mark@hooks", "n:7: webhooks.on-call.url: is no address"),
        ('url = "https://hooks.example.com/x?y=1"', "url = 7", "n:7: webhooks.on-call.url: is a number; write a"),
        ('"env:ON_CALL"', '"mark-of-a-secret"', "n:8: webhooks.on-call.secret: is a literal, not a reference"),
        ('"silent", ', '"quiet", ', "n:9: webhooks.on-call.kinds[0]: is none of dead_letters, auth_required, silent"),
        ("mail.team", "mail.on-call", "n:10: mail.on-call: is the name of a webhook too; rename one of the two"),
        ('"implicit"', '"ssl"', "n:12: mail.team.tls: is none of starttls, implicit, none"),
        ('"implicit"', '"none"', 'n:12: mail.team.tls: would send the password in the clear; write "starttls"'),
        ('user = "mw"', "", "n:14: mail.team.password: goes with the other: write both user and password"),
        ('"mw@example.com"', '"mw@example.com\\nBcc: x"', "n:15: mail.team.from: is no text of 1 to 200 printable"),
        ('"b@example.com"', '"b@example.com, c@x"', "n:16: mail.team.to[1]: is no mail address; write one like"),
        ('["a@example.com", "b@example.com"]', "[]", "n:16: mail.team.to: has no recipients, or over 50; write"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_its_mend_and_without_a_secret(
    old: str, new: str, problem: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigurationError) as failed:
        parse_notifications(GOOD.replace(old, new, 1), "n")
    (told,) = failed.value.problems
    assert told.startswith(problem)
    assert "mark" not in told


def test_an_address_may_be_kept_elsewhere() -> None:
    told = parse_notifications(GOOD.replace('"https://hooks.example.com/x?y=1"', '"file:hook"'), "n")
    hook = told.channels["on-call"]
    assert isinstance(hook, Webhook)
    assert hook.url == SecretRef(text="file:hook")


def test_a_bad_edit_is_told_once_and_the_last_good_one_serves(tmp_path: Path) -> None:
    path = tmp_path / "notifications.toml"
    file = NotificationFile(path)
    assert (file.refresh(), file.now.channels) == (False, {})
    path.write_text(GOOD)
    assert (file.refresh(), len(file.now.channels)) == (False, 2)
    path.write_text(GOOD.replace("https://ops", "ops"))
    assert (file.refresh(), len(file.now.channels), len(file.problems)) == (True, 2, 1)
    assert file.refresh() is False
    path.unlink()
    assert (file.refresh(), file.now.channels, file.problems) == (False, {}, ())
