"""The engine's benchmark: what it counts, and that its command makes its tables."""

import json

import numpy as np
import pytest

from physics import bench
from physics.bench_table import BenchTable
from physics.kernels.parameters import PairConstants, Term
from physics.sums.passes import NO_KICKS, LaneForces
from tests.physics import oracle


def unit_forces(n):
    """An inverse-square law between n particles in each of 16 lanes."""
    law = Term(0, False, PairConstants(softening=0.1), 0.0, 0.0, 0.0)
    return LaneForces(np.ones((n, 16)), np.ones((n, 16)), law, 0.01)


def test_limit_counts_the_multiplications_of_a_pair(monkeypatch):
    """Every product of the fast kernel's pair, counted by running its Python for one pair of particles."""
    from physics.kernels import inverse_cube
    from physics.sums import lanes

    counted = []
    for module in (lanes, inverse_cube):
        for name, products in (
            ("mul", 1),
            ("fma", 1),
            ("fnma", 1),
            ("plus_square", None),
            ("plus_scaled", None),
            ("minus_scaled", None),
        ):
            if hasattr(module, name):
                original = getattr(module, name)

                def seen(*arguments, original=original, products=products):
                    counted.append(products or len(arguments[0]))
                    return original(*arguments)

                monkeypatch.setattr(module, name, seen)
    monkeypatch.setattr(lanes, "inverse_cube", inverse_cube.inverse_cube.py_func)
    for d in (1, 2, 3, 8):
        counts = []
        for n in (2, 3):  # rows cost the same each: what is left of their difference are two pairs and a row
            del counted[:]
            x, v, f = np.ones((3, n, d, 16))
            x += np.arange(n)[:, None, None]
            passes = lanes.inverse_square_passes(d).py_func
            passes(x, v, unit_forces(n), f, 0, NO_KICKS, 1)
            counts.append(sum(counted) / (1 if d <= 3 else 2))  # two halves of a group
        row = 1  # the couplings' scale; `scaled` is not counted
        assert counts[1] - counts[0] == 2 * bench.instructions(d) + row


@pytest.mark.parametrize("d", [2, 3, 4])
def test_rows_make_the_multiplications_of_their_pairs_and_no_more(d, monkeypatch):
    """As above; `scaled` makes the couplings here."""
    from physics.kernels import inverse_cube
    from physics.kernels import rows as row_operations
    from physics.sums import rows

    counted = []
    for module, names in (
        (inverse_cube, ["mul", "fma", "fnma"]),
        (row_operations, ["mul", "plus_square", "plus_scaled", "minus_scaled"]),
        (rows, ["fma", "scaled"]),
    ):
        for name in names:
            original = getattr(module, name)

            def seen(*arguments, original=original):
                counted.append(len(arguments[0]) if isinstance(arguments[0], tuple) else 1)
                return original(*arguments)

            monkeypatch.setattr(module, name, seen)
    monkeypatch.setattr(rows, "inverse_cube", inverse_cube.inverse_cube.py_func)
    counts = []
    for n in (5, 10):
        del counted[:]
        x, v, f = np.ones((3, n, d, 16))
        x += np.arange(n)[:, None, None]
        passes = rows.five_row_passes(d).py_func
        passes(x, v, unit_forces(n), f, 0, NO_KICKS, 1)
        counts.append(sum(counted) / 2)  # two halves of a group
    assert counts[1] - counts[0] == 35 * bench.instructions(d) + 5  # 45 - 10 pairs, five more scaled couplings


def test_numpy_rival_is_the_published_generator(monkeypatch):
    x, v, q = oracle.published_start(1)[0]
    frames = []
    clip = np.clip
    monkeypatch.setattr(np, "clip", lambda force, *limits: frames.append(clip(force, *limits)) or frames[-1])
    bench.numpy_steps(x, v, q, 1)
    expected = oracle.reference_acceleration(x, q, np.ones(5), 100.0)
    np.testing.assert_allclose(frames[0], expected, rtol=1e-12)


@pytest.mark.parametrize("rival", [True, False])
def test_command_writes_tables_and_numbers(rival, tmp_path, monkeypatch):
    calls = []

    def found(comparison, *arguments):
        calls.append(comparison.__name__)
        if comparison is bench.pair_comparison:
            return {"engine": 0.5, "limit": 0.4} | ({"rebound": 6.0} if rival and arguments[0] == 3 else {})
        return {"engine": 1e-5, "numpy": 0.2, "one_core": 0.05, "all_cores": 0.03}

    monkeypatch.setattr(bench, "in_own_process", found)
    bench.main(["--out", str(tmp_path)])
    table = (tmp_path / "engine.md").read_text()
    assert "| n = 2, N = 5 | 0.50 | 0.40 | 80 % | |  |" in table
    assert ("| 6.0 | 12.0 |" in table) == rival
    assert "20000 times" in table
    numbers = json.loads((tmp_path / "engine.json").read_text())
    assert json.loads((tmp_path / "bench.json").read_text()) == numbers
    assert numbers["engine_ns_per_pair_n3_N100"] == 0.5
    assert calls.count("pair_comparison") == len(bench.SIZES)


def test_comparisons_measure_what_they_say(monkeypatch):
    monkeypatch.setattr(bench, "PAIR_STEPS", 20_000)
    monkeypatch.setattr(bench, "LARGE_SYSTEM", 300)
    monkeypatch.setattr(bench, "low_times", lambda calls, rounds=1: dict.fromkeys(calls, 1e-3))
    found = bench.pair_comparison(2, 5)
    assert found["engine"] == pytest.approx(1e9 * 1e-3 / (64 * 31 * 10))
    assert set(found) == {"engine", "limit"}
    assert bench.generator_comparison()["numpy"] == pytest.approx(1e-3 * 4900 / 200)
    assert bench.large_comparison()["one_core"] == pytest.approx(1e-3 / 5)


def test_low_times_runs_everything_in_turn():
    order = []
    times = bench.low_times({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 4
    assert set(times) == {"a", "b"}
    assert min(times.values()) >= 0


def test_the_numbers_of_all_programs_stand_in_one_flat_file(tmp_path, capsys):
    for name, numbers in (("a", {"x": 1.0, "n": 3}), ("b", {"start": [0.5, 2.0, 1.0]}), ("a", {"x": 4.0})):
        table = BenchTable("a machine")
        table.numbers.update(numbers)
        table.say(f"| {name} |")
        table.write(tmp_path / "out", name)
    found = json.loads((tmp_path / "out/bench.json").read_text())
    assert found == {"x": 4.0, "n": 3, "start": 1.0, "start_worst": 2.0}
    assert json.loads((tmp_path / "out/b.json").read_text()) == {"start": [0.5, 2.0, 1.0]}
    text = (tmp_path / "out/b.md").read_text()
    assert text.startswith("a machine; Python 3")
    assert text.endswith("| b |\n")
    assert text in capsys.readouterr().out
