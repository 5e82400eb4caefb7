import csv
import json

import numpy as np
import pytest

from physics.files import plain
from surrogate.comparison.comparison import drift
from surrogate.export import EXPORTERS, ExportJob, write_metrics
from surrogate.export.metrics import summary


def _rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_csv_reads_back_bit_equal(n, comparison_of, tmp_path):
    c = comparison_of(n)
    trajectories, metrics = EXPORTERS["csv"].write(ExportJob(c, tmp_path))
    rows = _rows(trajectories)
    assert list(rows[0]) == ["step", "time", "particle", "source", *(f"{s}{k}" for s in "xv" for k in range(n))]
    for source in ("truth", "forecast", "rollout"):
        mine = [row for row in rows if row["source"] == source]
        expected = getattr(c, source)
        for letter, values in (("x", expected.positions), ("v", expected.velocities)):
            read = np.array([[float(row[f"{letter}{k}"]) for k in range(n)] for row in mine])
            np.testing.assert_array_equal(read.reshape(values.shape), values)
        assert [float(row["time"]) for row in mine[::5]] == c.truth.times.tolist()
    table = _rows(metrics)
    assert len(table) == c.truth.n_frames
    read = [float(row["rollout_position_rmse"]) for row in table]
    assert read == c.position_rmse(c.rollout).tolist()
    assert "forecast_energy" in table[0]


def test_energies_are_left_out_where_the_law_is_unknown(comparison_of, tmp_path):
    _, metrics = EXPORTERS["csv"].write(ExportJob(comparison_of(3, law_known=False), tmp_path))
    assert not [name for name in _rows(metrics)[0] if "energy" in name]
    assert "energy_drift" not in summary(comparison_of(3, law_known=False))["truth"]


def test_npz_reads_back_without_pickle(comparison_of, tmp_path):
    c = comparison_of(4, details={"seed": 3, "note": float("nan"), "card": {"dims": (2, 3)}}, command="make me")
    (path,) = EXPORTERS["npz"].write(ExportJob(c, tmp_path))
    with np.load(path, allow_pickle=False) as arrays:
        for source in ("truth", "forecast", "rollout"):
            np.testing.assert_array_equal(arrays[f"{source}_positions"], getattr(c, source).positions)
            np.testing.assert_array_equal(arrays[f"{source}_velocities"], getattr(c, source).velocities)
        np.testing.assert_array_equal(arrays["rotation"], c.rotation)
        np.testing.assert_array_equal(arrays["times"], c.truth.times)
        assert all(arrays[name].dtype != object for name in arrays.files)
        details = json.loads(str(arrays["details"]))
    assert details["command"] == "make me"
    assert details["details"] == {"seed": 3, "note": None, "card": {"dims": [2, 3]}}


def test_metrics_hold_null_for_what_is_not_finite(comparison_of, tmp_path):
    c = comparison_of(3, equivariance_error=float("nan"), details={"recipe": {"a": float("inf")}})
    text = write_metrics(c, tmp_path).read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    read = json.loads(text)
    assert read["equivariance_error"] is None
    assert read["recipe"] == {"a": None}
    assert read["position_rmse"] == c.position_rmse().tolist()


def test_plain_values():
    assert plain({1: np.float32(0.5), "a": (np.int64(2), np.array([np.nan]))}) == {"1": 0.5, "a": [2, [None]]}
    assert plain(np.bool_(True)) is True
    assert plain({"x": object}) == {"x": str(object)}


def test_drift_is_relative_unless_it_starts_from_nothing():
    np.testing.assert_allclose(drift(np.array([2.0, 3.0]), np.array([2.0])), [0.0, 0.5])
    np.testing.assert_allclose(drift(np.array([[0.0, 3.0]]), np.zeros(2)), [3.0])


def test_a_truth_that_conserves_has_no_drift(comparison_of):
    numbers = summary(comparison_of(3))
    assert numbers["truth"]["energy_drift"] < 1e-4 < numbers["rollout"]["energy_drift"]
    assert numbers["truth"]["momentum_drift"] < 1e-10
    assert numbers["truth"]["rmse_end"] == 0.0 < numbers["forecast"]["rmse_end"] < numbers["rollout"]["rmse_end"]
