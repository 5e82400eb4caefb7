"""Parts of a batch in threads: each once, errors come out, a forked process has threads of its own."""

import os
import threading

import pytest

from surrogate.nn.cpu.threads import for_each
from tests.patience import PATIENCE


@pytest.mark.parametrize(("n_parts", "n_threads"), [(0, 2), (1, 4), (5, 1), (5, 2), (3, 8)])
def test_every_part_is_worked_on_once(n_parts, n_threads):
    done = []
    for_each(done.append, n_parts, n_threads)
    assert sorted(done) == list(range(n_parts))


def test_threads_are_kept_and_work_side_by_side():
    meeting, names = threading.Barrier(2, timeout=PATIENCE), []

    def work(part):
        meeting.wait()  # breaks where one part waits for the other
        names.append(threading.current_thread().name)

    for _ in range(3):
        for_each(work, 2, 2)
    assert len(names) == 6
    assert len(set(names)) == 2


def test_what_a_part_raises_comes_out():
    with pytest.raises(ZeroDivisionError):
        for_each(lambda part: 1 / (1 - part), 3, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    for_each(lambda part: part, 2, 2)
    child = os.fork()
    if child == 0:
        done = []
        for_each(done.append, 4, 2)
        os._exit(0 if sorted(done) == [0, 1, 2, 3] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
