"""Likely causes of a refused signature, found by trying what usually goes wrong."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

from handlers.signatures.base import NO_SIGNATURE, STALE_TIMESTAMP, Scheme, Verdict, verify
from handlers.signatures.encodings import DECODERS, MAX_ENTRIES, timestamp
from handlers.signatures.keyed import BODY, SIZES, TIMESTAMP, any_equal, keyed_digest
from handlers.signatures.known import SCHEMES
from handlers.signatures.variants import bodies, keys

_SIGNATURE_NAME = re.compile(r"signature|hmac|hash|digest|token")
_MARKED = re.compile(r"([a-z0-9]{1,8}=)([^=].*)")
_STAMP_ENTRY = re.compile(r"\bt=([0-9]{9,15})\b")

_TEMPLATES: Final = (f"{TIMESTAMP}.{BODY}", f"v0:{TIMESTAMP}:{BODY}", f"{TIMESTAMP}{BODY}", f"{BODY}{TIMESTAMP}")
"""How senders are known to sign a time."""

_NO_VARIATION: Final = (
    "No usual variation fits: most likely the secret is another one, or the body was changed beyond recognition; "
    "compare the secret with the sender's, and the body's length with its Content-Length."
)

_EARLIEST_SECONDS: Final = 100_000_000
"""1973: a header of fewer digits is a length or a count, not a time."""

_EARLIEST_MILLISECONDS: Final = 100_000_000_000
"""Seen as seconds this is the year 5138, as milliseconds 1973."""


@dataclass(frozen=True, repr=False)  # its secrets must not be printed
class Attempt:
    """What was verified with what; the arguments of `handlers.signatures.verify`."""

    scheme: Scheme
    secrets: Sequence[bytes]
    headers: Mapping[str, str]
    body: bytes
    now: float

    def fits(self, scheme: Scheme, secret: bytes, body: bytes) -> bool:
        """Whether it would have been rightly signed, in time or not."""
        verdict = verify(scheme, (secret,), self.headers, body, self.now)
        return verdict.ok or verdict.reason == STALE_TIMESTAMP


class _Found(NamedTuple):
    """A digest that stands in a header, and how it is written there."""

    header: str
    prefix: str
    encoding: str
    algorithm: str
    value: bytes


def hints(attempt: Attempt, verdict: Verdict) -> tuple[str, ...]:
    """Sentences on what may be wrong and how to mend it, the surest first; none for what verified."""
    if verdict.ok:
        return ()
    if verdict.reason == STALE_TIMESTAMP:
        return (_stale(attempt),)
    causes = (_altered_body, _altered_secret, _other_scheme, _other_form)
    told = [sentence for cause in causes for sentence in cause(attempt)]
    if not told and verdict.reason == NO_SIGNATURE:
        told = [_no_header(attempt.headers)]
    return tuple(told) or (_NO_VARIATION,)


def _stale(attempt: Attempt) -> str:
    stamp = attempt.scheme.claim(attempt.headers, attempt.body).stamp or 0
    if stamp >= _EARLIEST_MILLISECONDS:
        return "The timestamp is in milliseconds, where this scheme has seconds: the sender follows another scheme."
    side = "behind" if stamp < attempt.now else "ahead of"
    return (
        f"Rightly signed, but {abs(attempt.now - stamp):.0f} s {side} our clock: a delivery that was held up or sent "
        "again, or a clock that is off; compare both clocks with a time server."
    )


def _altered_body(attempt: Attempt) -> Iterator[str]:
    for how, body in bodies(attempt.body):
        if any(attempt.fits(attempt.scheme, secret, body) for secret in attempt.secrets):
            yield f"It verifies once the body is {how}: these bytes are not those that were signed."
            return


def _altered_secret(attempt: Attempt) -> Iterator[str]:
    for position, secret in enumerate(attempt.secrets):
        for how, key in keys(secret):
            if attempt.fits(attempt.scheme, key, attempt.body):
                yield f"It verifies once the secret at position {position} is {how}: store it as the sender uses it."
                return


def _other_scheme(attempt: Attempt) -> Iterator[str]:
    for other in SCHEMES.values():
        if other.name == attempt.scheme.name:
            continue
        if any(attempt.fits(other, secret, attempt.body) for secret in attempt.secrets):
            yield f'It verifies as scheme "{other.name}": write scheme = "{other.name}".'


def _other_form(attempt: Attempt) -> Iterator[str]:
    times = list(_times(attempt.headers))
    fillings = [(BODY, ""), *product((each for each in _TEMPLATES), times)]
    digests = list(_digests(attempt.headers))
    for secret, digest, (template, at) in product(attempt.secrets, digests, fillings):
        before, _, after = template.replace(TIMESTAMP, at).partition(BODY)
        signed = before.encode() + attempt.body + after.encode()
        if any_equal(keyed_digest(digest.algorithm, secret, signed), (digest.value,)):
            kind = f"{digest.encoding} HMAC-{digest.algorithm.upper()} of {template}"
            options = ", ".join(_options(digest, template))
            yield f"The header {digest.header} carries a {kind}: write scheme = {{ hmac = {{ {options} }} }}."
            return


def _options(digest: _Found, template: str) -> Iterator[str]:
    yield f'header = "{digest.header}"'
    yield f'hash = "{digest.algorithm}"'
    yield f'encoding = "{digest.encoding}"'
    if digest.prefix:
        yield f'prefix = "{digest.prefix}"'
    if TIMESTAMP in template:
        yield f'signed = "{template}", timestamp_header = "the header with the time"'


def _digests(headers: Mapping[str, str]) -> Iterator[_Found]:
    for name, value in headers.items():
        for entry in re.split(r"[,; ]+", value, maxsplit=MAX_ENTRIES):
            marked = _MARKED.fullmatch(entry)
            prefix, rest = marked.groups() if marked else ("", entry)
            for encoding, algorithm in product(DECODERS, SIZES):
                decoded = DECODERS[encoding](rest, SIZES[algorithm])
                if decoded is not None:
                    yield _Found(name, prefix, encoding, algorithm, decoded)


def _times(headers: Mapping[str, str]) -> Iterator[str]:
    for value in headers.values():
        if (timestamp(value) or 0) >= _EARLIEST_SECONDS:
            yield value
        yield from _STAMP_ENTRY.findall(value)


def _no_header(headers: Mapping[str, str]) -> str:
    owners = [f"{header} ({each.name})" for each in SCHEMES.values() for header in each.sought[:1] if header in headers]
    named = owners or [name for name in headers if _SIGNATURE_NAME.search(name)]
    if named:
        return f"This scheme's header is missing; there is {', '.join(named)}, which another scheme uses."
    return (
        "No header that looks like a signature came: either the sender signs only once a secret is set there, or a "
        "proxy on the way drops its headers."
    )
