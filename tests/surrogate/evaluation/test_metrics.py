"""The metrics on cases whose answer is known."""

import numpy as np
import pytest

from surrogate.evaluation.metrics import (
    VALID_TIME_LIMIT,
    equivariance_errors,
    error_summary,
    haar_matrices,
    sample_errors,
    valid_times,
)

Pair = np.ndarray


def states(samples: int = 6) -> tuple[Pair, Pair]:
    x, v = np.random.default_rng(0).standard_normal((2, samples, 4, 3))
    return x, v


def test_sample_errors_average_over_particles_and_coordinates() -> None:
    target = np.zeros((2, 4, 3))
    forecast = target.copy()
    forecast[1, 2, 0] = 6.0
    np.testing.assert_allclose(sample_errors(forecast, target), [0.0, 36 / 12])


def test_error_summary_equals_its_definition() -> None:
    errors = np.random.default_rng(1).exponential(size=101)
    found = error_summary(errors)
    ordered = np.sort(errors)
    assert found["mse"] == pytest.approx(errors.sum() / 101)
    assert found["mse_median"] == ordered[50]
    assert found["mse_p99"] == ordered[99]  # linear quantile: 0.99 * 100 falls on a sample
    spread = np.sqrt(((errors - errors.mean()) ** 2).sum() / 100)
    assert found["mse_stderr"] == pytest.approx(spread / np.sqrt(101))
    assert (found["samples"], found["non_finite"]) == (101, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_forecast_that_is_not_finite_nulls_the_errors(bad: float) -> None:
    found = error_summary(np.array([1.0, bad, 2.0, bad]))
    assert found == {
        "mse": None,
        "mse_median": None,
        "mse_p99": None,
        "mse_stderr": None,
        "samples": 4,
        "non_finite": 2,
    }


def test_few_samples() -> None:
    assert error_summary(np.array([3.0])) == {
        "mse": 3.0,
        "mse_median": 3.0,
        "mse_p99": 3.0,
        "mse_stderr": None,
        "samples": 1,
        "non_finite": 0,
    }
    assert error_summary(np.zeros(0))["mse"] is None


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_haar_matrices_are_orthogonal_of_both_signs_and_seeded(n: int) -> None:
    matrices = haar_matrices(n, 40, 3)
    for matrix in matrices:
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(n), atol=1e-12)
    assert {round(float(np.linalg.det(m))) for m in matrices} == {-1, 1}
    assert all(np.array_equal(a, b) for a, b in zip(matrices, haar_matrices(n, 40, 3), strict=True))
    if n > 1:
        assert not np.allclose(matrices[0], haar_matrices(n, 1, 4)[0])


def test_an_equivariant_map_has_no_equivariance_error() -> None:
    x, v = states()
    found = equivariance_errors(
        lambda a, b: a + 0.3 * b + a * (a**2).sum(-1, keepdims=True), x, v, haar_matrices(3, 8, 0)
    )
    assert found.shape == (8, 6)
    assert found.max() < 1e-13


def test_a_map_that_leans_has_a_large_one() -> None:
    x, v = states()
    lean = np.array([1.0, 0.5, 1.0])
    assert np.median(equivariance_errors(lambda a, b: a * lean + b, x, v, haar_matrices(3, 8, 0))) > 0.05
    assert equivariance_errors(lambda a, b: a + 1.0, x, v, haar_matrices(3, 8, 0)).max() > 0.05


def test_the_equivariance_error_is_relative_to_the_forecasts_own_size() -> None:
    """Moved far away and measured in other units it stays the same: the centroid and the length divide out."""
    x, v = states()
    mirror = [np.diag([-1.0, 1.0, 1.0])]

    def off(scale: float, shift: float):
        return lambda a, b: scale * (a + np.array([0.1, 0, 0])) + np.array([0, shift, 0])

    one = equivariance_errors(off(1.0, 0.0), x, v, mirror)
    centred = x - x.mean(axis=1, keepdims=True)
    expected = 0.2 * np.sqrt(4) / np.linalg.norm(centred, axis=(1, 2))
    np.testing.assert_allclose(one[0], expected, rtol=1e-12)
    np.testing.assert_allclose(equivariance_errors(off(50.0, 1e3), x, v, mirror), one, rtol=1e-9)


def test_a_forecast_collapsed_to_a_point_does_not_divide_by_zero() -> None:
    x, v = states()
    assert np.isfinite(equivariance_errors(lambda a, b: 0 * a, x, v, haar_matrices(3, 2, 0))).all()


def test_valid_times() -> None:
    times = np.array([1.0, 2.0, 3.0, 4.0])
    radius = np.full((5, 4), 2.0)
    limit = VALID_TIME_LIMIT * 2.0
    rmse = np.array(
        [
            [0.0, 0.1, 0.15, 0.19],  # valid to the end
            [0.0, 0.1, 0.30, 0.0],  # coming back does not count
            [limit, 0.0, 0.0, 0.0],  # at the limit is past it
            [0.0, np.nan, 0.0, 0.0],  # not a number is not valid
            [0.0, 0.0, 0.0, np.inf],
        ]
    )
    np.testing.assert_array_equal(valid_times(times, rmse, radius), [4.0, 2.0, 0.0, 1.0, 3.0])
