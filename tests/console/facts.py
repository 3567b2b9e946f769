"""What two plants tell of themselves up to a moment: enough of each kind that every page has something to show.

Drawn with a fixed seed, so that two runs at the same moment tell the same. Some names are hostile on purpose.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from tests.console.fleet import ASSETS, CRITICALITY, HOSTILE, MECHANICS, PARTS, PLANS, REASONS, SITES, Machine

Fact = dict[str, Any]

LONG: Final = "Replace-the-whole-drive-train-including-gearbox-coupling-and-motor-" * 3
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
PAST: Final = 400 * DAY
"""How far back the stops go: a year's trend has something in every month."""


def fact(kind: str, key: str, at: datetime, **data: Any) -> Fact:
    """One event of the source `unified`; what happened twice in one second is the same fact."""
    stamp = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "id": f"evt-{uuid5(NAMESPACE_OID, f'{kind} {key} {stamp}').hex[:16]}",
        "type": kind,
        "occurred_at": stamp,
        "data": {"key": key, **data},
    }


def of_site(site: str, now: datetime) -> list[Fact]:
    """Everything that one site's system told, oldest last: order is no matter."""
    dice = random.Random(site)
    machines = [each for each in ASSETS if each.site == site]
    found: list[Fact] = []
    for each in machines:
        found += _born(each, now)
        found += _stops(each, now, dice)
    found += _open_orders(machines, now)
    found += _plans(machines, now)
    found += _trade(now)
    return found


def _born(machine: Machine, now: datetime) -> Iterator[Fact]:
    at = now - PAST
    yield fact(
        "asset.created",
        machine.key,
        at,
        name=machine.name,
        status="operating",
        site_ref={"key": machine.site, "label": SITES[machine.site]},
        criticality=CRITICALITY[len(machine.key) % len(CRITICALITY)],
        manufacturer=machine.maker,
        model=machine.model,
        serial_number=f"{machine.model}-{len(machine.name):04d}",
        in_service_date="2019-05-13",
        purchase_cost={"amount": "48200.00", "currency": "EUR"},
        attributes=[{"name": "rated power", "value": "37", "unit": "kW"}],
        paint=HOSTILE if machine.name == HOSTILE else "RAL 5015",
    )
    meter = f"M-{machine.key}"
    for day in range(60, -1, -3):
        read_at = now - day * DAY - HOUR
        value = f"{12_000 + (60 - day) * 19.5:.1f}"
        yield fact(
            "meter_reading.recorded",
            f"{meter}-{day}",
            read_at,
            meter_key=meter,
            asset_key=machine.key,
            value=value,
            unit="h",
            read_at=read_at.isoformat(timespec="seconds"),
        )


def _stops(machine: Machine, now: datetime, dice: random.Random) -> Iterator[Fact]:
    """Breakdowns with the order that mended each, services, and what stands at this moment."""
    at, number = now - PAST, 0
    while True:
        at += dice.expovariate(1 / machine.mtbf_days) * DAY
        length = max(dice.lognormvariate(1.1, 0.7), 0.2) * HOUR
        if at + length > now - HOUR:
            break
        number += 1
        yield from _stop(machine, f"D-{machine.key}-{number}", at, length, dice)
    services = 0
    at = now - PAST + dice.uniform(0, 30) * DAY
    while at < now - DAY:
        services += 1
        key = f"S-{machine.key}-{services}"
        yield fact("downtime.started", key, at, asset_key=machine.key, planned=True, reason="service")
        yield fact("downtime.ended", key, at + 3 * HOUR, asset_key=machine.key)
        at += 45 * DAY
    if machine.stands == "broken":
        yield fact(
            "downtime.started",
            f"D-{machine.key}-now",
            now - 2.8 * HOUR,
            asset_key=machine.key,
            planned=False,
            reason="belt torn",
            work_order_key=f"WO-{machine.key}-now",
        )
        yield fact("asset.status_changed", machine.key, now - 2.8 * HOUR, status="down")
    elif machine.stands == "serviced":
        yield fact("downtime.started", f"D-{machine.key}-now", now - 5 * HOUR, asset_key=machine.key, planned=True)


