"""Microsoft Dynamics 365 Business Central: notifications of its webhooks, and records of its API v2.0.

Where the map comes from, read in 2026; facts only. BC: GitHub `MicrosoftDocs/dynamics365smb-devitpro-pb`, folder
`dev-itpro/api-reference/v2.0`: `dynamics-subscriptions.md`, and of `resources/` the pages purchaseorder,
purchaseorderline, item, vendor. Solid.

Rules:

- One body holds many notifications, of several records, entities and even subscriptions. Nothing is signed: every one
  carries its subscription's `clientState`, our secret, and each of them is checked. It is kept in no record.
- `resource` names company, entity set and record by its tail, whatever API stands before it: a custom API page has its
  publisher's path. A notification only asks for a fetch; `deleted` is a tombstone.
- A `collection` (over a thousand changes) names a range by a `$filter` on the time of change. No record is its subject,
  so nothing is marked: it is an event of type `business_central.collection`, whose key is the range to be read.
- Purchase orders are not among the standard subscriptions and lateness is unbounded: poll as well.
- Keys are company and record, GUIDs in lower case. A record says its company in `@odata.context`. Times are
  `lastModifiedDateTime`; lines have none, so a line by itself is a fetch of its order.
- Nulls: an empty text, the GUID of zeros, `0001-01-01` (INFERRED, well known). A vendor's `blocked` of one blank is a
  value: not blocked. Enumerations have blanks, or are escaped (`In_x0020_Review`, INFERRED).
- An empty `currencyCode` is the company's own currency (INFERRED): the connection's. An item's costs always are in it.
- `fullyReceived` completes an order whatever its status says; `Open` is released, so approved, and in progress once any
  line that came with it is received.
- An order that is fully invoiced disappears: it is deleted here, with the status that it had.
- INFERRED: an order that has its lines and all that is asked of a whole one is whole, so a line that it lacks is gone.
  Any other answer may be a subset, and clears nothing that it lacks.
- INFERRED besides: what the types of lines are to us; that a vendor blocked for payment alone is active; that
  `purchaser` is the buyer.

There are neither maintenance orders nor assets in the standard API.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from handlers.sources import Handshake, Source
from handlers.sources import _business_central_records as records
from handlers.sources import _business_central_tables as tables
from handlers.sources._converters import joined
from handlers.sources._node import Node
from handlers.sources._odata import CONTEXT, entity_set, has_all, own
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled

NO_GUID: Final = "00000000-0000-0000-0000-000000000000"
NO_DAY: Final = "0001-01-01"
VERBS: Final = frozenset({"created", "updated", "deleted"})

_RESOURCE = re.compile(r"companies\('?([^()']+)'?\)/([A-Za-z0-9_]+)(?:\('?([^()']+)'?\))?(\?.*)?", re.DOTALL)


def is_null(value: Any) -> bool:
    """Business Central's nulls beside JSON's. One blank is none."""
    return isinstance(value, str) and (
        value in ("", NO_GUID) or (value.startswith(NO_DAY) and value[len(NO_DAY) :] in ("", "T00:00:00Z"))
    )


def _notice(node: Node) -> Told:
    """A notification."""
    match = _RESOURCE.search(node.key("resource"))
    if match is None:
        raise node.error("malformed_value", "resource", "string", "a resource such as api/v2.0/companies(…)/items(…)")
    company, name, record, query = match.groups()
    company, change = company.lower(), node.key("changeType").lower()
    happened = node.instant("lastModifiedDateTime")
    kind = KINDS.get(name.lower())
    if change in VERBS and record is not None:
        key = joined(company, record.lower())
        if kind is not None:
            data = {"source_id": record.lower(), "source_updated_at": node.get("lastModifiedDateTime")}
            custom = {each: value for each, value in node.values.items() if each not in tables.NOTICE}
            return Told(
                type=f"{kind}.{change}",
                key=key,
                data=data,
                custom=own(node, custom),
                occurred_at=happened,
                completeness="partial" if change == "deleted" else "thin",
                entity=name,
            )
    else:
        key, name = f"{company}/{name}{query or ''}", change
    kept = {each: value for each, value in node.values.items() if each != tables.CLIENT_STATE}
    return Told(type=f"business_central.{name}", key=key, custom=kept, occurred_at=happened)


_RECORDS: Final[Mapping[str, records.Mapper]] = {
    "purchaseorders": records.purchase_order,
    "purchaseorderlines": records.purchase_order_line,
    "items": records.item,
    "vendors": records.vendor,
}
KINDS: Final = {"purchaseorders": "purchase_order", "items": "inventory_item", "vendors": "vendor"}
"""By entity set, of which custom API pages may write the name in any case (I)."""


def _map(node: Node) -> Iterator[Told]:
    if "changeType" in node or tables.CLIENT_STATE in node:
        yield _notice(node)
        return
    company, name = entity_set(node)
    mapper = _RECORDS.get((name or "").lower())
    if mapper is None:
        yield unhandled("business_central", name or "unknown", node, node.text("id"))
        return
    if not company:
        raise node.error("missing_field", CONTEXT, "nothing", "a context that names the company")
    record, stated, table = mapper(node, company.lower())
    if mapper is not records.purchase_order_line:
        stated.data["source_id"] = record.lower()
    yield Told(
        type=f"{table.kind}.updated",
        key=joined(company.lower(), record.lower()),
        data=stated.data,
        custom=own(node, stated.custom),
        occurred_at=node.instant("lastModifiedDateTime"),
        completeness="full" if mapper is records.purchase_order and has_all(node, records.WHOLE) else "partial",
        table=table,
        entity=name,
    )


SOURCE = Source(
    name="business_central",
    default_scheme={"token": {"pointer": f"/value/*/{tables.CLIENT_STATE}"}},
    read=reader(_map, envelopes=("value",), is_null=is_null, may_have_mark=True),
    map_from="API reference v2.0 and webhooks (GitHub MicrosoftDocs/dynamics365smb-devitpro-pb); solid",
    handshakes=(Handshake.VALIDATION,),
)
