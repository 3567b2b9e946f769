"""Oracle NetSuite: records of its REST interface, and what customers' scripts post.

Where the map comes from, read in 2026; facts only. Solid for purchase orders, vendors and inventory items:

- SCH: record schemas (GitHub `wsjmnh/netsuite-record-rest-docs`, `docs/schemas/`: purchaseOrder, vendor,
  inventoryItem).
- CAP: a captured REST answer for a purchase order (GitHub `seunsodimu/laguna_partner`, `debug_vendor_access.php`).
- ORA: docs.oracle.com, article_161165602348 (purchase order), section_157305090645 (dates and times).
- STA: status letters (blog.prolecto.com, 2013-08-30; thenetsuitepro.com). EVT: triggers of user events
  (wp.jjknowledgebase.com/?p=76727).

Rules:

- NetSuite has no webhook. A customer's script posts what it likes, so the signature is what it computes: by default an
  HMAC, which its module N/crypto makes. It says what its record is in `recordType` or `type`, and may say what happened
  in `eventType` (INFERRED); REST says it in the record's own link. Names are read in any case, `T` and `F` as flags.
- An inline edit (`xedit`) holds only what was changed [EVT]: it touches nothing else. Without a time of change it only
  asks for a fetch. What several members make together (e-mail addresses, names, costs, totals) is left alone then, and
  they are kept as they are.
- A sublist that is only a link was not sent: the lines stay. One of no rows says there are none. INFERRED: a record of
  REST with all rows of its sublist, its link and both its times is whole, so what it lacks, REST having left out its
  nulls, is cleared.
- A status is read by the letter in `orderStatus`; `status` may have a localised text where its id belongs [CAP].
  English texts are read, with a warning; `status_map` names others, or letters. `Y` means nobody knows what. A closed
  order of which nothing was received was cancelled (INFERRED).
- A currency is an internal id with a name: the name counts where it is an ISO code or one of those that a new account
  has (INFERRED), else the connection's `currency`, with a warning. Units are ids of a table that is not sent.
- A line's amount is trusted, its rate is not [CAP: 10 at 3800 is 100]; the difference is a warning of the record.
- Ids are unique within a record type, which our kinds are: the internal id is the key. Lines are told apart by `line`,
  whose numbers have gaps; expenses, whose numbers are their own, by `expense/1`.
- Dates have no zone and stay dates [ORA]. Text in the company's locale is kept as text, never guessed at.
- Reorder point, maximum and safety stock are kept per location; those of the item as a whole stay custom fields.
- INFERRED besides: `shipDate` is the vendor's promise, an order's billing address is the vendor's, a line's status.

NetSuite's `workOrder` is an order to manufacture: it is none of ours.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from handlers.sources import Source
from handlers.sources import _netsuite_tables as tables
from handlers.sources._mapping import Stated, Table
from handlers.sources._netsuite_orders import purchase_order
from handlers.sources._netsuite_others import item, vendor
from handlers.sources._netsuite_values import Names, changed_at
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled

_HREF = re.compile(r"/record/[^/]+/([A-Za-z]+)/[^/]+/?")
_SEPARATORS = re.compile(r"[\s_-]+")


class _Record(NamedTuple):
    """How records of one type are told.

    Attributes:
        table: of its members.
        read: what one states.
        number: the member that every body has which is more than a few changed members.
        sublist: what comes expanded in a whole record.
        created: when it was made; a whole record says so.
    """

    table: Table
    read: Callable[[Node], Stated]
    number: str
    sublist: str
    created: str


_RECORDS: Final[Mapping[str, _Record]] = {
    "purchaseorder": _Record(tables.PURCHASE_ORDER, purchase_order, "tranId", "item", "createdDate"),
    "vendor": _Record(tables.VENDOR, vendor, "entityId", "addressBook", "dateCreated"),
    "inventoryitem": _Record(tables.ITEM, item, "itemId", "locations", "createdDate"),
}
_VERBS: Final = {"create": "created", "delete": "deleted"}
"""By trigger [EVT]; any other is a change."""
_ABOUT: Final = ("recordType", "type", "eventType")
_BARE: Final = frozenset({"id", "links", *_ABOUT})
_NAMES = Names(
    (
        *_ABOUT,
        "transactionNumber",
        *(name for record in _RECORDS.values() for name in record.table.names),
    )
)


def _self_link(node: Node) -> str | None:
    """The record's own link."""
    links = node.get("links")
    for each in links if isinstance(links, list) else ():
        href = each.get("href") if isinstance(each, dict) else None
        if isinstance(href, str) and each.get("rel") in ("self", None):
            return href
    return None


def _record_type(node: Node) -> str | None:
    """What a body is: as a script says, by its own link, or by members that no other type has (I)."""
    stated = next((node.get(name) for name in ("recordType", "type") if isinstance(node.get(name), str)), None)
    if stated:
        return _SEPARATORS.sub("", stated).lower()
    href = _self_link(node)
    match = None if href is None else _HREF.search(href)
    if match is not None:
        return match[1].lower()
    number = node.get("transactionNumber")
    if isinstance(number, str) and number.startswith("PURCHORD"):
        return "purchaseorder"
    if "entityId" in node and "legalName" in node:
        return "vendor"
    return "inventoryitem" if "itemId" in node else None


def _is_whole(node: Node, record: _Record) -> bool:
    rows = node.get(record.sublist)
    items = rows.get("items") if isinstance(rows, dict) else None
    if not isinstance(items, list) or not isinstance(rows, dict) or _self_link(node) is None:
        return False
    stamped = all(node.get(name) is not None for name in (record.number, record.created, "lastModifiedDate"))
    return stamped and rows.get("totalResults", len(items)) == len(items)


def _map(node: Node) -> Iterator[Told]:
    node = _NAMES.seen(node)
    type_ = _record_type(node)
    record = _RECORDS.get(type_ or "")
    if record is None:
        yield unhandled("netsuite", type_ or "unknown", node, node.text("id"))
        return
    kind, key = record.table.kind, node.key("id")
    trigger = node.get("eventType")
    verb = _VERBS.get(trigger.lower() if isinstance(trigger, str) else "", "updated")
    if verb != "deleted" and _BARE.issuperset(node.values):
        yield Told(type=f"{kind}.{verb}", key=key, completeness="thin", entity=type_)
        return
    stated = record.read(node)
    data, custom = stated.data, _custom(node, record, stated)
    data["source_id"] = key
    yield Told(
        type=f"{kind}.{verb}",
        key=key,
        data=data,
        custom=custom,
        occurred_at=changed_at(node),
        completeness="full" if verb == "updated" and _is_whole(node, record) else "partial",
        table=record.table,
        entity=type_,
    )


def _custom(node: Node, record: _Record, stated: Stated) -> dict[str, Any]:
    """Members of no field, with those that could not be told because their companions are missing."""
    custom = {name: value for name, value in stated.custom.items() if name not in _ABOUT}
    if record.number not in node:
        custom |= {name: node.values[name] for name in tables.JOINT[record.table.kind] if name in node}
    return custom


SOURCE = Source(
    name="netsuite",
    default_scheme="makini",
    read=reader(_map, envelopes=("items",)),
    map_from="REST record schemas (GitHub wsjmnh/netsuite-record-rest-docs), a captured order, docs.oracle.com; solid",
)
