"""The options of `hmac = {…}`: a sender that signs in some plain way of its own."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from handlers.errors import ConfigurationError
from handlers.signatures.base import TOLERANCE_SECONDS
from handlers.signatures.encodings import DECODERS
from handlers.signatures.keyed import BODY, SIZES, TIMESTAMP, KeyedScheme

MAX_TOLERANCE_SECONDS: Final = 86_400
"""A day: beyond it a timestamp no longer says anything."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
"""A header's name (RFC 9110, section 5.1)."""

_PREFIX = re.compile(r"[\x21-\x2b\x2d-\x7e]{0,32}")
"""Printable ASCII without the comma, which separates signatures."""

_PLACEHOLDER = re.compile(r"\{[^{}]*\}|[{}]")

_DEFAULTS: Final[Mapping[str, object]] = {
    "hash": "sha256",
    "encoding": "hex",
    "prefix": "",
    "tolerance": TOLERANCE_SECONDS,
}


def header_problem(value: object) -> str | None:
    """Why something is no header's name, with its mend; None where it is one."""
    return (
        None
        if isinstance(value, str) and _TOKEN.fullmatch(value)
        else 'is no header name; write one like "X-Signature"'
    )


def _one_of(choices: Mapping[str, object]) -> Callable[[object], str | None]:
    def check(value: object) -> str | None:
        return None if isinstance(value, str) and value in choices else f"is none of {', '.join(choices)}"

    return check


def _prefix(value: object) -> str | None:
    fits = isinstance(value, str) and _PREFIX.fullmatch(value)
    return None if fits else "is no prefix; write at most 32 printable characters without spaces and commas"


def _tolerance(value: object) -> str | None:
    # A boolean is an int to Python, not to the person who wrote it.
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MAX_TOLERANCE_SECONDS
    return None if fits else f"is no number of seconds from 1 to {MAX_TOLERANCE_SECONDS}"


def _signed(value: object) -> str | None:
    if not isinstance(value, str):
        return f'is no template; write one like "{TIMESTAMP}.{BODY}"'
    found = _PLACEHOLDER.findall(value)
    if found.count(BODY) != 1 or any(each not in (BODY, TIMESTAMP) for each in found):
        return f"names {BODY} once and {TIMESTAMP} where the time is signed, nothing else in braces"
    return None


_CHECKS: Final[Mapping[str, Callable[[object], str | None]]] = {
    "header": header_problem,
    "hash": _one_of(SIZES),
    "encoding": _one_of(DECODERS),
    "prefix": _prefix,
    "signed": _signed,
    "timestamp_header": header_problem,
    "tolerance": _tolerance,
}


def keyed_from_options(options: object) -> KeyedScheme:
    """Builds the scheme of `hmac = {…}`.

    Args:
        options: `header` (needed), `hash` (sha256), `encoding` (hex), `prefix` (none; needed on each signature where
            given), `timestamp_header`, `signed` (`{body}`, or `{timestamp}.{body}` with a timestamp header),
            `tolerance` in seconds (300).

    Raises:
        ConfigurationError: one line a problem, each beginning with the option's path, `hmac.hash: …`.
    """
    if not isinstance(options, Mapping):
        raise ConfigurationError(['hmac: is no table; write hmac = { header = "X-Signature" }'])
    problems = [f"hmac.{name}: {problem}" for name, value in options.items() if (problem := _problem(name, value))]
    problems += _missing(options)
    if problems:
        raise ConfigurationError(problems)
    given: Mapping[str, Any] = {**_DEFAULTS, **options}
    stamp_header = given.get("timestamp_header")
    return KeyedScheme(
        name="hmac",
        header=given["header"].lower(),
        algorithm=given["hash"],
        encodings=(given["encoding"],),
        prefix=given["prefix"],
        signed=given.get("signed", f"{TIMESTAMP}.{BODY}" if stamp_header else BODY),
        timestamp_header=stamp_header.lower() if stamp_header else None,
        tolerance=float(given["tolerance"]) if stamp_header else None,
    )


def _problem(name: object, value: object) -> str | None:
    check = _CHECKS.get(name) if isinstance(name, str) else None
    return f"is no option; there are {', '.join(_CHECKS)}" if check is None else check(value)


def _missing(options: Mapping[Any, object]) -> list[str]:
    problems = []
    if "header" not in options:
        problems.append('hmac.header: is missing; name the header that carries the signature, as "X-Signature"')
    signed = options.get("signed")
    stamped = isinstance(signed, str) and TIMESTAMP in signed
    if stamped and "timestamp_header" not in options:
        problems.append(f"hmac.timestamp_header: is missing, and signed names {TIMESTAMP}; name the header it is in")
    if isinstance(signed, str) and not stamped and "timestamp_header" in options:
        problems.append(
            f"hmac.signed: leaves out {TIMESTAMP}, and an unsigned time proves nothing; add it or drop timestamp_header"
        )
    if "tolerance" in options and "timestamp_header" not in options:
        problems.append("hmac.tolerance: has no time to apply to; add timestamp_header, or drop it")
    return problems
