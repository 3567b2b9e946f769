"""The vendor: whom one buys from."""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias, get_args

from msgspec import Struct

from handlers.model.record import UNKNOWN, Record
from handlers.model.scalars import Flag, Text
from handlers.model.trade import Address, Currency, PaymentTerms, TaxId
from handlers.model.values import Ref, Word

Status: TypeAlias = Literal["active", "blocked", "inactive", "unknown"]


class VendorStatus(Word):
    """Whether one may buy from it."""

    value: Status

    words: ClassVar[Mapping[str, str]] = {word: word for word in get_args(Status)}
    fallback: ClassVar[str | None] = UNKNOWN


class BlockedFor(Struct, kw_only=True, omit_defaults=True):
    """What is not to be done with it."""

    purchasing: Flag | None = None
    posting: Flag | None = None
    payment: Flag | None = None


class Contact(Struct, kw_only=True, omit_defaults=True):
    """A person there."""

    plain: ClassVar[str] = "name"

    name: Text | None = None
    role: Text | None = None
    email: Text | None = None
    phone: Text | None = None


class Vendor(Record):
    """A firm or person that sells; often its manufacturer, customer or courier too."""

    name: Text | None = None
    legal_name: Text | None = None
    type_source: Text | None = None
    is_person: Flag | None = None
    status: VendorStatus | None = None
    blocked_for: BlockedFor | None = None
    tax_ids: list[TaxId] | None = None
    duns: Text | None = None
    emails: list[Text] | None = None
    phones: list[Text] | None = None
    fax: Text | None = None
    website: Text | None = None
    addresses: list[Address] | None = None
    contacts: list[Contact] | None = None
    currency: Currency | None = None
    payment_terms: PaymentTerms | None = None
    our_account_number: Text | None = None
    parent_ref: Ref | None = None
    roles: list[Literal["vendor", "manufacturer", "customer", "courier"]] | None = None
