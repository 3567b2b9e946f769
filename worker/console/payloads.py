"""Payloads as the console shows them: redacted to whoever may look, whole to an operator who says why."""

from handlers.events import Unmapped
from handlers.signatures import Pointer, pointer
from handlers.signatures.places import InBody
from handlers.signatures.token import TokenScheme
from handlers.sources import inflated
from handlers.store import read_letters
from handlers.store.audit import append
from handlers.store.read_deliveries import INFLATED_LIMIT, delivery
from handlers.store.read_letters import KeptLetter
from handlers.store.rowset import Transaction
from worker.acts import Operator
from worker.console.house import House
from worker.console.refusals import missing
from worker.redaction import redacted

REVEAL = "payloads.reveal"
"""The act in the audit log."""


def shown(house: House, connection_id: str, body: bytes) -> str:
    """A payload as text, laid out, with what is nobody's business masked.

    Args:
        house: whose settings say what that is.
        connection_id: whose payload; where its own token is in the body, that is masked too.
        body: of a delivery, or of one event of it.
    """
    return redacted(body, (*map(pointer, house.settings.redact), *_own(house, connection_id)))


def of_delivery(house: House, delivery_id: str) -> bytes:
    """The body of a delivery, inflated where it came compressed.

    Raises:
        RefusalError: it is not kept.
    """
    brought = delivery(house.database, delivery_id)
    if brought is None:
        raise missing(f"There is no delivery {delivery_id!r}, or its bytes are no longer kept.")
    read = inflated(brought, INFLATED_LIMIT)
    return brought.body if isinstance(read, Unmapped) else read.body


def of_letter(house: House, letter: KeptLetter) -> bytes:
    """The bytes that could not be read: an event's own, or the whole body.

    Raises:
        RefusalError: they are no longer kept.
    """
    body = read_letters.payload(house.database, letter)
    if body is None:
        raise missing(f"{letter.name}: its bytes are no longer kept.")
    return body


def reveal(house: House, name: str, body: bytes, operator: Operator) -> bytes:
    """Hands a payload out whole, once that stands in the audit log.

    Args:
        house: where the log is.
        name: of the delivery, or of the letter.
        body: its bytes.
        operator: who looks, and why.

    Raises:
        TransientError: the log cannot be written; nothing is shown.
    """
    with house.database.write() as connection:
        append(Transaction(connection), operator.did(REVEAL, {"payload": name}, {"bytes": len(body)}), house.now())
    return body


def _own(house: House, connection_id: str) -> tuple[Pointer, ...]:
    """Where the token of a connection is in its bodies, if it is there."""
    address = house.registry.get(connection_id) or house.registry.endpoint(connection_id)
    schemes = [] if address is None else [address.scheme]
    shared = getattr(address, "endpoint", None)
    if shared is not None and shared in house.registry.endpoints():
        schemes.append(house.registry.endpoints()[shared].scheme)
    places = (scheme.place for scheme in schemes if isinstance(scheme, TokenScheme))
    return tuple(place.pointer for place in places if isinstance(place, InBody))
