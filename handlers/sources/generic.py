"""A system that nobody coded, read by a map in its connection alone.

```toml
[connections.plant-7]
source = "generic"
secrets = [{ ref = "env:PLANT_7" }]
time_zone = "Europe/Berlin"                       # for times without an offset; site_zones have no use here
status_map = { OFFEN = "approved", ERL = "completed" }
priority_map = { "1" = "critical" }

[connections.plant-7.map]
elements = "/data/items"                          # where they stand; `*` once for each of an array
type = { at = "/event", words = { neu = "work_order.created", geaendert = "work_order.updated" } }
key = ["/werk", "/nummer"]                        # several parts are joined by a slash
event_id = "/ereignis"
occurred_at = "/geaendert_am"
dates = "%d.%m.%Y %H:%M"
nulls = ["", "00.00.0000 00:00"]

[connections.plant-7.map.fields.work_order]
title = "/titel"
status = "/status"
asset_ref = { at = "/maschine/id", label = "/maschine/name" }
due_at = "/faellig"
estimated_duration = { at = "/dauer", as = "hours" }
type = { at = "/art", words = { W = "preventive", R = "corrective" } }
record_kind = { constant = "order" }
parts = { each = "/teile", fields = { item_ref = "/nr", used_qty = "/menge" } }
```

A *place* is a JSON Pointer (RFC 6901) into the element, `"/maschine/id"`, the same as `{ at = "/maschine/id" }`; or
`{ beside = "/event" }`, into the envelope around the elements; or `{ header = "X-Webhook-Event" }`, one of the headers
that are stored. A pointer that leads nowhere tells nothing; to a null, or through one, clears.

- `type`: an event type of ours (contract, section 5), or a place with `words` that turn the sender's into ours and
  `or_else` for all others; a word of neither is kept as `generic.<word>` and ignored.
- `key`: a place, an array of places, or a table of these by kind where kinds differ.
- `elements`: a pointer into the body; without it the body is the element, or an array of elements.
- `event_id`: the sender's id of the event; else the delivery's header id, else the bytes themselves.
- `occurred_at`: a place, perhaps with `as`. Without it nothing orders the facts but `version`, or `order = "arrival"`.
- `version`: a place of whole numbers, which then order the facts of every kind.
- `completeness`: `partial` (what is absent touches nothing; so without it), `full` (it clears), `thin` (it is fetched).
- `dates`: how times are written: `iso` (RFC 3339; so without it), `epoch_seconds`, `epoch_milliseconds`, or a pattern
  of `%Y %y %m %d %H %I %p %M %S %f %z %j`. A date is never shifted by a zone.
- `currency`: a place of ISO 4217 codes; else the connection's `currency`.
- `nulls`: texts that mean null.
- `fields`: by kind, then by field of ours (`maintenworks schema KIND`), and what is inside one: `failure.cause`,
  `totals.on_hand.unit`.

A field is a place; or a table of a place with `as` (`hours`, `minutes` or `seconds` for a duration, `cents` for money,
any of `dates` for a time), `words` (the sender's words, by which ours), `label` (a pointer to what it is called, beside
a reference or a status); or `{ constant = … }`; or `{ each = "/lines", fields = { … } }`, a list of objects.
Statuses and priorities without `words` are read by `status_map` and `priority_map`. What the map does not name is in
`custom_fields`. A status or a word that neither knows is `unknown`, with a warning.

No part of this is taken from any system: the connection's map is the only source of its facts.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, cast

from handlers.events import Delivery, MappingOptions, Reading
from handlers.model.reading import REPLACEMENT
from handlers.model.scalars import read_key
from handlers.model.times import instant_text
from handlers.model.types import CONNECTION, READ_AS, is_about_connection
from handlers.sources import Source
from handlers.sources._converters import joined, text
from handlers.sources._generic_places import ABSENT, ELEMENT, Place, place
from handlers.sources._generic_rules import Rules, rules
from handlers.sources._generic_times import ISO, happened
from handlers.sources._mapping import Field
from handlers.sources._node import Node
from handlers.sources._reader import reader
from handlers.sources._told import Told, unhandled

MOST_PLANS: Final = 256
"""How many maps are kept compiled: one a connection, and those before an edit."""


class Plan:
    """A map, compiled.

    Args:
        given: the table `map` of a connection, checked already.

    Attributes:
        read: as `handlers.sources.Source.read`.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.read: Callable[[Delivery, MappingOptions], Reading] = reader(
            self._map, envelopes=[given["elements"][1:]] if "elements" in given else []
        )
        type_ = given["type"]
        self._constant = type_ if isinstance(type_, str) else None
        self._type = None if isinstance(type_, str) else place(type_)
        self._words: Mapping[str, str] = {} if isinstance(type_, str) else type_.get("words", {})
        self._or_else = None if isinstance(type_, str) else type_.get("or_else")
        key = given["key"]
        by_kind = isinstance(key, dict) and not {"at", "beside", "header"} & key.keys()
        self._keys = {kind: _places(each) for kind, each in (key if by_kind else {"": key}).items()}
        self._id = _place(given, "event_id")
        self._dates = given.get("dates", ISO)
        self._time, self._written = _place(given, "occurred_at"), self._dates
        if isinstance(given.get("occurred_at"), dict):
            self._written = given["occurred_at"].get("as", self._dates)
        self._version, self._currency = _place(given, "version"), _place(given, "currency")
        self._nulls = frozenset(given.get("nulls", ()))
        self._completeness = cast("Literal['full', 'partial', 'thin']", given.get("completeness", "partial"))
        fields: Mapping[str, Any] = given.get("fields", {})
        self._rules = {kind: self._compiled(kind, each) for kind, each in fields.items()}

    def _compiled(self, kind: str, fields: Mapping[str, Any]) -> Rules:
        others = (
            self._type,
            self._id,
            self._time,
            self._version,
            self._currency,
            *self._keys.get(kind, self._keys.get("", ())),
        )
        return Rules(kind, rules(kind, fields, self._dates), tuple(each for each in others if each is not None))

    def _map(self, node: Node) -> Iterator[Told]:
        code = self._constant if self._type is None else self._text(self._type, node)
        type_ = self._constant or self._words.get(code or "") or self._or_else
        if type_ is None:
            yield unhandled("generic", code or "unknown", node)
            return
        kind = READ_AS.get(type_, type_.partition(".")[0])
        is_own = is_about_connection(type_)
        key = "" if is_own else self._key(node, kind)
        currency = None if self._currency is None else self._text(self._currency, node)
        node.given.currency = currency
        known = self._rules.get(CONNECTION if is_own else kind) or _NOTHING
        data, left = known.state(node, self._nulls)
        moment = None if self._time is None else happened(self._time, self._written, node, self._nulls)
        event_id = None if self._id is None else self._text(self._id, node, as_key=True)
        if self._type is not None and self._type.where != ELEMENT:
            # Equal bytes under two names are two events.
            event_id = f"{code}/{event_id or key}/{'' if moment is None else instant_text(moment)}"
        is_gone = type_.endswith((".deleted", ".voided"))
        yield Told(
            type=type_,
            key=key,
            data=data,
            custom=left,
            occurred_at=moment,
            version=self._number(node),
            event_id=event_id,
            completeness="partial" if is_gone else self._completeness,
            table=known,
        )

    def _key(self, node: Node, kind: str) -> str:
        parts = []
        for spot in self._keys.get(kind) or self._keys.get("") or ():
            part = self._text(spot, node, as_key=True)
            if part is None:
                owner = spot.owner(node, None)
                raise owner.error("missing_field", spot.name, "nothing", "a part of the key")
            parts.append(part)
        if not parts:
            raise node.error("map_incomplete", "", "object", f"a key for {kind} in the connection's map")
        return parts[0] if len(parts) == 1 else joined(*parts)

    def _text(self, spot: Place, node: Node, *, as_key: bool = False) -> str | None:
        """A text, or the digits of a number; None for a null."""
        value = spot.find(node)
        if value is ABSENT or value is None or value == "" or (isinstance(value, str) and value in self._nulls):
            return None
        owner = spot.owner(node, value)
        if as_key:
            return read_key(value, owner.within(spot.name), node.given.context)
        return str(text(value, owner, Field("", name=spot.name))).replace("\0", REPLACEMENT)

    def _number(self, node: Node) -> int | None:
        if self._version is None:
            return None
        value = self._version.find(node)
        if value is ABSENT or value is None or (isinstance(value, str) and (not value or value in self._nulls)):
            return None
        owner, name = self._version.owner(node, value), self._version.name
        number = owner.decimal(name, value)
        if number != number.to_integral_value():
            raise owner.error("malformed_value", name, "number", "a whole number")
        return int(number)


_NOTHING: Final = Rules("", ())
_plans: dict[int, tuple[Mapping[str, Any], Plan]] = {}


def read(delivery: Delivery, options: MappingOptions) -> Reading:
    """Reads a delivery by its connection's map; without one each element is refused with what to write."""
    if not options.map:
        return _READ_NOTHING(delivery, options)
    held = _plans.get(id(options.map))
    if held is None or held[0] is not options.map:
        if len(_plans) >= MOST_PLANS:
            _plans.clear()
        held = _plans[id(options.map)] = (options.map, Plan(options.map))
    return held[1].read(delivery, options)


def _refused(node: Node) -> list[Told]:
    raise node.error("map_missing", "", "object", "a map in the connection: [connections.ID.map]")


_READ_NOTHING: Final = reader(_refused)


def _places(spec: Any) -> tuple[Place, ...]:
    return tuple(map(place, spec)) if isinstance(spec, list) else (place(spec),)


def _place(given: Mapping[str, Any], name: str) -> Place | None:
    return place(given[name]) if name in given else None


SOURCE = Source(
    name="generic",
    default_scheme="makini",
    read=read,
    map_from="the connection's own map in connections.toml",
)
