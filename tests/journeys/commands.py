"""Every command, and what the journey that searches for secrets gives it."""

from collections.abc import Mapping, Sequence

ROLES = ("receiver", "worker", "scheduler", "console")
"""They are run by `up`; those that end without their services are started alone, too, with passwords in addresses."""

COMMANDS: Mapping[str, Sequence[str]] = {
    "migrate": (),
    "doctor": (),
    "routes": (),
    "schema": ("work_order",),
    "rebuild": ("--check", "--json"),
    "config show": ("--json",),
    "send": ("plant", "BODY", "--url", "RECEIVER"),
    "get": ("work-orders", "--json"),
    "history": ("PUMP-1", "--connection", "plant", "--json"),
    "today": ("--json",),
    "top": ("--json",),
    "notifications check": ("--json",),
    "notifications test": ("hook",),
    "notifications list": ("--json",),
    "report": ("--period", "2026-03", "--json"),
    "report close": ("--period", "2026-03", "--reason", "test"),
    "report closed": ("--json",),
    "report reopen": ("--period", "2026-03", "--reason", "test"),
    "assets link": ("PUMP-1@plant", "PUMP-2@plant", "--reason", "test"),
    "assets list-links": ("--json",),
    "assets unlink": ("PUMP-2@plant", "--reason", "test"),
    "pm due": ("--json",),
    "pm plan": ("--json",),
    "pm compliance": ("--period", "2026-03", "--json"),
    "pm forecast": ("--json",),
    "pm add": ("GREASE", "--connection", "plant", "--asset", "PUMP-1", "--every", "1 month", "--reason", "test"),
    "pm remove": ("GREASE", "--reason", "test"),
    "figures": ("--period", "2026-03", "--by", "site", "--json"),
    "uptime": ("--from", "2026-03-01", "--to", "2026-04-01", "--json"),
    "connections add": ("another", "--source", "unified", "--secret", "env:PLANT_SECRET"),
    "connections list": ("--json",),
    "connections show": ("plant", "--json"),
    "connections rotate": ("another", "--secret", "env:PLANT_SECRET"),
    "connections check": ("--json",),
    "connections verify": ("plant", "BODY", "--header", "X-Webhook-Signature: SIGNATURE", "--json"),
    "connections try": ("plant", "BODY", "--json"),
    "connections credits": ("--json",),
    "connections rejections": ("plant", "--json"),
    "connections pause": ("another",),
    "connections resume": ("another",),
    "connections revoke": ("another",),
    "events list": ("--json",),
    "events show": ("DELIVERY", "--json"),
    "events raw": ("DELIVERY",),
    "events replay": ("DELIVERY", "--reason", "test"),
    "dead-letters list": ("--json",),
    "dead-letters show": ("DELIVERY",),
    "dead-letters export": (),
    "dead-letters replay": ("--reason", "test", "--yes"),
    "dead-letters edit": ("DELIVERY/0", "MENDED", "--reason", "test", "--yes"),
    "dead-letters discard": ("--connection", "plant", "--reason", "test", "--yes"),
    "tokens add": ("anna", "--role", "viewer", "--json"),
    "tokens list": ("--json",),
    "tokens revoke": ("anna",),
    "audit list": ("--json",),
    "audit export": (),
    "audit verify": (),
}
"""What each is given; words in capitals are filled in."""

ELSEWHERE = {"up": "runs throughout", "demo": "makes a home, connections and secrets of its own"}

SHOWS_BODIES = frozenset(
    {"events raw", "dead-letters show", "dead-letters export", "dead-letters edit", "connections try"}
)
"""Commands whose purpose that is."""
