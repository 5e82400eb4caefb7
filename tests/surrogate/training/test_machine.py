"""What commands that train ask of the machine."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys, torch
from surrogate.training.machine import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def step():
    big = [torch.ones(1 << 19) for _ in range(4)]  # 2 MB each
    return sum(float(b[0]) for b in big)
for _ in range(3):
    step()
before = faults()
for _ in range(20):
    step()
print(faults() - before)
"""


def faults_of(how):
    done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc is spoken to")
def test_arrays_of_a_step_are_not_asked_for_again():
    pages = 20 * 4 * (1 << 21) // 4096
    assert faults_of("kept") < 0.05 * pages
    assert faults_of("not") > faults_of("kept")
