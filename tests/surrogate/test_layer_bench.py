"""The bench of the layers at its smallest: that it measures what it says; times are never asserted."""

import pytest
import torch

from surrogate import layer_bench


def test_forward_times_have_their_errors_beside_them():
    numbers = layer_bench.bench_forward(1, 0.0)
    for name in layer_bench.LAYOUTS:
        assert numbers[f"{name}_ms"] > 0
        assert numbers[f"{name}_error"] < layer_bench.AGREEMENT


def test_layouts_that_differ_are_not_timed(monkeypatch):
    published = layer_bench.textbook.egnn
    monkeypatch.setattr(layer_bench.textbook, "egnn", lambda *a: published(*a) * (1 + 1e-5))
    with pytest.raises(RuntimeError, match="torch and textbook layouts differ by more than 2e-06"):
        layer_bench.bench_forward(1, 0.0)


def test_tables_say_where_there_is_no_compiler(monkeypatch):
    monkeypatch.setattr(layer_bench, "compiler", lambda: None)
    monkeypatch.setattr(layer_bench, "SIZES", (5, 9))
    monkeypatch.setattr(layer_bench, "peak_memory", abs)  # another process would import PyTorch again
    monkeypatch.setattr(layer_bench.multiprocessing, "get_context", lambda _: _InThisProcess)
    numbers = layer_bench.bench_step(0.0) | layer_bench.bench_large(0.0)
    for n_systems in layer_bench.BATCHES:
        for name in layer_bench.LAYOUTS:
            numbers |= {f"b{n_systems}_{name}_ms": 1.0, f"b{n_systems}_{name}_error": 1e-7}
    text = "\n".join(layer_bench.table_lines(numbers))
    assert "there is no C++ compiler" in text
    assert "train step, 100 x 5, eager" in text
    assert "| fused |" in text


class _InThisProcess:
    @staticmethod
    def Pool(_):
        return _InThisProcess()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def apply(self, function, arguments):
        return float(function(arguments[0]))


def test_memory_above_base_is_bytes():
    threads = torch.get_num_threads()
    try:
        assert 0 <= layer_bench.peak_memory(20, True) < 1e9
    finally:
        torch.set_num_threads(threads)
