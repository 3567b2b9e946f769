"""Secrets of our own making."""

import base64
import itertools
import secrets
from pathlib import Path
from typing import Final

from handlers.connections.files import create

FOLDER: Final = "secrets"
"""Under the home."""

_BYTES: Final = 32
"""256 bits: as long as the digest, beyond which HMAC-SHA256 gains nothing (RFC 2104, section 3)."""


def new_secret(scheme_name: str) -> str:
    """A fresh secret as the scheme's senders write it.

    Returns:
        `whsec_` and base64 of 32 bytes for Standard Webhooks (specification, "Signature scheme"), else 43 characters
        that stand in addresses and headers as they are.
    """
    if scheme_name == "standard-webhooks":
        return "whsec_" + base64.b64encode(secrets.token_bytes(_BYTES)).decode()
    return secrets.token_urlsafe(_BYTES)


def keep(home: Path, connection_id: str, secret: str) -> str:
    """Keeps a secret in a file of its own, 0600, that stood there never before.

    Args:
        home: under which `secrets/ID` is made; where that is taken, as after a rotation, `secrets/ID~2` and so on. An
            id has no tilde.
        connection_id: whose it is.
        secret: written with a line break after it.

    Returns:
        The reference, relative to the home so that the home can be moved.
    """
    for number in itertools.count(1):
        name = connection_id if number == 1 else f"{connection_id}~{number}"
        try:
            create(home / FOLDER / name, f"{secret}\n".encode())
        except FileExistsError:
            continue
        return f"file:{FOLDER}/{name}"
    raise AssertionError("unreachable: the numbers do not end")


def discard(home: Path, ref: str) -> None:
    """Takes back what `keep` has just kept."""
    (home / ref.removeprefix("file:")).unlink(missing_ok=True)
