"""Chaos: real processes of ours under faults, and whether everything that was answered 200 was applied, once.

For each seed it starts two receivers, two workers, a scheduler, a broker and a database, posts signed events in
disorder, and meanwhile kills, freezes and restarts any of them, cuts, slows and stalls their connections, loses
replies after the server acted, and fills the disk. Whatever is not answered 200 is posted again until it is. When the
faults are over, what the tables hold is compared with what an independent oracle makes of the events.

The same seed makes the same events and the same schedule; which of them meet depends on the machine. Exit code 0: all
seeds good. 1: something was lost, doubled or otherwise wrong, and the report says what. 69: a server is missing.

  python -m tests.chaos                                    one seed of 2,000 events, about a minute
  python -m tests.chaos --seeds 20 --events 20000          the long run, about two hours
  python -m tests.chaos --seed 7 --events 20000            one of its seeds again
  python -m tests.chaos --seed 7 --schedule                what would go wrong, without doing it
"""

import argparse
import sys

from tests.chaos.plan import BROKERS, DATABASES, POSTGRESQL, POSTS_PER_SECOND, VALKEY, Plan
from tests.chaos.report import Report, show, show_faults, together
from tests.chaos.runner import run
from tests.servers import MissingServerError
from worker.cli import output


def main() -> int:
    """Runs it; returns the exit code."""
    given = _parser().parse_args()
    seeds = [given.seed] if given.seed is not None else range(1, given.seeds + 1)
    plans = [Plan(seed, given.events, given.database, given.broker, given.pace) for seed in seeds]
    if given.schedule:
        for plan in plans:
            _print_schedule(plan, as_json=given.json)
        return output.OK
    try:
        reports = _run_all(plans, as_json=given.json)
    except MissingServerError as error:
        output.note(str(error))
        return output.UNREACHABLE
    whole = together(reports)
    if given.json:
        output.json_line(whole.as_json())
    else:
        if len(reports) > 1:
            show(whole)
        show_faults(whole)
    return output.OK if whole.is_good else output.FAILURE


def _run_all(plans: list[Plan], *, as_json: bool) -> list[Report]:
    """A report for each; each is printed as soon as it is there."""
    reports = []
    for number, plan in enumerate(plans, start=1):
        with output.progress(f"seed {plan.seed} ({number} of {len(plans)}), posts", len(plan.stream().posts)) as taken:
            report = run(plan, say=_say, on_taken=taken)
        reports.append(report)
        if as_json:
            output.json_line(report.as_json())
        else:
            show(report)
        sys.stdout.flush()
    return reports


def _say(text: str) -> None:
    output.note(text)


def _print_schedule(plan: Plan, *, as_json: bool) -> None:
    if not as_json:
        output.line(f"seed {plan.seed}: {len(plan.stream().posts):,} posts at {plan.pace:g} a second")
    for fault in plan.schedule():
        if as_json:
            output.json_line({"seed": plan.seed, **fault._asdict()})
        else:
            output.line(str(fault))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seeds", type=int, default=1, metavar="N", help="the seeds 1 to N, one after the other")
    which.add_argument("--seed", type=int, metavar="S", help="only this one, to do it again")
    parser.add_argument("--events", type=int, default=2_000, metavar="N", help="for each seed (2000)")
    parser.add_argument("--database", choices=DATABASES, default=POSTGRESQL, help=f"({POSTGRESQL})")
    parser.add_argument("--broker", choices=BROKERS, default=VALKEY, help=f"({VALKEY})")
    parser.add_argument(
        "--pace", type=float, default=POSTS_PER_SECOND, metavar="R", help=f"posts a second ({POSTS_PER_SECOND:g})"
    )
    parser.add_argument("--schedule", action="store_true", help="print what would go wrong when, and stop")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each seed, and one for all together")
    return parser


if __name__ == "__main__":
    sys.exit(main())
