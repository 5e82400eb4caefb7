"""What makes the chunks of a data set: threads of this process, or the workers of a Dask cluster."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Protocol

from physics.datasets.chunks import Chunk, FileEntries, make_chunk, make_chunk_elsewhere
from physics.errors import InputError

CONNECT_SECONDS = 10.0
"""Seconds that a scheduler may take to answer."""

WAIT_FOR_WORKERS = 30.0
"""Seconds that a cluster may take to have its first worker."""

ATTEMPTS = 10
"""Times that the death of a worker is answered by another trying the same chunk."""


class ChunkExecutor(Protocol):
    """Makes chunks, any number at a time."""

    def make(self, chunks: Iterable[Chunk], progress: Callable[[int], None]) -> Generator[FileEntries]:
        """The files of each chunk as they are done, in any order; `progress` gets numbers of trajectories."""


class _StoppedError(Exception):
    """Another thread failed or the user pressed Ctrl-C."""


class Threads:
    """`workers` threads of this process; in a data set of fewer chunks several make one chunk.

    Parameters
    ----------
    workers : int
    n_chunks : int
        Of the whole data set.
    """

    def __init__(self, workers: int, n_chunks: int) -> None:
        self.workers = min(workers, n_chunks)
        self.threads = -(-workers // n_chunks)

    def make(self, chunks: Iterable[Chunk], progress: Callable[[int], None]) -> Generator[FileEntries]:
        """As :meth:`ChunkExecutor.make`; on an error or Ctrl-C the others stop at their next block of systems."""
        stop = threading.Event()
        lock = threading.Lock()

        def advance(amount: int) -> None:
            if stop.is_set():
                raise _StoppedError
            with lock:
                progress(amount)

        with ThreadPoolExecutor(self.workers) as pool:
            try:
                yield from _in_flight(pool, chunks, self.workers + 1, make_chunk, advance, self.threads)
            finally:
                stop.set()


class Cluster:
    """The workers of a Dask scheduler that see the same folder.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def make(self, chunks: Iterable[Chunk], progress: Callable[[int], None]) -> Generator[FileEntries]:
        """As :meth:`ChunkExecutor.make`; a chunk whose worker was lost is made by another."""
        slots = max(sum(self.client.nthreads().values()), 1)
        pool = self.client.get_executor(pure=False, retries=0)

        def counted(chunk: Chunk, files: FileEntries) -> FileEntries:
            progress(chunk.size)
            return files

        try:
            yield from _in_flight(pool, chunks, 2 * slots, make_chunk_elsewhere, then=counted)
        finally:
            pool.shutdown(wait=False)


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """The Dask cluster at `address`, such as tcp://node:8786.

    Raises
    ------
    InputError
        Where Dask is not installed, nothing answers, or no worker comes.
    """
    try:
        import dask
        import distributed
    except ImportError:
        raise InputError("--scheduler needs Dask: pip install 'isotwin[cluster]'") from None
    dask.config.set({"distributed.scheduler.allowed-failures": ATTEMPTS})
    try:
        connect: Any = distributed.Client
        client = connect(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler {address}: no Dask scheduler answers there ({error})") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT_FOR_WORKERS)
        except TimeoutError:
            raise InputError(
                f"--scheduler {address}: no worker within {WAIT_FOR_WORKERS:g} s; "
                f"start one with: dask worker {address}"
            ) from None
        yield Cluster(client)


def _in_flight(
    pool: Executor,
    chunks: Iterable[Chunk],
    most: int,
    make: Callable[..., FileEntries],
    *arguments: object,
    then: Callable[[Chunk, FileEntries], FileEntries] = lambda chunk, files: files,
) -> Generator[FileEntries]:
    """Results of `make(chunk, *arguments)` as they come, with at most `most` chunks waiting or in the making."""
    pending: dict[Future[FileEntries], Chunk] = {}
    try:
        for chunk in chunks:
            pending[pool.submit(make, chunk, *arguments)] = chunk
            while len(pending) >= most:
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    yield then(pending.pop(future), future.result())
        while pending:
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                yield then(pending.pop(future), future.result())
    finally:
        for future in pending:
            future.cancel()
