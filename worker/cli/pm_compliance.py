"""`pm compliance`: of what had to be done, how much was done in time, by each rule of what is in time."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from handlers.errors import ConfigurationError
from handlers.rules.due import GRACES, Grace
from handlers.rules.pm_compliance import LATELY, Compliance, Period, compliance, pooled
from handlers.rules.times import kept_instant
from worker.cli import looking, looks, output, pm_shown
from worker.cli.pm_book import By, Plans, Site, Wanted, Worked, grouped, named, now_or, sortable
from worker.cli.roles import Home
from worker.shapes import pm as shapes

OWN = "plan"
"""Each plan's own grace."""
RULES = (OWN, *GRACES)
SHOWN_RULES: tuple[str, ...] = (OWN, "smrp_20_percent", "ten_percent")


def compliance_(
    *,
    since: looks.Since = None,
    until: looks.Until = None,
    period: looks.Of = None,
    by: By = "site",
    rule: Annotated[
        list[str] | None, typer.Option(metavar="|".join(RULES), help="What is in time; several may be given.")
    ] = None,
    site: Site = None,
    connection: looking.Of = None,
    as_of: looks.AsOf = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print PM compliance: of what had to be done in a window, how much was done in time, a line for each rule.

    What had to be done: its due day and grace ended in the window. Rules: `none` the due day itself; `day` one more;
    `smrp_20_percent` a fifth of the interval, 28 days at most (SMRP 5.4.14); `ten_percent` a tenth, and too early fails
    where the plan says so; `plan` each plan's own. Open ones count as not in time; what a meter jumped over, what was
    done along with a greater one and what a shutdown excluded stand beside the ratio, by reason. Nothing due has no
    ratio. Dates are midnights UTC, a period is cut in the zone of each plan's site; else the last 30 days.

    Example: `maintenworks pm compliance --period 2026-10 --by asset --rule smrp_20_percent`
    """
    grouped(by)
    rules = tuple(dict.fromkeys(rule)) if rule else SHOWN_RULES
    unknown = [each for each in rules if each not in RULES]
    if unknown:
        raise ConfigurationError([f"--rule: one of {', '.join(RULES)}; not {unknown[0]!r}"])
    now = now_or(as_of)
    if since is None and until is None and period is None:
        since, until = (kept_instant(each.replace(microsecond=0)) for each in (now - LATELY, now))
    time = looks.asked(since, until, period, as_of)
    wanted = Wanted(connection, site)
    with looking.opened(home) as (settings, database):
        plans = Plans(settings, database)
        sums: dict[tuple[str, str | None, str], list[Compliance]] = defaultdict(list)
        for worked in plans.worked(wanted, time.as_of, until=_last_day(time)):
            for each in rules:
                sums[(*plans.group(worked.plan, by), each)].append(_judged(worked, each, time))
    rows = {key: pooled(parts) for key, parts in sorted(sums.items(), key=lambda item: sortable(item[0]))}
    if not any(row.due or row.excluded for row in rows.values()):
        plans.nothing(f"nothing had to be done in {time.text}", wanted)
    for key, row in rows.items() if as_json else ():
        output.json_line(_compliance_printed(key, by, row, time))
    if not as_json:
        lines = [_compliance_line(key, row) for key, row in rows.items()]
        numbers = ("compliance", "due", "on time", "late", "open", "mean late d", "interval d", "longest d")
        looking.rows(("connection", by, "rule", *numbers, "not counted"), lines, right=numbers)
        output.note(f"{time.text}; compliance: done in time / had to be done, by the rule that stands in the line")


def _last_day(time: looks.Asked) -> date | None:
    """A day behind the window in any zone, and behind any grace."""
    end = time.ends[1].date() if time.ends is not None else time.period.until if time.period is not None else None
    return None if end is None else min(end, time.as_of.date()) + timedelta(days=2)


def _judged(worked: Worked, rule: str, time: looks.Asked) -> Compliance:
    zone = ZoneInfo(str(worked.plan.zone))
    window = time.ends if time.ends is not None else time.period.window(zone) if time.period is not None else None
    assert window is not None, "a time is asked for by its ends or as a period"
    own: Mapping[str, Grace] = {worked.plan.key: worked.plan.grace}
    grace = own if rule == OWN else next(each for each in GRACES if each == rule)
    return compliance(worked.found, grace, Period(*window, time.as_of))


def _compliance_printed(
    key: tuple[str, str | None, str], by: str, row: Compliance, time: looks.Asked
) -> dict[str, Any]:
    connection, name, rule = key
    as_of = shapes.moment(time.as_of)
    told = {"connection": connection or None, "window": time.text, "as_of": as_of, "rule": rule}
    return {**named(by, name), **told, **pm_shown.compliance_row(row)}


def _compliance_line(key: tuple[str, str | None, str], row: Compliance) -> tuple[object, ...]:
    told = (row.mean_days_late, row.mean_interval_days, row.longest_days if row.intervals else None)
    ratio = None if row.ratio is None else f"{row.ratio:.2%}"
    excluded = ", ".join(f"{count} {reason}" for reason, count in row.excluded.items())
    days = (None if each is None else f"{each:.1f}" for each in told)
    return (key[0] or None, key[1], key[2], ratio, row.due, row.on_time, row.late, row.open, *days, excluded)
