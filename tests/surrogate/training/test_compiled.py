"""Compiled training is an option that says why where it cannot be had."""

import pytest
import torch

from surrogate.training import compiled
from tests.surrogate.helpers import tiny_model


def uncompiled(monkeypatch):
    """A model that fails the test when it is compiled."""
    monkeypatch.setattr(torch.nn.Module, "compile", lambda *_: pytest.fail("it was compiled"))
    return tiny_model("egnn")


def test_no_compiler_is_said(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(compiled.shutil, "which", lambda _: None)
    model = uncompiled(monkeypatch)
    reason = compiled.compile_in_place(model, "cpu")
    assert reason == (
        "not compiled: torch.compile needs a C++ compiler (g++ or clang++), and there is none on the PATH"
    )


def test_a_compiler_that_fails_is_said(monkeypatch):
    def failing(_function):
        def call(_x):
            raise OSError("Python.h: not found\nand more")

        return call

    monkeypatch.setattr(compiled, "compiler", lambda: "/usr/bin/g++")
    monkeypatch.setattr(compiled.torch, "compile", failing)
    model = uncompiled(monkeypatch)
    assert compiled.compile_in_place(model, "cpu") == (
        "not compiled: torch.compile fails here (OSError: Python.h: not found)"
    )


@pytest.mark.slow  # a minute of compiling
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_model_gives_the_same_gradients():
    if compiled.compiler() is None:
        pytest.skip("no C++ compiler")
    plain, made = tiny_model("egnn"), tiny_model("egnn")
    assert compiled.compile_in_place(made, "cpu") is None
    assert list(made.state_dict()) == list(plain.state_dict())
    x, v = torch.randn(2, 3, 5, 3)
    q = torch.randn(3, 5).sign()
    for model in (plain, made):
        model(x, v, q)[0].square().sum().backward()
    for a, b in zip(plain.parameters(), made.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-5)
