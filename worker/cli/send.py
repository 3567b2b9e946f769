"""`send`: posts a webhook as the upstream system would, signed."""

from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import quote, urlsplit

import httpx
import orjson
import typer

from handlers.connections import Address
from handlers.errors import ServiceUnreachableError, TransientError
from handlers.settings import PREFIX, load
from handlers.signatures import QUERY, filled, sign
from worker import http_client
from worker.cli import given, output
from worker.cli.roles import Home
from worker.cli.up import WILDCARDS
from worker.settings import UpSettings

CONTENT_TYPE: Final = "application/json"
ID_HEADER: Final = "webhook-id"
"""Where an event id goes if the scheme has no header for it; every source reads it there."""

_ANSWER_CHARACTERS: Final = 200


def send(
    connection_id: Annotated[str, typer.Argument(metavar="CONNECTION", help="Whose webhook it is.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="The body, sent byte for byte; - for standard input.")],
    *,
    url: Annotated[
        str | None, typer.Option(help="The receiver's address; otherwise that of MAINTENWORKS_PUBLIC_HOST and _PORT.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="Sent as well; repeat.")
    ] = None,
    event_id: Annotated[str | None, typer.Option(help="Sent as the delivery's id, which makes a repeat one.")] = None,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Sign a body with the connection's newest secret and post it, as the upstream system would.

    Prints the status and the delivery's id. Exits 1 where it was refused, 69 where nobody answered.

    Example: `maintenworks send acme event.json`

    Example: `jq -c . event.json | maintenworks send acme - --url https://hooks.example.com --event-id evt-7`
    """
    settings = load(UpSettings, home=home)
    registry = given.registry(settings)
    posted_to = given.posted_to(registry, given.address(registry, connection_id, settings))
    now = datetime.now(UTC)
    secret = given.secrets(registry, posted_to, now)[0]
    body = filled(posted_to.scheme, secret, given.body(file))
    headers = given.headers(header or ()) | signed(posted_to, secret, body, now=now, event_id=event_id)
    query = headers.pop(QUERY, "")
    to = address(url or own_url(settings), posted_to.id)
    with http_client.open_client() as client:
        try:
            answer = http_client.request(client, "POST", with_query(to, query), headers=headers, content=body)
        except TransientError as error:
            raise ServiceUnreachableError(f"{error}; is it running? `maintenworks up` runs one") from error
    _tell(answer, to, as_json=as_json)
    if not answer.is_success:
        raise typer.Exit(output.FAILURE)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Connections")(send)


def signed(
    connection: Address, secret: bytes, body: bytes, *, now: datetime, event_id: str | None = None
) -> dict[str, str]:
    """The headers of a webhook, and under `QUERY` what belongs into its address's query.

    Raises:
        ConfigurationError: the secret cannot sign, or the id cannot be sent in a header.
    """
    scheme = connection.scheme
    headers = sign(scheme, secret, body, now=now.timestamp(), message_id=event_id)
    if event_id is not None and scheme.id_header is None:
        headers[ID_HEADER] = event_id
    return {"content-type": CONTENT_TYPE, **headers}


def own_url(settings: UpSettings) -> str:
    """Where the receiver of these settings listens, seen from this machine.

    Raises:
        typer.BadParameter: its port is picked when it starts.
    """
    if settings.public_port == 0:
        raise typer.BadParameter(f"{PREFIX}PUBLIC_PORT is 0; give the receiver's address", param_hint="--url")
    host = WILDCARDS.get(settings.public_host, settings.public_host)
    return f"http://[{host}]:{settings.public_port}" if ":" in host else f"http://{host}:{settings.public_port}"


def address(url: str, connection_id: str) -> str:
    """The address of a connection's webhook.

    Args:
        url: of the receiver, or of a proxy before it with a path of its own; a whole webhook's address is taken as it
            is.
        connection_id: whose.

    Raises:
        typer.BadParameter: it is no address.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise typer.BadParameter("write it like https://hooks.example.com", param_hint="--url")
    if "/webhooks/" in parts.path:
        return url
    return parts._replace(path=f"{parts.path.rstrip('/')}/webhooks/{quote(connection_id)}").geturl()


def with_query(url: str, query: str) -> str:
    """An address with a query added to the one that it has; that may be a secret, so it is printed nowhere."""
    parts = urlsplit(url)
    return parts._replace(query="&".join(each for each in (parts.query, query) if each)).geturl()


def _tell(answer: httpx.Response, to: str, *, as_json: bool) -> None:
    try:
        said = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        said = None
    told = said if isinstance(said, dict) else {}
    delivery_id = told.get("delivery_id") if answer.is_success else None
    problem = (
        None if answer.is_success else told.get("type") or answer.text[:_ANSWER_CHARACTERS] or answer.reason_phrase
    )
    if as_json:
        found = {"status": answer.status_code, "delivery_id": delivery_id, "problem": problem, "url": to}
        output.json_line(found | ({"detail": told["detail"]} if "detail" in told else {}))
    elif answer.is_success:
        output.line(f"{answer.status_code} delivery {delivery_id}")
    else:
        detail = f": {told['detail']}" if "detail" in told else ""
        output.line(f"{answer.status_code} {problem}{detail}")
