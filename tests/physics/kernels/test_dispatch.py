"""A kernel chosen by a number: compiled and plain the same one, and found again by another process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from physics.kernels.dispatch import choice
from physics.kernels.jit import kernel


@kernel
def doubled(x, y):
    return 2.0 * x + y


@kernel
def ratio(x, y):
    return x / y


@kernel
def difference(x, y):
    return x - y


FUNCTIONS = (doubled, ratio, difference)
chosen = choice(FUNCTIONS)
only = choice((ratio,))


@kernel
def applied(which, x, y):
    return chosen(which, x, y)


@pytest.mark.parametrize("which", range(len(FUNCTIONS)))
def test_the_function_of_that_number_is_called(which):
    assert applied(which, 5.0, 3.0) == chosen(which, 5.0, 3.0) == FUNCTIONS[which](5.0, 3.0)
    assert len({applied(other, 5.0, 3.0) for other in range(len(FUNCTIONS))}) == len(FUNCTIONS)


def test_a_choice_of_one():
    @kernel
    def run(x, y):
        return only(0, x, y)

    assert run(6.0, 4.0) == 1.5


SECOND = """
from tests.physics.kernels.test_dispatch import applied
applied(1, 5.0, 3.0)
print(sum(applied.stats.cache_misses.values()))
"""


def test_a_second_process_compiles_nothing(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    misses = []
    for _ in range(2):
        command = [sys.executable, "-c", SECOND]
        done = subprocess.run(
            command, cwd=Path(__file__).parents[3], env=environment, capture_output=True, text=True, check=True
        )
        misses.append(int(done.stdout))
    assert misses == [1, 0]
