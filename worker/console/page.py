"""The console's front page: for now it says what is here."""

import base64
import hashlib

_STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}dt{font-weight:600}"
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but the page's own style sheet: no script, no image, no frame, no form."""

FRONT = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>MaintenWorks</title><style>{_STYLE}</style></head>
<body>
<h1>MaintenWorks</h1>
<p>This is the operators' port. The figures are on the command line for now: <code>maintenworks --help</code>.</p>
<dl>
<dt><a href="/metrics">/metrics</a></dt><dd>for Prometheus: every role's counters, the queues and the dead letters</dd>
<dt><a href="/readyz">/readyz</a></dt><dd>whether broker, database and connections are as they should be</dd>
<dt><a href="/livez">/livez</a></dt><dd>whether this process answers</dd>
</dl>
</body>
</html>
"""
