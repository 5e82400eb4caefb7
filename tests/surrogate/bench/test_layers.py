"""The bench of the layers at its smallest: that it measures what it says; times are never asserted."""

import pytest
import torch

from physics.errors import InputError
from surrogate.bench import gpu, layers, textbook, timing


def test_forward_times_have_their_errors_beside_them():
    numbers = layers.bench_forward(1, 0.0)
    for name in layers.LAYOUTS:
        assert numbers[f"{name}_ms"] > 0
        assert numbers[f"{name}_error"] < timing.AGREEMENT


def test_layouts_that_differ_are_not_timed(monkeypatch):
    published = textbook.egnn
    monkeypatch.setattr(textbook, "egnn", lambda *a: published(*a) * (1 + 1e-5))
    with pytest.raises(RuntimeError, match="torch and textbook layouts differ by more than 2e-06"):
        layers.bench_forward(1, 0.0)


def test_tables_say_where_there_is_no_compiler(monkeypatch):
    monkeypatch.setattr(layers, "compiler", lambda: None)
    monkeypatch.setattr(layers, "SIZES", (5, 9))
    monkeypatch.setattr(layers, "NEAR", (40, 4))
    monkeypatch.setattr(layers, "peak_memory", lambda n, fused: n)  # another process would import PyTorch again
    monkeypatch.setattr(layers.multiprocessing, "get_context", lambda _: _InThisProcess)
    numbers = layers.bench_step(0.0) | layers.bench_large(0.0) | layers.bench_molecules(0.0)
    for n_systems in layers.BATCHES:
        for name in layers.LAYOUTS:
            numbers |= {f"b{n_systems}_{name}_ms": 1.0, f"b{n_systems}_{name}_error": 1e-7}
    text = "\n".join(layers.table_lines(numbers))
    assert "there is no C++ compiler" in text
    assert "train step, 100 x 5, eager" in text
    assert "| fused |" in text
    assert "| N = 40, 4 neighbours | " in text


class _InThisProcess:
    @staticmethod
    def Pool(_):
        return _InThisProcess()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def apply(self, function, arguments):
        return function(*arguments)


def test_memory_above_base_is_bytes():
    threads = torch.get_num_threads()
    try:
        assert 0 <= layers.peak_memory(20, True) < 1e9
    finally:
        torch.set_num_threads(threads)


class _Replay:
    def __init__(self, steps):
        self.replay = steps


@pytest.fixture
def no_gpu(monkeypatch):
    """All that the bench of a GPU does but the GPU: nothing is compiled, and a graph runs its calls again."""
    monkeypatch.setattr(gpu, "CALLS", 1)
    monkeypatch.setattr(gpu, "compile_in_place", lambda *_: "not compiled")
    monkeypatch.setattr(gpu, "recorded", lambda rehearse, steps: (rehearse(), _Replay(steps))[1])


def test_the_bench_of_a_gpu_times_every_variant_against_the_textbook(no_gpu):
    numbers = gpu.bench_gpu(0.0, "cpu", 2)
    for name in ("textbook", "eager", "captured"):
        assert numbers[f"forward_{name}_ms"] > 0
        assert numbers[f"step_{name}_ms"] > 0
    assert numbers["forward_eager_error"] < timing.AGREEMENT
    text = "\n".join(gpu.table_lines(numbers))
    assert "| training step, captured |" in text
    assert text.count("not measured") == 4


def test_a_step_of_the_bench_trains():
    model = timing.fresh_model()
    x, v, q = timing.states(4, 3)
    before = [p.clone() for p in model.parameters()]
    step = timing.stepper(model.parameters(), lambda: model(x, v, q)[0], x + v)
    step()
    moved = [not torch.equal(p, was) for p, was in zip(model.parameters(), before, strict=True)]
    assert sum(moved) > len(moved) // 2


def test_layouts_that_differ_on_the_gpu_are_not_timed(no_gpu, monkeypatch):
    published = textbook.egnn
    monkeypatch.setattr(textbook, "egnn", lambda *a: published(*a) * (1 + 1e-5))
    with pytest.raises(RuntimeError, match="eager and textbook layouts differ by more than 2e-06"):
        gpu.bench_gpu(0.0, "cpu", 2)


def test_without_a_gpu_the_bench_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match="no CUDA device here"):
        layers.main(["--device", "cuda", "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_bench_on_a_gpu(tmp_path):
    layers.main(["--device", "cuda", "--out", str(tmp_path), "--seconds", "0.1"])
    assert "training step, captured" in (tmp_path / "layers-cuda.md").read_text()
