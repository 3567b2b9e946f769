"""`connections credits`: what connections cost in Makini's credits, and each customer's sum."""

from collections import Counter
from typing import Annotated

import typer

from handlers.settings import load
from worker.cli import given, looking, output
from worker.cli.roles import Home
from worker.settings import WorkerSettings
from worker.shapes.connections import state, whole

COLUMNS = ("customer", "connection", "environment", "state", "tier", "deployment", "credits")
_NOT_COUNTED = "without a tier, so not counted: {names}; write tier = 1, 2 or 3 (or credits = N) in connections.toml"


def credits_(
    customer: Annotated[str | None, typer.Option(metavar="NAME", help="Only this customer's.")] = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print what each connection costs in Makini's credits, and what each customer's come to.

    Tiers 1, 2 and 3 cost 1, 2 and 4 credits, twice as much on premises; `credits = N` says otherwise for one. A revoked
    connection costs nothing, a paused one does.

    Example: `maintenworks connections credits --customer acme`
    """
    settings = load(WorkerSettings, home=home)
    known = given.registry(settings).all().values()
    found = sorted(
        (each for each in known if customer in {None, each.customer}), key=lambda each: (each.customer, each.id)
    )
    if not found:
        looking.nothing(f"no connection{'' if customer is None else f' of {customer!r}'}")
    rows = [{**whole(each), "state": state(each)} for each in found]
    if as_json:
        looking.json_lines({name: row[name] for name in COLUMNS} for row in rows)
        return
    looking.rows(COLUMNS, ([row[name] for name in COLUMNS] for row in rows), right=("tier", "credits"))
    sums: Counter[str] = Counter()
    for each in found:
        sums[each.customer] += each.credits or 0
    for name, total in sorted(sums.items()):
        output.note(f"{name}: {total} credit{'' if total == 1 else 's'}")
    unknown = [each.id for each in found if each.credits is None]
    if unknown:
        output.note(_NOT_COUNTED.format(names=", ".join(unknown)))
