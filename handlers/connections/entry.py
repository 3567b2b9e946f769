"""One table of `connections.toml` into one connection, or the notes on why not."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from handlers.connections.connection import Api, Connection, SecretRef
from handlers.connections.fields import Fields, kind_of, zone_problem
from handlers.connections.providers import reference_problem
from handlers.errors import ConfigurationError
from handlers.events import MappingOptions
from handlers.model.values import Priority, Word
from handlers.signatures import Scheme, scheme
from handlers.sources import Source

_FIELDS: Final = (
    "source",
    "customer",
    "environment",
    "scheme",
    "hmac",
    "secrets",
    "api",
    "deployment",
    "time_zone",
    "site_zones",
    "currency",
    "status_map",
    "priority_map",
    "rate_limit",
    "paused",
    "revoked",
)
_LATER: Final[Mapping[str, str]] = {
    "endpoint": "shared endpoints come with a later version; give the connection secrets and its own address",
    "external_id": "shared endpoints come with a later version; leave it out",
}


def read_connection(connection_id: str, fields: Fields, sources: Mapping[str, Source]) -> Connection | None:
    """Reads one connection.

    Args:
        connection_id: its name, checked already.
        fields: of its table; what is wrong with them is noted there.
        sources: all there are, by name.

    Returns:
        None where something was wrong without which there is no connection.
    """
    for later, message in _LATER.items():
        if later in fields:
            fields.wrong(later, message)
    fields.only((*_FIELDS, *_LATER))
    source = sources.get(_source(fields, sources))
    by = _scheme(fields, source)
    secrets = _secrets(fields)
    rest = {
        "customer": fields.text("customer", connection_id),
        "environment": fields.one_of("environment", ("production", "sandbox"), "production"),
        "deployment": fields.one_of("deployment", ("cloud", "on_premises"), "cloud"),
        "options": _options(fields),
        "paused": fields.flag("paused"),
        "revoked": fields.flag("revoked"),
        "rate_limit": fields.rate("rate_limit"),
        "api": _api(fields),
    }
    if source is None or by is None:
        return None
    return Connection(id=connection_id, source=source.name, scheme=by, secrets=secrets, **rest)


def _source(fields: Fields, sources: Mapping[str, Source]) -> str:
    if "source" not in fields:
        fields.wrong("source", f"is missing; name one of {', '.join(sources)}")
        return ""
    return str(fields.one_of("source", tuple(sources), ""))


def _scheme(fields: Fields, source: Source | None) -> Scheme | None:
    given = fields.any("scheme", str, dict)
    base: tuple[str, ...] = ("scheme",) if isinstance(given, dict) else ()
    if "hmac" in fields:  # the options may stand beside the scheme's name, or without it
        if given not in (None, "hmac"):
            fields.wrong("hmac", 'are options of scheme = "hmac"; drop them, or the other scheme')
            return None
        given = {"hmac": fields.any("hmac", dict, or_else={})}
    if given is None:
        given = source.default_scheme if source is not None else None
    if given is None:
        return None
    try:
        return scheme(given)
    except ConfigurationError as error:
        for problem in error.problems:
            where, _, what = problem.partition(": ")
            first, *inside = (*base, *where.split(".")) if where != "scheme" else ("scheme",)
            fields.wrong(first, what, *inside)
        return None


def _secrets(fields: Fields) -> tuple[SecretRef, ...]:
    if "secrets" not in fields:
        if not fields.flag("revoked"):
            fields.wrong("secrets", 'is missing; write secrets = [{ ref = "env:NAME" }]')
        return ()
    given = fields.any("secrets", list)
    if given == []:
        fields.wrong("secrets", 'is empty; write secrets = [{ ref = "env:NAME" }]')
    refs = []
    for position, each in enumerate(given or ()):
        if isinstance(each, str):
            fields.wrong("secrets", _not_a_table(each), position)
        elif not isinstance(each, dict):
            fields.wrong("secrets", f'is {kind_of(each)}; write {{ ref = "env:NAME" }}', position)
        else:
            refs.append(_secret(fields.inner(each, "secrets", position)))
    return tuple(ref for ref in refs if ref is not None)


def _not_a_table(text: str) -> str:
    return reference_problem(text) or 'is a bare reference; write { ref = "…" } around it'


def _secret(fields: Fields) -> SecretRef | None:
    fields.only(("ref", "not_before", "not_after"))
    not_before, not_after = fields.instant("not_before"), fields.instant("not_after")
    if not_before is not None and not_after is not None and not_before >= not_after:
        fields.wrong("not_after", "is not after not_before; such a secret is never used")
    return _reference(fields, "ref", not_before=not_before, not_after=not_after)


def _reference(fields: Fields, name: str, **window: Any) -> SecretRef | None:
    if name not in fields:
        fields.wrong(name, 'is missing; write a reference like "env:NAME" or "file:PATH"')
        return None
    text = fields.any(name, str)
    problem = reference_problem(text) if text is not None else None
    if problem is not None:
        fields.wrong(name, problem)
    return SecretRef(text=text, **window) if text is not None and problem is None else None


def _api(fields: Fields) -> Api | None:
    given = fields.any("api", dict)
    if given is None:
        return None
    api = fields.inner(given, "api")
    api.only(("base_url", "token"))
    base_url = api.text("base_url")
    if base_url is None or not _is_web_address(base_url):
        api.wrong("base_url", 'is no address; write one like "https://api.makini.io/api/eam"')
        return None
    return Api(base_url=base_url.rstrip("/"), token=_reference(api, "token") if "token" in api else None)


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        has_login = parts.username is not None or parts.password is not None
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not has_login


def _options(fields: Fields) -> MappingOptions:
    statuses = {word for kind in Word.__subclasses__() if kind is not Priority for word in kind.words}
    return MappingOptions(
        time_zone=fields.zone("time_zone"),
        currency=fields.currency("currency"),
        status_map=fields.map("status_map", lambda word: _word_problem(word, statuses)),
        priority_map=fields.map("priority_map", lambda word: _word_problem(word, Priority.words)),
        site_zones=fields.map("site_zones", zone_problem),
    )


def _word_problem(word: str, ours: Collection[str]) -> str | None:
    return None if word in ours else f"is none of our words; there are {', '.join(sorted(ours))}"
