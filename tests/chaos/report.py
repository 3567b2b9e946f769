"""What a run came to: for people a page, for programs a line of JSON."""

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from worker.cli import output

COMMAND = "python -m tests.chaos"


class Recovery(NamedTuple):
    """How long it took to recover from one fault.

    Attributes:
        kind: of the fault.
        alone: nothing else went wrong around it; else this is the time until the last of several was recovered from.
        seconds: until all that had been accepted before was worked on, and the first that was accepted after it.
    """

    kind: str
    alone: bool
    seconds: float


@dataclass(frozen=True)
class Report:
    """One run.

    Attributes:
        seed: of stream and schedule; None for several runs together.
        database: which kind.
        broker: which kind.
        runs: how many.
        events: sent, each once.
        posts: bodies to be taken, repeats among them.
        tries: how often one was posted.
        answers: tries by status; `none` where there was no answer.
        outcomes: events by how they ended.
        lost: events accepted, and in no table.
        doubled: applied more often than once.
        differences: everything else that was not as it must be.
        recoveries: one for each fault that was done.
        pace: posts a second, as planned.
        sending_s: from the first post until the last was taken and the last fault over.
        settling_s: from then until all was worked on.
        total_s: start and comparison included.
    """

    seed: int | None
    database: str
    broker: str
    events: int
    posts: int
    tries: int
    answers: Mapping[str, int]
    outcomes: Mapping[str, int]
    lost: int
    doubled: int
    differences: Sequence[str]
    recoveries: Sequence[Recovery]
    pace: float
    sending_s: float
    settling_s: float
    total_s: float
    runs: int = field(default=1)

    @property
    def is_good(self) -> bool:
        """Whether the promise was kept."""
        return not (self.lost or self.doubled or self.differences)

    @property
    def replay(self) -> str:
        """The command that does the same again."""
        servers = f"--database {self.database} --broker {self.broker}"
        return f"{COMMAND} --seed {self.seed} --events {self.events} --pace {self.pace:g} {servers}"

    @property
    def faults(self) -> Mapping[str, int]:
        """How many there were, by kind."""
        return Counter(each.kind for each in self.recoveries)

    def as_json(self) -> dict[str, object]:
        """Everything, and whether it was good."""
        recoveries = [each._asdict() for each in self.recoveries]
        return {"good": self.is_good, **asdict(self), "faults": dict(self.faults), "recoveries": recoveries}


def together(reports: Sequence[Report]) -> Report:
    """All runs as one."""
    return Report(
        seed=None,
        database=reports[0].database,
        broker=reports[0].broker,
        events=sum(each.events for each in reports),
        posts=sum(each.posts for each in reports),
        tries=sum(each.tries for each in reports),
        answers=_sum(each.answers for each in reports),
        outcomes=_sum(each.outcomes for each in reports),
        lost=sum(each.lost for each in reports),
        doubled=sum(each.doubled for each in reports),
        differences=[f"seed {each.seed}: {text}" for each in reports for text in each.differences],
        recoveries=[recovery for each in reports for recovery in each.recoveries],
        pace=reports[0].pace,
        sending_s=sum(each.sending_s for each in reports),
        settling_s=sum(each.settling_s for each in reports),
        total_s=sum(each.total_s for each in reports),
        runs=sum(each.runs for each in reports),
    )


def show(report: Report) -> None:
    """Prints it for people."""
    title = f"{report.runs} seeds" if report.seed is None else f"seed {report.seed}"
    output.line(f"{title}, {report.database}, {report.broker}: {'good' if report.is_good else 'FAILED'}")
    output.line(
        f"  {report.events:,} events in {report.posts:,} posts, {report.tries:,} tries;"
        f" answered {_list(report.answers)}; {sum(report.faults.values()):,} faults"
    )
    output.line(f"  {_list(report.outcomes)}; lost {report.lost:,}, doubled {report.doubled:,}")
    output.line(
        f"  {report.sending_s:.0f} s of faults, worked off {report.settling_s:.1f} s after the last,"
        f" {report.total_s:.0f} s in all"
    )
    for difference in report.differences:
        output.line(f"  ! {difference}")
    if not report.is_good and report.seed is not None:
        output.line(f"  again: {report.replay}")


def show_faults(report: Report) -> None:
    """Prints the faults by kind, with the seconds until each was recovered from."""
    columns = ("fault", "times", "alone", "recovered in s, median", "worst", "worst among others")
    rows = []
    for kind, count in sorted(report.faults.items()):
        alone, among = (
            [each.seconds for each in report.recoveries if each.kind == kind and each.alone is alone]
            for alone in (True, False)
        )
        rows.append((kind, count, len(alone), _shown(statistics.median, alone), _shown(max, alone), _shown(max, among)))
    output.table(columns, rows, right=columns[1:])


def _shown(figure: Callable[[Sequence[float]], float], seconds: Sequence[float]) -> str:
    return f"{figure(seconds):.1f}" if seconds else ""


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "nothing"


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)
