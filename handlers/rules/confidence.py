"""Confidence bounds on MTBF from a chi-square quantile, without a library for statistics.

With a constant failure rate, r failures in an uptime T that ended by the clock and not by a failure bound MTBF by
[2T / chi2(1 - a/2; 2(r + 1)), 2T / chi2(a/2; 2r)], a = 1 - confidence (NIST/SEMATECH e-Handbook 8.4.5.1). The degrees
of freedom are even, so the distribution is a sum of Poisson terms (chi2 of 2k is below 2x as often as a Poisson
variable of mean x is k or more), which is added up exactly and inverted by bisection.
"""

import math
from functools import lru_cache

import msgspec

TWO_SIDED = 0.90
"""Default confidence of the two bounds: NIST's e-Handbook works its examples with 90 % (8.4.5.1)."""
_NEGLIGIBLE = 1e-18
"""A term this small beside the sum changes no digit of it."""


class Bounds(msgspec.Struct, frozen=True):
    """Between what the true MTBF is with the confidence given, in seconds; None where nothing bounds it."""

    lower_s: float | None
    upper_s: float | None


def mtbf_bounds(uptime_s: float, failures: int, confidence: float = TWO_SIDED) -> Bounds:
    """Two-sided bounds on MTBF; without failures one-sided, from below alone: T / -ln(1 - confidence).

    Args:
        uptime_s: time up, seconds; where there is none nothing is bounded.
        failures: in that time.
        confidence: more than 0 and less than 1.
    """
    if uptime_s <= 0:
        return Bounds(None, None)
    if failures == 0:
        return Bounds(uptime_s / -math.log1p(-confidence), None)
    tail = (1 - confidence) / 2
    lower = 2 * uptime_s / chi_square(1 - tail, failures + 1)
    return Bounds(lower, 2 * uptime_s / chi_square(tail, failures))


@lru_cache(maxsize=4096)
def chi_square(probability: float, half_degrees: int) -> float:
    """The quantile of the chi-square distribution with an even number of degrees of freedom.

    Args:
        probability: that a variable is less, more than 0 and less than 1.
        half_degrees: half of the degrees of freedom, at least 1.
    """
    low, high = 0.0, 2.0 * half_degrees
    while poisson_reaches(high / 2, half_degrees) < probability:
        low, high = high, 2 * high
    while True:
        middle = (low + high) / 2
        if not low < middle < high:  # neighbours: no number lies between them
            return middle
        if poisson_reaches(middle / 2, half_degrees) < probability:
            low = middle
        else:
            high = middle


def poisson_reaches(mean: float, count: int) -> float:
    """How probably a Poisson variable is `count` or more; the smaller side is summed, away from its greatest term."""
    if mean <= 0:
        return 0.0
    if mean < count:
        return _sum(mean, count, step=1)
    return 1 - _sum(mean, count - 1, step=-1)


def _sum(mean: float, first: int, step: int) -> float:
    """Poisson terms from `first` upwards or downwards, where each is less than the one before it."""
    term = math.exp(first * math.log(mean) - mean - math.lgamma(first + 1))
    total, number = 0.0, first
    while term > _NEGLIGIBLE * total:
        total += term
        term *= mean / (number + 1) if step > 0 else number / mean
        number += step
    return total
