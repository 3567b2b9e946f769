"""The schemes there are, an entry each, with where their facts are from."""

from collections.abc import Callable, Mapping
from typing import Final

from handlers.errors import ConfigurationError
from handlers.signatures.base import TOLERANCE_SECONDS, Scheme
from handlers.signatures.keyed import KeyedScheme
from handlers.signatures.options import keyed_from_options
from handlers.signatures.stamped import StampedScheme
from handlers.signatures.standard import StandardScheme
from handlers.signatures.token import token_from_options

MAKINI: Final = KeyedScheme(
    # github.com/eqcentric/api-docs, docs/webhook/Webhook.md: HMAC-SHA256 of the payload under `X-Webhook-Signature`;
    # base64 on the default branch and in 2022, hex in the draft of 2023-11, so both are read. The raw body is what is
    # signed. No time, no id and no prefix are documented; `sha256=` is accepted since gateways add it.
    name="makini",
    header="x-webhook-signature",
    encodings=("hex", "base64"),
    prefix="sha256=",
    prefix_optional=True,
)

STANDARD_WEBHOOKS: Final = StandardScheme(name="standard-webhooks")

GITHUB: Final = KeyedScheme(
    # docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries; a redelivery keeps X-GitHub-Delivery
    # (docs.github.com/en/webhooks/webhook-events-and-payloads, "Delivery headers"). SHA-1 is legacy and not read.
    name="github",
    header="x-hub-signature-256",
    prefix="sha256=",
    id_header="x-github-delivery",
)

STRIPE: Final = StampedScheme(
    # docs.stripe.com/webhooks/signature, "Verify webhook signatures manually"; the secret's text with its `whsec_` is
    # the key as it stands. The event's id is in the body.
    name="stripe",
    header="stripe-signature",
)

SLACK: Final = KeyedScheme(
    # docs.slack.dev/authentication/verifying-requests-from-slack; the event's id is in the body.
    name="slack",
    header="x-slack-signature",
    prefix="v0=",
    signed="v0:{timestamp}:{body}",
    timestamp_header="x-slack-request-timestamp",
    tolerance=TOLERANCE_SECONDS,
)

SHOPIFY: Final = KeyedScheme(
    # shopify.dev/docs/apps/build/webhooks/subscribe/https, "Validate the origin"; X-Shopify-Webhook-Id is one
    # delivery's, whereas X-Shopify-Event-Id is shared by all that one act of a merchant sets off.
    name="shopify",
    header="x-shopify-hmac-sha256",
    encodings=("base64",),
    id_header="x-shopify-webhook-id",
)

MAINTAINX: Final = StampedScheme(
    # MaintainX's OpenAPI document (x-webhooks, versions up to 2026-03) and deliveries captured in third-party tests, as
    # read on 2026-11-23: `t=<time>,v1=<hex>` over `<t>.<raw body>`, five minutes in the examples. A second header signs
    # the address as the sender knows it, which a proxy may change: the body's signature says all that is needed. The
    # time's unit is not documented (INFERRED: seconds, as the header's form has it; milliseconds are told by their
    # size).
    name="maintainx",
    header="x-maintainx-webhook-body-signature",
    other_headers=frozenset({"x-maintainx-webhook-uri-signature"}),
    reads_milliseconds=True,
)

ATLAS: Final = KeyedScheme(
    # github.com/Grashjs/cmms, WebhookDispatchService: bare lower-case hex of HMAC-SHA256 over the body. Its
    # X-Webhook-Timestamp (milliseconds) is not covered by the signature and so proves nothing; X-Webhook-Id is a fresh
    # UUID a send, of which there is one.
    name="atlas",
    header="x-webhook-signature",
    id_header="x-webhook-id",
)

SCHEMES: Final[Mapping[str, Scheme]] = {
    each.name: each for each in (MAKINI, STANDARD_WEBHOOKS, GITHUB, STRIPE, SLACK, SHOPIFY, MAINTAINX, ATLAS)
}
"""Those that need no options, by name."""

FAMILIES: Final[Mapping[str, Callable[[object], Scheme]]] = {"hmac": keyed_from_options, "token": token_from_options}
"""Those that are built from a table of options, by name."""


def scheme(spec: object) -> Scheme:
    """Finds or builds a scheme.

    Args:
        spec: a name of `SCHEMES`, or a table of one entry such as `{"hmac": {"header": "X-Signature"}}`.

    Raises:
        ConfigurationError: one line a problem; those of options begin with their path, `hmac.hash: …`, the others
            with `scheme: …`.
    """
    known = ", ".join((*SCHEMES, *(f"{name} = {{ … }}" for name in FAMILIES)))
    if isinstance(spec, str):
        if spec in SCHEMES:
            return SCHEMES[spec]
        if spec in FAMILIES:
            raise ConfigurationError([f"scheme: {spec!r} needs options; write scheme = {{ {spec} = {{ … }} }}"])
        raise ConfigurationError([f"scheme: there is no {spec!r}; there are {known}"])
    if isinstance(spec, Mapping) and len(spec) == 1:
        (name, options), *_ = spec.items()
        if name in FAMILIES:
            return FAMILIES[name](options)
    raise ConfigurationError([f"scheme: is neither a name nor a table of one entry; there are {known}"])
