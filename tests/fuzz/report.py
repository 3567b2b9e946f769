"""The report of a run: a row a parser, then everything that must not be."""

from collections.abc import Sequence

from tests.fuzz.run import Found

MEBIBYTE = 1024 * 1024
GROWTH_LIMIT_BYTES = 48 * MEBIBYTE
"""More than pools and caches take once they are warm, less than a leak of a few bytes an input in a long run."""


def faulty(found: Found) -> bool:
    """Whether something was found that must not be."""
    return bool(found.faults) or found.grown_bytes > GROWTH_LIMIT_BYTES


def table(found: Sequence[Found], seed: int) -> str:
    """The report, as Markdown."""
    lines = [
        f"{sum(each.inputs for each in found):,} bad inputs, seed {seed}",
        "",
        "| parser | inputs | ends | inputs/s | slowest ms (number) | memory MiB | faults |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *map(_row, found),
    ]
    for each in found:
        lines += [
            f"\n{each.parser} {fault.number}: {fault.what}\n  at {fault.place}\n  {fault.drawn}"
            for fault in each.faults
        ]
        if each.grown_bytes > GROWTH_LIMIT_BYTES:
            lines.append(f"\n{each.parser}: memory grew by {each.grown_bytes // MEBIBYTE} MiB")
    return "\n".join(lines)


def _row(found: Found) -> str:
    ends = ", ".join(f"{end} {count:,}" for end, count in sorted(found.ends.items()))
    seconds, number = found.slowest
    cells = [
        found.parser,
        f"{found.inputs:,}",
        ends,
        f"{found.inputs / found.seconds:,.0f}",
        f"{seconds * 1000:.1f} ({number})",
        f"{found.grown_bytes / MEBIBYTE:+.1f}",
        str(len(found.faults)),
    ]
    return f"| {' | '.join(cells)} |"
