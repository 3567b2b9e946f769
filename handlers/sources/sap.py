"""SAP S/4HANA: its business events (CloudEvents), and records as its OData interfaces write them, v2 and v4.

Where the map comes from, read in 2026; facts only:

- L: specifications and sandbox answers of SAP's interfaces in GitHub `latonaio/sap-api-integrations-*`: maintenance
  order, maintenance notification, equipment master, functional location, purchase order, material stock, product
  master, business partner (supplier), measurement document, measuring point, maintenance plan.
- EV: maintenance order events, AsyncAPI turned into CDS. CDS: a newer API_MAINTENANCEORDER, likewise.
- KBA: SAP KBA 3416344 and 3070935, from what the status of a purchase order follows.
- ST: sapdatasheet.org, BAPI_SYSTEM_STATUS_TEXT, BPUMZ; queryviz.io, TJ02T; help.sap.com, "System Status for Orders".
- HOOK: SAP's developer show "Diving into messaging on SAP Cloud Platform", part 5: how webhooks of SAP Event Mesh shake
  hands (OPTIONS with `WebHook-Request-Origin`) and that they prove themselves by basic authentication.

Rules:

- An event has two keys and no record [EV]: it states what its name says, and asks for a fetch. Nothing tells of changed
  dates or priorities, so those need a fetch of what `LastChangeDateTime` names.
- A record names every property, nulls too: what it lacks was not asked for and is left alone. INFERRED: what has a
  property that nobody asks for by name (`MaintenanceOrderInternalID`, …) is whole, and satisfies the fetch.
- `LastChangeDateTime` orders the facts, else `LastChangeDate` with `LastChangeTime`. Both are often empty [L], stock
  and suppliers have none: such a record asks for a fetch, unless the connection says `order = "arrival"`.
- Numbers of objects are told without the zeros that SAP stores before them, which `source_id` keeps. Zeros of
  operations, plants, companies, terms and functional locations count.
- Notifications have numbers of their own, which orders may have too: their keys are `notification/10000412`.
- `/Date(…)/` of a date is that date. Dates with times are of the zone that a notification names, else of the plant's:
  `site_zones`, then `time_zone`.
- What is in SI stands beside units that it is not in, and downtime in seconds beside H [L]: see `_sap_meters`,
  `_sap_notifications`. A price is for `NetPriceQuantity` of its own unit.
- Status texts hold several codes in no order: the one that decides is `source_code`, all are in `sub_codes`, and
  `status_map` may name any of them, customers' own too (`CNF = "completed"`, `MSPT = "on_hold"`).
- Long texts are cut to 40 characters in titles; the whole is an entity of its own.

INFERRED besides: what the `_sap_*` modules mark so; the shape of what is expanded in v2 and v4; types of orders and
notifications, priorities (`priority_map` may name `2`, or `PM/2` with the type), ABC indicators (`priority_map`).
"""

from collections.abc import Callable, Iterator
from typing import Final

from handlers.sources import Handshake, Source
from handlers.sources import _sap_assets as assets
from handlers.sources import _sap_items as items
from handlers.sources import _sap_meters as meters
from handlers.sources import _sap_purchasing as purchasing
from handlers.sources import _sap_vendors as vendors
from handlers.sources._marks import Marks
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._sap_events import event
from handlers.sources._sap_notifications import notification
from handlers.sources._sap_orders import order
from handlers.sources._sap_plans import plan
from handlers.sources._sap_values import is_null
from handlers.sources._told import Told, unhandled

Mapper = Callable[[Node], Iterator[Told]]

_BY_TYPE: Final[dict[str, Mapper]] = {
    "MaintenanceOrder": order,
    "MaintenanceNotification": notification,
    "Equipment": assets.equipment,
    "FunctionalLocation": assets.location,
    "PurchaseOrder": purchasing.purchase_order,
    "PurchaseOrderItem": purchasing.item,
    "Product": items.product,
    "ProductPlant": items.plant,
    "ProductPlantMRPArea": items.plant,
    "MatlStkInAcctMod": items.stock,
    "BusinessPartner": vendors.partner,
    "Supplier": vendors.supplier,
    "MeasurementDocument": meters.reading,
    "MeasuringPoint": meters.point,
    "MaintenancePlan": plan,
}
"""By the entity type that a record's metadata name, without `A_` and `Type`."""

_BY_PROPERTIES: Final[Marks[Mapper]] = Marks(
    (("MaintenanceNotification", "NotificationType"), notification),
    (("MaintenanceNotification", "NotifProcessingPhase"), notification),
    (("MaintenanceOrder", "MaintenanceOrderType"), order),
    (("MeasurementDocument", "MeasuringPoint"), meters.reading),
    (("MeasuringPoint", "MeasuringPointDescription"), meters.point),
    (("PurchaseOrder", "PurchaseOrderItem", "OrderQuantity"), purchasing.item),
    (("PurchaseOrder", "PurchaseOrderType"), purchasing.purchase_order),
    (("Material", "MatlWrhsStkQtyInMatlBaseUnit"), items.stock),
    (("Product", "ProductType"), items.product),
    (("BusinessPartner", "BusinessPartnerCategory"), vendors.partner),
    (("Supplier", "SupplierAccountGroup"), vendors.supplier),
    (("MaintenancePlan", "MaintenancePlanDesc"), plan),
    (("Equipment", "EquipmentName"), assets.equipment),
    (("FunctionalLocation", "FunctionalLocationName"), assets.location),
)
"""Where no metadata say what it is: properties that only it has together, the first that fit win."""


def _map(node: Node) -> Iterator[Told]:
    if "specversion" in node:
        yield from event(node)
        return
    name = _type(node)
    mapper = _BY_TYPE.get(name) or _BY_PROPERTIES.of(node)
    if mapper is None:
        yield unhandled("sap", name or "unknown", node)
    else:
        yield from mapper(node)


def _type(node: Node) -> str:
    metadata = node.values.get("__metadata")
    name = metadata.get("type") if isinstance(metadata, dict) else node.values.get("@odata.type")
    return name.rpartition(".")[2].removeprefix("A_").removesuffix("Type") if isinstance(name, str) else ""


SOURCE = Source(
    name="sap",
    default_scheme={"token": {"basic": "maintenworks"}},
    read=reader(_map, envelopes=("d/results", "d", "value"), is_null=is_null),
    map_from="OData specifications and sandbox answers (GitHub latonaio/sap-api-integrations-*), event definitions, "
    "SAP KBA 3416344 and 3070935; solid, the words for types and priorities inferred",
    handshakes=(Handshake.WEBHOOK_ORIGIN,),
    external_id="/source",
)
