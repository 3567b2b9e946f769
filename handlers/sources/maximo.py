"""IBM Maximo (Manage, MAS): what its REST interface and its publish channels send as JSON.

Where the map comes from, read in 2026; facts only:

- MAF: GitHub `Nadeem-Zaidi/maximo_maf`, test data of IBM's mobile apps: the lean shape (`member`), `href`, `_rowstamp`
  as text, a location as an object, readings as text, synonym statuses.
- CAPT: GitHub `gogreenverze/MaximoWin`, `archive/test_data`: the non-lean shape (`rdfs:member`, `spi:`).
- ERD: GitHub `zbeat/zbeat.github.io`, table dictionary: columns, titles, keys.
- IBM: support document ibm11112013, allowable status changes; REST guide, ibm-maximo-dev.github.io.

Rules:

- Keys have parts, joined by `/`, as sent: `BEDFORD/1208`. `wonum` alone is not unique. A purchase order is the highest
  revision of its number, so its version is the revision first and then `_rowstamp`.
- `_rowstamp` grows; it orders the facts of a kind. Assets are ordered by time instead, since the rows of ASSETSTATUS
  are told as their status stream and may be told again by every later read.
- A status is mapped by its internal value (`status_maxvalue`), save WSCH and WPCOND, which some base domains list under
  APPR; without one the code itself is tried. `status_map` may name either.
- Maximo omits nulls, so a whole record clears what it lacks. INFERRED: whole is what carries its table's own number
  (`workorderid`, `assetuid`, …), which no selection of columns has by accident; all else touches only what it has.
- Priorities have no safe direction (the dictionary says 999 is the highest, many sites mean 1): null until
  `priority_map` names them.
- Date-only columns come as midnight with an offset: the date as it is written counts.

INFERRED besides: what the `_maximo_*` modules mark so; that ASSETSTATUS and ASSETMETER rows come inside their asset,
or alone.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from handlers.model.times import instant_text
from handlers.sources import Source
from handlers.sources import _maximo_assets as assets
from handlers.sources import _maximo_domains as domains
from handlers.sources import _maximo_tables as tables
from handlers.sources import _maximo_trade as trade
from handlers.sources._converters import joined, reference, word
from handlers.sources._marks import Marks
from handlers.sources._maximo_parts import is_null, is_set, key, occurred_at, place, put, status, told, version
from handlers.sources._maximo_plans import plan
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled

PREFIX: Final = "spi:"
"""What names of columns begin with in the non-lean shape [CAPT]."""


def _work_order(node: Node) -> Iterator[Told]:
    """MXWO. A row of `istask` true is a step of its parent, which it asks to be fetched."""
    site = node.key("siteid")
    if is_set(node, "istask") and node.text("parent") is not None:
        parent = joined(site, node.text("parent"))
        yield Told(
            type="work_order.updated",
            key=parent,
            occurred_at=occurred_at(node),
            version=version(node),
            completeness="thin",
            entity="MXWO",
        )
        return
    stated = tables.WORK_ORDER.tell(node)
    data = stated.data
    data["number"] = node.key("wonum")
    data.setdefault("record_kind", "order")
    _work_status(node, data)
    _classify(node, data)
    place(node, data)
    for target, column in _OF_SITE.items():
        put(node, data, target, column, site)
    due = node.first("targcompdate", "respondby", "fnlconstraint")
    if due is not None:
        data["due_at"] = due
    request = node.text("origrecordid")
    if request is not None:
        data["request_ref"] = reference(joined(node.text("origrecordclass"), request))
    _people(node, data)
    _failure(node, data)
    yield told(
        node,
        "work_order",
        key(node, "siteid", "wonum"),
        stated,
        tables.WORK_ORDER,
        own_number="workorderid",
        version=version(node),
        entity="MXWO",
    )


_OF_SITE: Final = {
    "asset_ref": "assetnum",
    "location_ref": "location",
    "parent_ref": "parent",
    "pm_plan_ref": "pmnum",
}


def _work_status(node: Node, data: dict[str, Any]) -> None:
    """The status, and what the history of statuses beside it says of when the order was finished."""
    internal = node.text("status_maxvalue") or node.text("status")
    code = node.text("status")
    reason = domains.HOLD_REASONS.get(code or "") or domains.HOLD_REASONS.get(internal or "")
    stands = status(node, domains.WORK_ORDER_STATUSES, reason=reason)
    if stands is None:
        return
    data["status"] = stands
    target = {"completed": "completed_at", "closed": "closed_at", "cancelled": "cancelled_at"}.get(
        stands["value"] or ""
    )
    changed = node.instant("statusdate")
    if target is not None and changed is not None:
        data[target] = instant_text(changed)


def _classify(node: Node, data: dict[str, Any]) -> None:
    worktype = node.text("worktype")
    if worktype is not None:
        data["type"], data["type_source"] = domains.WORK_TYPES.get(worktype, worktype), worktype
    priority = node.text("wopriority")
    if priority is not None:
        data["priority"] = word({}, priority, source_label=node.text("wopriority_description"))


def _people(node: Node, data: dict[str, Any]) -> None:
    assignees = [each for each in (node.text("lead"), node.text("owner")) if each is not None]
    if assignees:
        data["assignees"] = [{"key": each} for each in dict.fromkeys(assignees)]
    supervisor = node.text("supervisor")
    if supervisor is not None:
        data["supervisor"] = {"key": supervisor}
    team = next((each for each in map(node.text, ("persongroup", "ownergroup", "crewid")) if each is not None), None)
    if team is not None:
        data["team_ref"] = reference(team)


def _failure(node: Node, data: dict[str, Any]) -> None:
    parts = {"PROBLEM": "mode", "CAUSE": "cause", "REMEDY": "remedy"}
    for row in node.nodes("failurereport"):
        part = parts.get(row.text("type") or "")
        if part is not None and row.text("failurecode") is not None:
            data.setdefault("failure", {})[part] = row.text("failurecode")


def _ticket(node: Node) -> Iterator[Told]:
    """A service request (INFERRED: its columns); `INPROG` and `CLOSED` here, where orders say INPRG and CLOSE."""
    stated = tables.TICKET.tell(node)
    data = stated.data
    data["number"], data["record_kind"] = node.key("ticketid"), "request"
    stands = status(node, domains.TICKET_STATUSES)
    if stands is not None:
        data["status"] = stands
    place(node, data)
    put(node, data, "asset_ref", "assetnum", node.text("assetsiteid") or node.text("siteid"))
    put(node, data, "location_ref", "location", node.text("assetsiteid") or node.text("siteid"))
    ticket = joined(node.text("class") or "SR", node.key("ticketid"))
    yield told(node, "work_order", ticket, stated, tables.TICKET, version=version(node), entity="MXSR")


def _map(node: Node) -> Iterator[Told]:
    """What an element is, by the key columns it has."""
    if any(name.startswith(PREFIX) for name in node.values):
        node = node.without(PREFIX)
    site = node.get("siteid")
    node.given.context.at_site(site if isinstance(site, str) else None)
    mapper = _TABLES.of(node)
    if mapper is None:
        yield unhandled("maximo", "unknown", node)
    else:
        yield from mapper(node)


def _status_row(node: Node) -> Iterator[Told]:
    yield assets.edge(node)


_TABLES: Final[Marks[Callable[[Node], Iterator[Told]]]] = Marks(
    (("ponum",), trade.purchase_order),
    (("ticketid",), _ticket),
    (("assetnum", "changedate", "isrunning", "code"), _status_row),
    (("assetnum", "changedate", "currentstatus"), _status_row),
    (("wonum",), _work_order),
    (("pmnum",), plan),
    (("metername", "readingdate"), lambda node: assets.reading(node, tables.READING)),
    (("metername", "lastreadingdate"), lambda node: assets.reading(node, tables.LAST_READING)),
    (("assetnum",), assets.asset),
    (("itemnum", "itemsetid", "location"), trade.inventory),
    (("company", "orgid"), trade.company),
)
"""The columns that tell a table from the others, the first that fit win: a work order has a `pmnum` too, an asset an
`itemnum`, a row of ASSETSTATUS a `wonum`."""

SOURCE = Source(
    name="maximo",
    default_scheme="makini",
    read=reader(_map, envelopes=("member", "rdfs:member"), is_null=is_null),
    map_from="IBM's mobile test data and captured REST answers (GitHub Nadeem-Zaidi/maximo_maf, "
    "gogreenverze/MaximoWin), table dictionary (zbeat/zbeat.github.io), IBM ibm11112013; solid",
)
