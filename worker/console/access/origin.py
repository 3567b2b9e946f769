"""Whether a request that acts comes from a page of ours.

The order of questions is that of Go's `http.CrossOriginProtection` (go.dev/src/net/http/csrf.go, read 2026-11-24):
browsers since 2023 say where a request comes from; of older ones `Origin` is compared with `Host`.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

FETCH_SITE = "sec-fetch-site"
CROSS_SITE = "cross-site"
_OURS = frozenset({"same-origin", "none"})


def is_ours(headers: Headers) -> bool:
    """Whether no other site's page can have sent it; without either header it was no browser that did."""
    site = headers.get(FETCH_SITE)
    if site is not None:
        return site in _OURS
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    except ValueError:
        return False