def _stop(machine: Machine, key: str, at: datetime, length: timedelta, dice: random.Random) -> Iterator[Fact]:
    order, reason = f"WO-{key[2:]}", dice.choice(REASONS)
    yield fact(
        "downtime.started",
        key,
        at,
        asset_key=machine.key,
        planned=False,
        cause="equipment",
        reason=reason,
        work_order_key=order,
    )
    yield fact("downtime.ended", key, at + length, asset_key=machine.key)
    about: Fact = {
        "title": f"{machine.name}: {reason}"[:200],
        "type": "corrective",
        "priority": dice.choice(CRITICALITY),
        "asset_key": machine.key,
        "site_ref": {"key": machine.site, "label": SITES[machine.site]},
    }
    yield fact("work_order.created", order, at + timedelta(minutes=4), **about, status="approved")
    yield fact("work_order.status_changed", order, at + min(timedelta(minutes=20), length / 2), status="in_progress")
    planned = dice.uniform(80, 900)
    yield fact(
        "work_order.completed",
        order,
        at + length,
        assignees=[dice.choice(MECHANICS)],
        actual_duration=int(length.total_seconds()),
        costs={
            "total": {
                "planned": {"amount": f"{planned:.2f}", "currency": "EUR"},
                "actual": {"amount": f"{planned * dice.uniform(0.7, 1.6):.2f}", "currency": "EUR"},
            }
        },
        parts=[{"item_ref": {"key": "SKF-6205", "label": "Bearing 6205"}, "used_qty": {"value": "2", "unit": "pcs"}}],
    )


def _open_orders(machines: list[Machine], now: datetime) -> Iterator[Fact]:
    """In every state, overdue by hours and by weeks, due today, without asset, with titles nobody wants to see."""
    statuses = ("requested", "approved", "scheduled", "in_progress", "on_hold")
    titles = ("Change bearing", "Oil leak at the shaft seal", "Noise above 4 kHz", LONG, HOSTILE, "Guard is missing")
    for number, machine in enumerate(machines * 3):
        due = now + timedelta(hours=(number * 17) % 160 - 60)
        yield fact(
            "work_order.created",
            f"WO-{machine.site}-{100 + number}",
            now - (number % 12 + 1) * DAY,
            title=titles[number % len(titles)],
            description="It began on the night shift.\nStill runs, but louder every day.",
            status=statuses[number % len(statuses)],
            priority=CRITICALITY[number % len(CRITICALITY)],
            type="corrective" if number % 3 else "inspection",
            asset_key=machine.key,
            site_ref={"key": machine.site, "label": SITES[machine.site]},
            due_at=due.isoformat(timespec="seconds"),
            team_ref={"key": "MECH", "label": "Mechanics, early shift"},
            assignees=[MECHANICS[number % len(MECHANICS)]],
            tasks=[
                {"sequence": "10", "title": "Lock out, tag out", "status": "done"},
                {"sequence": "20", "title": "Change the part", "status": "open"},
            ],
        )
    for machine in machines:
        if machine.stands == "broken":
            yield fact(
                "work_order.created",
                f"WO-{machine.key}-now",
                now - 2.7 * HOUR,
                title=f"{machine.name} stands: belt torn",
                status="in_progress",
                priority="critical",
                type="corrective",
                asset_key=machine.key,
                assignees=[MECHANICS[0]],
            )


def _plans(machines: list[Machine], now: datetime) -> Iterator[Fact]:
    for number, machine in enumerate(machines):
        plan = PLANS[number % len(PLANS)]
        key, every = f"PM-{machine.key}", plan.days * DAY
        begun = now - PAST + (number * 5 + 3) * DAY
        last = begun + every * ((now - begun) // every)
        yield fact(
            "pm_plan.created",
            key,
            now - PAST,
            name=plan.name,
            status="active",
            trigger_kind="time",
            cycles=[{"interval": str(plan.days), "unit": "day"}],
            recurrence_basis="fixed",
            start_date=begun.date().isoformat(),
            next_due_at=(begun + every).date().isoformat(),
            asset_refs=[{"key": machine.key, "label": machine.name}],
            estimated_duration=plan.seconds,
        )
        for back in range((last - begun) // every):
            due = last - back * every
            if back == 0 and number % 3 == 0:
                continue  # this one is overdue
            late = timedelta(days=3 if (number + back) % 4 == 1 else 0)
            yield fact(
                "work_order.completed",
                f"WO-{key}-{due.date()}",
                min(due + late - 2 * HOUR, now),
                title=plan.name,
                type="preventive",
                asset_key=machine.key,
                pm_plan_ref={"key": key},
                due_date=due.date().isoformat(),
            )


def _trade(now: datetime) -> Iterator[Fact]:
    yield fact("vendor.created", "V-1", now - PAST, name="Seals & Bearings <GmbH>", status="active")
    yield fact("vendor.created", "V-2", now - PAST, name=HOSTILE)
    for number, name in enumerate(PARTS):
        yield fact("inventory_item.created", f"I-{number}", now - PAST, number=f"{4400 + number}", name=name, uom="pcs")
    for number in range(4):
        yield fact(
            "purchase_order.created",
            f"PO-{4500 + number}",
            now - number * 9 * DAY,
            number=f"{4500 + number}",
            status="approved",
            vendor_ref={"key": "V-1", "label": "Seals & Bearings <GmbH>"},
            total={"amount": f"{125.4 * (number + 1):.2f}", "currency": "EUR"},
            lines=[{"line_number": "10", "description": PARTS[number], "quantity_ordered": "4", "uom": "pcs"}],
        )
