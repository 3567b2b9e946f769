"""Bounds on MTBF, against published quantiles and against the definition."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.rules.confidence import Bounds, chi_square, mtbf_bounds, poisson_reaches
from tests.handlers.rules.sweep import untimed

HOUR = 3600.0


@pytest.mark.parametrize(
    ("probability", "degrees", "quantile"),
    [
        # NIST/SEMATECH e-Handbook 1.3.6.7.4, critical values of the chi-square distribution, to three decimals.
        (0.90, 2, 4.605),
        (0.95, 2, 5.991),
        (0.975, 10, 20.483),
        (0.99, 20, 37.566),
        (0.95, 100, 124.342),
        (0.10, 2, 0.211),
        (0.05, 10, 3.940),
        (0.025, 20, 9.591),
        (0.05, 100, 77.929),
    ],
)
def test_quantiles_are_those_that_nist_tabulates(probability: float, degrees: int, quantile: float) -> None:
    assert chi_square(probability, degrees // 2) == pytest.approx(quantile, abs=5e-4)


@untimed
@given(st.floats(1e-6, 1 - 1e-6), st.integers(1, 5_000))
def test_a_quantile_is_where_the_distribution_reaches_its_probability(probability: float, half: int) -> None:
    assert poisson_reaches(chi_square(probability, half) / 2, half) == pytest.approx(probability, rel=1e-9, abs=1e-12)


@untimed
@given(st.floats(0.01, 60), st.integers(1, 60))
def test_the_tail_is_the_sum_of_its_terms(mean: float, count: int) -> None:
    below = math.fsum(math.exp(each * math.log(mean) - mean - math.lgamma(each + 1)) for each in range(count))
    assert poisson_reaches(mean, count) == pytest.approx(1 - below, abs=1e-12)


@pytest.mark.parametrize(
    ("confidence", "hours"), [(0.6, 1091.36), (0.8, 621.33), (0.9, 434.29), (0.95, 333.81)], ids=str
)
def test_a_thousand_hours_without_failure_bound_mtbf_from_below_alone(confidence: float, hours: float) -> None:
    """NIST's e-Handbook 8.4.5.1 has 1091, 621, 434 and 334 h."""
    bounds = mtbf_bounds(1000 * HOUR, 0, confidence)
    assert (bounds.lower_s or 0) / HOUR == pytest.approx(hours, abs=5e-3)
    assert bounds.upper_s is None


def test_without_uptime_nothing_is_bounded() -> None:
    assert mtbf_bounds(0, 3) == Bounds(None, None)


@untimed
@given(st.floats(1, 1e9), st.integers(1, 1_000), st.floats(0.5, 0.999))
def test_bounds_hold_the_estimate_and_widen_with_confidence(uptime: float, failures: int, confidence: float) -> None:
    narrow, wide = mtbf_bounds(uptime, failures, confidence), mtbf_bounds(uptime, failures, (1 + confidence) / 2)
    assert narrow.lower_s is not None
    assert narrow.upper_s is not None
    assert wide.lower_s is not None
    assert wide.upper_s is not None
    assert wide.lower_s < narrow.lower_s < uptime / failures
    assert narrow.lower_s < narrow.upper_s < wide.upper_s
