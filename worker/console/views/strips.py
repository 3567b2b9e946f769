"""Small availability strips of many assets, for a list. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from handlers.rules.downtime import Span, timeline
from handlers.rules.today import spoken
from worker.console.views.stops import block
from worker.report import strips, svg

LENGTH: Final = timedelta(days=30)
"""Of the time that they show; it ends now."""
HEIGHT: Final = 20


def small(name: str, spans: Iterable[Span], now: datetime) -> Markup:
    """When one asset stood of late, by what is told of it alone; what is linked to it is on its own page.

    Args:
        name: of the asset.
        spans: its stops.
        now: the right end.
    """
    since = now - LENGTH
    segments = [each for each in timeline(spans, now) if each.ended_at > since]
    stopped = sum((each.ended_at - max(each.started_at, since) for each in segments), timedelta())
    told = "never down" if not segments else f"down {spoken(stopped)}"
    parts = [block(strips.UP, 0, 100, base=HEIGHT - 4, scale=0.5)]
    for each in sorted(segments, key=lambda each: not each.planned):
        begin = 100 * max((each.started_at - since) / LENGTH, 0.0)
        state = strips.PLANNED if each.planned else strips.UNPLANNED
        parts.append(block(state, begin, 100 * (each.ended_at - since) / LENGTH - begin, base=HEIGHT - 4, scale=0.5))
    label = f"{name}, last {LENGTH.days} days: {told}"
    return svg.element(
        "svg", svg.title(label), *parts, role="img", aria_label=label, width="100%", height=HEIGHT, class_="small"
    )
