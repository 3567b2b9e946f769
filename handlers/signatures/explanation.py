"""Why a signature does not verify, step by step, for the person who has to find out.

Nothing here runs for a webhook: `connections verify` asks, offline, with a body and headers that somebody saved.
What was found is told by its shape, never by its value.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from handlers.signatures.base import (
    MALFORMED_SIGNATURE,
    NO_SIGNATURE,
    STALE_TIMESTAMP,
    Claim,
    Scheme,
    Verdict,
    timely,
    verify,
)
from handlers.signatures.hints import Attempt, hints

_KNOWN_PREFIX = re.compile(r"sha(?:1|256|512)=|v[0-9]=|v[0-9]a?,|t=")
"""What may be quoted of a signature header's entry: marks of algorithms, which are no secret."""

_ALPHABETS: Final[Mapping[str, re.Pattern[str]]] = {
    "digits": re.compile(r"[0-9]+"),
    "hex characters": re.compile(r"[0-9a-fA-F]+"),
    "base64 characters": re.compile(r"[A-Za-z0-9+/]+=*"),
    "base64url characters": re.compile(r"[A-Za-z0-9_-]+=*"),
    "printable characters": re.compile(r"[\x20-\x7e]*"),
}


@dataclass(frozen=True)
class Step:
    """One step of a verification.

    Attributes:
        name: `header`, `form`, `timestamp`, `secrets` or `signature`, in this order.
        ok: whether it passed; None where an earlier failure left nothing to judge.
        detail: what was sought and found, for people; never a value.
    """

    name: str
    ok: bool | None
    detail: str


@dataclass(frozen=True)
class Explanation:
    """What `verify` did, and what may be wrong.

    Attributes:
        verdict: what `verify` says.
        steps: every step, those without a meaning for the scheme left out.
        hints: likely causes, each a sentence with its mend; empty where it verified.
    """

    verdict: Verdict
    steps: tuple[Step, ...]
    hints: tuple[str, ...]


def explain(
    scheme: Scheme, secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: float
) -> Explanation:
    """Verifies as `verify` does, and tells each step and, where one failed, likely causes.

    Args:
        scheme: how the sender should sign.
        secrets: as for `verify`.
        headers: as for `verify`.
        body: as for `verify`.
        now: as for `verify`; the time of arrival, where the headers were saved long ago.
    """
    claim = scheme.claim(headers, body)
    verdict = verify(scheme, secrets, headers, body, now)
    steps = [_header(scheme, headers, claim), _form(scheme, claim)]
    if scheme.tolerance is not None:
        steps.append(_timestamp(scheme, claim, now))
    steps += [_secrets(scheme, secrets), _signature(claim, verdict, secrets)]
    return Explanation(verdict, tuple(steps), hints(Attempt(scheme, secrets, headers, body, now), verdict))


def shape(value: str) -> str:
    """A header's value by length, alphabet and known marks, such as `sha256=` and 64 hex characters."""
    parts = [part for part in re.split(r" *, *(?=[a-z0-9]+=)| +", value, maxsplit=16) if part]
    return "; ".join(_shape_of_one(part) for part in parts) or "nothing"


def _shape_of_one(part: str) -> str:
    mark = _KNOWN_PREFIX.match(part)
    rest = part[mark.end() :] if mark else part
    alphabet = next((name for name, pattern in _ALPHABETS.items() if pattern.fullmatch(rest)), "characters")
    return f"{f'`{mark.group()}` and ' if mark else ''}{len(rest)} {alphabet}"


def _header(scheme: Scheme, headers: Mapping[str, str], claim: Claim) -> Step:
    found = [f"{name}: {shape(headers[name])}" for name in scheme.sought if name in headers]
    if not scheme.sought:
        return Step("header", claim.fault != NO_SIGNATURE, "none is sought: it is in the body")
    detail = f"sought {', '.join(scheme.sought)}; found {' | '.join(found) or 'none of them'}"
    return Step("header", claim.fault != NO_SIGNATURE, detail)


def _form(scheme: Scheme, claim: Claim) -> Step:
    if claim.fault == NO_SIGNATURE:
        return Step("form", None, f"expected {scheme.expects}")
    detail = f"expected {scheme.expects}; readable signatures: {len(claim.signatures)}"
    if claim.fault == MALFORMED_SIGNATURE and claim.signatures:
        detail += "; a timestamp or an id that is signed too is missing or unreadable"
    return Step("form", claim.fault is None, detail)


def _timestamp(scheme: Scheme, claim: Claim, now: float) -> Step:
    if claim.stamp is None:
        return Step("timestamp", None if claim.fault == NO_SIGNATURE else False, "none that can be read")
    off = claim.stamp - now
    detail = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} our clock; {scheme.tolerance:.0f} s are allowed"
    return Step("timestamp", timely(scheme, claim, now), detail)


def _secrets(scheme: Scheme, secrets: Sequence[bytes]) -> Step:
    problems = [
        f"the secret at position {position} {problem}"
        for position, secret in enumerate(secrets)
        if (problem := scheme.secret_problem(secret))
    ]
    return Step("secrets", bool(secrets) and not problems, "; ".join([f"{len(secrets)} to try", *problems]))


def _signature(claim: Claim, verdict: Verdict, secrets: Sequence[bytes]) -> Step:
    if claim.fault is not None:
        return Step("signature", None, "nothing to compare")
    if verdict.ok:
        return Step("signature", True, f"made with the secret at position {verdict.position}")
    if verdict.reason == STALE_TIMESTAMP:
        return Step("signature", True, "made with one of the secrets, but not in time")
    return Step("signature", False, f"made with none of the {len(secrets)} secrets over these bytes")
