"""A message by mail: plain text, over a way that is private unless the operator said otherwise."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

import structlog

from handlers.connections import providers
from handlers.connections.channel import Mail
from handlers.errors import TransientError
from worker.notifications import wording

TIME_OUT_SECONDS: Final = 10.0
"""For each step; all of them together are bounded by whoever sends."""
MOST_CHARACTERS: Final = 200
"""Of what a server says when it refuses."""
FAILED: Final = "mail_failed"
_PLAIN: Final = SMTP.clone(cte_type="7bit")
"""Some server on the way may know no other."""

log = structlog.get_logger()


def send(channel: Mail, told: dict[str, Any], message_id: str, *, made_at: datetime, home: Path) -> None:
    """Hands a message to the mail server.

    Args:
        channel: whom to tell.
        told: what the message says.
        message_id: of the message; the same whenever it is tried again, so that a repeat can be told.
        made_at: when it was made.
        home: where relative paths of secrets start.

    Raises:
        TransientError: the server did not take it for anybody; no secret is in the error.
    """
    with _translated(channel), _server(channel, home) as server:
        refused = server.send_message(composed(channel, told, message_id, made_at), channel.sender, list(channel.to))
        if refused:
            log.warning("recipients_refused", channel=channel.name, refused=len(refused), of=len(channel.to))


def composed(channel: Mail, told: dict[str, Any], message_id: str, made_at: datetime) -> EmailMessage:
    """The mail (RFC 5322); `Auto-Submitted` keeps holiday replies away (RFC 3834, 5)."""
    mail = EmailMessage(_PLAIN)
    mail["Subject"] = told["subject"]
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.to)
    mail["Date"] = format_datetime(made_at)
    mail["Message-ID"] = f"<{message_id}@{channel.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(wording.text(told))
    return mail


@contextlib.contextmanager
def _server(channel: Mail, home: Path) -> Iterator[smtplib.SMTP]:
    """The mail server, ready to take mail."""
    trusted = None if channel.tls == "none" else _trusted(channel, home)
    if channel.tls == "implicit":
        made: smtplib.SMTP = smtplib.SMTP_SSL(channel.host, channel.port, timeout=TIME_OUT_SECONDS, context=trusted)
    else:
        made = smtplib.SMTP(channel.host, channel.port, timeout=TIME_OUT_SECONDS)
    with made as server:
        if channel.tls == "starttls":
            server.starttls(context=trusted)
        if channel.user is not None and channel.password is not None:
            server.login(channel.user, providers.read(channel.password.text, home).decode())
        yield server


def _trusted(channel: Mail, home: Path) -> ssl.SSLContext:
    trusted = ssl.create_default_context()
    if channel.ca_file is not None:
        try:
            trusted.load_verify_locations(home / channel.ca_file)
        except OSError as error:
            raise TransientError(FAILED, f"ca_file: {channel.ca_file}: {error.strerror or 'is none'}") from None
    return trusted


@contextlib.contextmanager
def _translated(channel: Mail) -> Iterator[None]:
    where = f"{channel.host} port {channel.port}"
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        # What the server says to a password may quote it.
        raise TransientError(FAILED, f"{where}: user or password were refused ({error.smtp_code})") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = ", ".join(sorted({str(code) for code, _ in error.recipients.values()}))
        raise TransientError(FAILED, f"{where}: every recipient was refused ({codes})") from error
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        raise TransientError(FAILED, f"{where}: {error.smtp_code} {str(said)[:MOST_CHARACTERS]}") from error
    except UnicodeError:
        raise TransientError(FAILED, f"{where}: the user or the password is no text that can be sent") from None
    except OSError as error:  # smtplib's own errors are some, too
        told = error.strerror or str(error) or type(error).__name__
        raise TransientError(FAILED, f"{where}: {told[:MOST_CHARACTERS]}") from error
