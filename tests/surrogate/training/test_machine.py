"""What commands that train ask of the machine."""

import ctypes
import subprocess
import sys

import pytest

HELD = """
import ctypes, sys, torch
from surrogate.training.machine import keep_freed_memory
class Account(ctypes.Structure):  # struct mallinfo2 of malloc.h
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]
account = ctypes.CDLL(None).mallinfo2
account.restype = Account
def from_the_system():
    now = account()
    return now.arena + now.hblkhd  # the heap, and arrays that have pages of their own
if sys.argv[1] == "kept":
    keep_freed_memory()
before = from_the_system()
arrays = [torch.ones(1 << 19) for _ in range(4)]  # 2 MB each
during = from_the_system()
del arrays
print(during - before, from_the_system() - before)
"""


def held(how):
    """Bytes a process has of the system for arrays: while they are there, and after they were freed."""
    done = subprocess.run([sys.executable, "-c", HELD, how], capture_output=True, text=True, check=True)
    return map(int, done.stdout.split())


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "mallinfo2"),
    reason="glibc's malloc is spoken to (2.33 or newer)",
)
def test_memory_of_freed_arrays_stays_with_the_process_where_it_is_asked_for():
    arrays = 4 << 21
    during, after = held("kept")
    assert during > 0.9 * arrays  # some of it may be of memory that was there
    assert after > 0.9 * arrays
    during, after = held("not")
    assert during > 0.9 * arrays  # some of it may be of memory that was there
    assert after < arrays // 4
