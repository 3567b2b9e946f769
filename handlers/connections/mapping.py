"""What a connection tells its source, from its table: zones, currency, words and fields of its own."""

import difflib
from collections.abc import Collection

from handlers.connections import generic_map
from handlers.connections.fields import Fields, zone_problem
from handlers.events import MappingOptions
from handlers.model import MODELS
from handlers.model.values import Priority, Word

NAMES = (
    "time_zone",
    "site_zones",
    "currency",
    "status_map",
    "priority_map",
    "field_map",
    "order",
    generic_map.NAME,
)
"""The fields read here."""


def read_options(fields: Fields) -> MappingOptions:
    """Reads them; what is wrong is noted there, and the default is taken."""
    statuses = {word for kind in Word.__subclasses__() if kind is not Priority for word in kind.words}
    return MappingOptions(
        time_zone=fields.zone("time_zone"),
        currency=fields.currency("currency"),
        status_map=fields.map("status_map", lambda word: _word_problem(word, statuses)),
        priority_map=fields.map("priority_map", lambda word: _word_problem(word, Priority.words)),
        site_zones=fields.map("site_zones", zone_problem),
        field_map=fields.map("field_map", _field_problem),
        order=fields.one_of("order", ("source", "arrival"), "source"),
        map=generic_map.read_map(fields),
    )


def _word_problem(word: str, ours: Collection[str]) -> str | None:
    return None if word in ours else f"is none of our words; there are {', '.join(sorted(ours))}"


def _field_problem(target: str) -> str | None:
    """Why a text names no field of ours, `criticality` or `asset.criticality`; None where it does."""
    kind, dot, name = target.rpartition(".")
    if dot and kind not in MODELS:
        return (
            f"names no kind of ours; write a field such as criticality, or one of {', '.join(MODELS)}, a dot, a field"
        )
    known = MODELS[kind].fields if dot else {field for model in MODELS.values() for field in model.fields}
    if name in known:
        return None
    near = difflib.get_close_matches(name, known, n=1)
    mend = f"did you mean {near[0]}?" if near else "`maintenworks schema KIND` lists them"
    return f"is no field of {kind or 'any record'}; {mend}"
