"""What a request carries: read up to a limit, and as a form."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from worker.console.refusals import RefusalError, malformed

FORM_TYPE: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 2_000
"""Of a form: a page of dead letters, each with its box ticked, and more."""


async def body(request: Request, most: int) -> bytes:
    """The bytes that were sent.

    Args:
        request: what carries them.
        most: greatest length, in bytes.

    Raises:
        RefusalError: 413 for more.
    """
    read = bytearray()
    try:
        async for chunk in request.stream():
            read += chunk
            if len(read) > most:
                raise RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"More than {most} bytes were sent.")
    except ClientDisconnect:
        raise malformed("The request ended early.") from None
    return bytes(read)


async def form(request: Request, most: int) -> Mapping[str, str]:
    """The fields of a form; of one given several times the values are joined by line feeds.

    Raises:
        RefusalError: 413, 415 for another type, 400 for what is no form.
    """
    if media_type(request) != FORM_TYPE:
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send {FORM_TYPE}.")
    sent = await body(request, most)
    try:
        pairs = parse_qsl(sent.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:  # not UTF-8, or too many
        raise malformed("The form cannot be read.") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields[name] = f"{fields[name]}\n{value}" if name in fields else value
    return fields


def media_type(request: Request) -> str:
    """The type that a request says its body has, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
