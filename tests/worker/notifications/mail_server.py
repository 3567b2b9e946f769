"""A real mail server for tests: aiosmtpd on a free port, with a certificate of its own."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
USER, PASSWORD = "maintenworks", "mark-password-of-the-mail-server"


@dataclass
class MailServer:
    """What a server has taken.

    Attributes:
        port: of it.
        mails: taken, in order.
        envelopes: likewise: from whom, to whom.
        refuses: recipients that it refuses.
        is_busy: it takes nothing for now.
        logins: how many were let in.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    refuses: frozenset[str] = frozenset()
    is_busy: bool = False
    logins: int = 0

    async def handle_RCPT(self, _: Any, __: Any, envelope: Envelope, address: str, ___: list[str]) -> str:  # noqa: N802  # aiosmtpd's name and its arguments
        if address in self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        if self.is_busy:
            return "451 come back later"
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append((envelope.mail_from or "", [str(each) for each in envelope.rcpt_tos]))
        return "250 OK"

    def let_in(self, _: Any, __: Any, ___: Any, ____: str, data: Any) -> AuthResult:
        """Whether user and password are right."""
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        self.logins += right
        return AuthResult(success=right, handled=False)  # the answer is left to the server


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for `HOST` that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "mail.pem", folder / "mail.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@contextlib.contextmanager
def mail_server(folder: Path, tls: str, *, demands_login: bool = False) -> Iterator[MailServer]:
    """One that runs.

    Args:
        folder: for the certificate, as `mail.pem`.
        tls: `starttls`, `implicit` or `none`.
        demands_login: takes mail only from `USER`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder))
    server = MailServer()
    options: dict[str, Any] = {"authenticator": server.let_in, "auth_required": demands_login, "hostname": HOST}
    options |= {"tls_context": context, "require_starttls": True} if tls == "starttls" else {"auth_require_tls": False}
    loop = asyncio.new_event_loop()
    over = context if tls == "implicit" else None
    listening = loop.run_until_complete(
        loop.create_server(lambda: SMTP(server, loop=loop, **options), HOST, 0, ssl=over)
    )
    server.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, name="mail-server")
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_ended(listening), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended(listening: asyncio.Server) -> None:
    listening.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
