"""Mail, to a real server: private, authenticated, and clear about what it could not do."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handlers.connections.channel import Mail
from handlers.connections.connection import SecretRef
from handlers.errors import TransientError
from handlers.rules.notices import Message, Notice
from tests.worker.notifications.mail_server import HOST, PASSWORD, USER, MailServer, mail_server
from worker.notifications import mail, wording

# Over implicit TLS the server does not know that the way is private.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
ID = "msg_20260301T080000000000_0a1b2c3d"
NOTICE = Notice(
    kind="dead_letters",
    subject="0123456789abcdef",
    since=AT,
    seen_at=AT,
    count=3,
    about={"code": "missing_field", "connections": ["würzburg-1", "b", "c", "d", "e"]},
    noticed_at=AT,
)
TOLD = wording.content(Message((NOTICE,), (), 2), "plant north", "https://ops.example.com")


def _channel(server: MailServer, tls: Any, **other: Any) -> Mail:
    given = {"ca_file": "mail.pem", "user": None, "password": None, "to": ("a@example.com", "b@example.com"), **other}
    return Mail(name="team", host=HOST, port=server.port, tls=tls, sender="mw@example.com", **given)


def _login() -> dict[str, Any]:
    return {"user": USER, "password": SecretRef(text="file:password")}


def _send(channel: Mail, home: Path) -> None:
    mail.send(channel, TOLD, ID, made_at=AT, home=home)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_mail_goes_over_a_private_way_to_all_whom_it_is_for(tmp_path: Path, tls: str) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    with mail_server(tmp_path, tls, demands_login=True) as server:
        _send(_channel(server, tls, **_login()), tmp_path)
    (taken,) = server.mails
    assert server.logins == 1
    assert server.envelopes == [("mw@example.com", ["a@example.com", "b@example.com"])]
    assert taken["subject"].startswith(
        "[plant north] dead letters: missing_field, 3 open, of würzburg-1, b, c and 2 more"
    )
    assert taken["message-id"] == f"<{ID}@example.com>"
    assert taken["auto-submitted"] == "auto-generated"
    text = taken.get_content()
    for line in (
        "maintenworks dead-letters list --fingerprint 0123456789abcdef",
        "https://ops.example.com/dead-letters?fingerprint=0123456789abcdef",
        "2 others came and went untold",
    ):
        assert line in text


def test_without_a_certificate_that_is_believed_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    with mail_server(tmp_path, "starttls") as server, pytest.raises(TransientError, match="certificate") as failed:
        _send(_channel(server, "starttls", ca_file=None, **_login()), tmp_path)
    assert (server.mails, server.logins) == ([], 0)
    assert failed.value.code == mail.FAILED


def test_where_the_server_offers_no_privacy_nothing_is_said(tmp_path: Path) -> None:
    with mail_server(tmp_path, "none") as server, pytest.raises(TransientError, match="STARTTLS"):
        _send(_channel(server, "starttls"), tmp_path)
    assert server.mails == []


def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("mark-wrong-password")
    with mail_server(tmp_path, "starttls") as server, pytest.raises(TransientError, match="were refused") as failed:
        _send(_channel(server, "starttls", **_login()), tmp_path)
    assert "mark-wrong-password" not in str(failed.value)


def test_a_recipient_who_is_refused_keeps_nobody_else_from_being_told(tmp_path: Path) -> None:
    with mail_server(tmp_path, "none") as server:
        server.refuses = frozenset({"a@example.com"})
        _send(_channel(server, "none"), tmp_path)
        assert [to for _, to in server.envelopes] == [["b@example.com"]]
        server.refuses = frozenset({"a@example.com", "b@example.com"})
        with pytest.raises(TransientError, match=r"every recipient was refused \(550\)"):
            _send(_channel(server, "none"), tmp_path)


def test_a_busy_server_and_one_that_is_away_are_tried_again_later(tmp_path: Path) -> None:
    with mail_server(tmp_path, "none") as server:
        server.is_busy = True
        with pytest.raises(TransientError, match="451 come back later"):
            _send(_channel(server, "none"), tmp_path)
    with pytest.raises(TransientError, match="refused"):
        _send(_channel(server, "none"), tmp_path)
