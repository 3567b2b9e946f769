"""The last refusals of each connection, in the broker: receivers write them there, commands and the console read them.

A list a connection, newest first, cut to `KEPT`. Of a refused request it has the names of its headers and its size,
never a value and never the body.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from worker.streams_server import PREFIX, connect, translated

KEPT = 100
"""Refusals listed for a connection (contract, section 2)."""


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """One request that was not taken.

    Attributes:
        time: when (UTC).
        reason: the word that metrics and logs use, such as `wrong_signature`.
        status: of the answer.
        size: bytes of the body, as declared where it was not read; None where nobody knows.
        header_names: in lower case and in the order they came, long ones cut.
    """

    time: datetime
    reason: str
    status: int
    size: int | None
    header_names: tuple[str, ...]


_decoder = msgspec.json.Decoder(Rejection)


def rejections_key(connection_id: str) -> str:
    """The key of a connection's list; `unknown` stands for every name that nobody registered."""
    return f"{PREFIX}rejections:{connection_id}"


def encode_rejection(rejection: Rejection) -> bytes:
    """An element of the list."""
    return msgspec.json.encode(rejection)


def rejections(url: str, connection_id: str) -> Sequence[Rejection]:
    """The last refusals of a connection, newest first.

    Args:
        url: the broker's.
        connection_id: or `unknown`.

    Raises:
        TransientError: the broker does not answer.
    """
    with translated(), connect(url) as client:
        found = client.lrange(rejections_key(connection_id), 0, KEPT - 1)
    return [_decoder.decode(each) for each in found]
